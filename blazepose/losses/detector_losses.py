"""Losses of the detector: focal loss of the scores, errors of boxes and points in sizes of the person."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def focal_loss(
    logits: Float[Tensor, "batch anchors"],
    positive: Bool[Tensor, "batch anchors"],
    negative: Bool[Tensor, "batch anchors"],
    gamma: float,
    alpha: float,
) -> Float[Tensor, ""]:
    """Cross-entropy of the scores in which easy anchors fade, a positive anchor's share of the batch.

    Of 2,254 anchors a handful sees somebody; without the fading the thousands that easily see nobody outweigh
    them. Source: Lin et al., Focal loss for dense object detection, 2017.

    Args:
        logits: of the scores.
        positive: sees a person.
        negative: sees nobody; neither does not count.
        gamma: how fast easy anchors fade; 0 is cross-entropy.
        alpha: weight of the positive ones, 1 - alpha of the negative ones.
    """
    cross_entropy = F.binary_cross_entropy_with_logits(logits, positive.float(), reduction="none")
    # The gradient of a power is infinite at 0, where an anchor is quite sure.
    missed = (1 - torch.exp(-cross_entropy)).clamp(min=1e-6)
    weights = torch.where(positive, alpha, 1 - alpha) * (positive | negative)
    return (weights * missed**gamma * cross_entropy).sum() / positive.sum().clamp(min=1)


def box_regression_loss(
    said: Float[Tensor, "anchors values"],
    target: Float[Tensor, "anchors values"],
    labelled: Bool[Tensor, "anchors values"],
    side: Float[Tensor, " anchors"],
    beta: float,
) -> Float[Tensor, ""]:
    """Mean Huber error of labelled values of positive anchors, in sides of the person's box.

    Args:
        said: coordinates that the anchors say.
        target: in the same unit.
        labelled: values that count.
        side: of the box, in the same unit.
        beta: error from which it is linear, sides.
    """
    error = torch.where(labelled, said - target, 0) / side[:, None]
    huber = F.smooth_l1_loss(error, torch.zeros_like(error), beta=beta, reduction="none")
    return huber.sum() / labelled.sum().clamp(min=1)
