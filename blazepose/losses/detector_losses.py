"""Losses of the detector: focal loss of the scores, errors of boxes and points in sides of the box."""

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
    """Compute the focal loss of the scores, per positive anchor of the batch.

    Of thousands of anchors a handful is positive; in plain cross-entropy the easy negatives outweigh them.
    Source: Lin et al., Focal loss for dense object detection, 2017.

    Args:
        logits: logits of the scores.
        positive: anchors with a person.
        negative: anchors without one; those that are neither are ignored.
        gamma: focusing parameter, which reduces the loss of easy anchors; 0 is cross-entropy.
        alpha: weight of positive anchors; negative ones have 1 - alpha.

    Examples:
        >>> import torch
        >>> from blazepose.losses.detector_losses import focal_loss
        >>> positive = torch.tensor([[True, False]])
        >>> uncertain = torch.zeros(1, 2)  # probability 0.5: an error of 0.5, a cross-entropy of log 2
        >>> focal_loss(uncertain, positive, ~positive, gamma=0.0, alpha=0.5)  # (log 2 + log 2) / 2
        tensor(0.6931)
        >>> focal_loss(uncertain, positive, ~positive, gamma=2.0, alpha=0.5)  # 0.5 squared of that
        tensor(0.1733)
    """
    cross_entropy = F.binary_cross_entropy_with_logits(logits, positive.float(), reduction="none")
    # The gradient of a power is infinite at 0, the value of a fully confident anchor.
    error = (1 - torch.exp(-cross_entropy)).clamp(min=1e-6)
    weights = torch.where(positive, alpha, 1 - alpha) * (positive | negative)
    return (weights * error**gamma * cross_entropy).sum() / positive.sum().clamp(min=1)


def box_regression_loss(
    predicted: Float[Tensor, "anchors values"],
    target: Float[Tensor, "anchors values"],
    labelled: Bool[Tensor, "anchors values"],
    side: Float[Tensor, " anchors"],
    beta: float,
) -> Float[Tensor, ""]:
    """Compute the mean Huber loss of labelled values of anchors, in sides of the person's box.

    Args:
        predicted: predicted coordinates.
        target: labels, in the same unit.
        labelled: mask of the values with labels.
        side: side of the box, in the same unit.
        beta: error at which the loss becomes linear, sides.
    """
    error = torch.where(labelled, predicted - target, 0) / side[:, None]
    huber = F.smooth_l1_loss(error, torch.zeros_like(error), beta=beta, reduction="none")
    return huber.sum() / labelled.sum().clamp(min=1)
