"""Losses of the landmark network. Every weight `labelled` is what this source annotates of this person.

Each loss is the mean over the batch of each sample's own mean. A person with all 33 landmarks counts no more
than one with twelve, and what few people of a mix have (masks, metres) does not weigh as if all had it.
"""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON


def masked_mean(
    values: Float[Tensor, "batch *shape"], mask: Bool[Tensor, "batch *shape"]
) -> Float[Tensor, ""]:
    """Mean over the batch of each sample's mean under the mask: 0, with a gradient, where that is empty."""
    # where, not multiplication: 0 x nan is nan, and unlabelled coordinates mean nothing.
    rows = torch.where(mask, values, 0).reshape(len(values), -1).sum(dim=1)
    return (rows / mask.reshape(len(mask), -1).sum(dim=1).clamp(min=1)).mean()


def heatmap_loss(
    logits: Float[Tensor, "batch points size size"],
    targets: Float[Tensor, "batch points size size"],
    labelled: Bool[Tensor, "batch points"],
    peak: float = 1.0,
) -> Float[Tensor, ""]:
    """Binary cross-entropy against the Gaussians, summed over the map and divided by the Gaussian's mass.

    Cross-entropy, since the heatmap is read through a sigmoid and has to reach 0.5 (mediapipe.md section 6).
    A perfect map costs the entropy of the target, not zero.

    Args:
        logits: of the maps.
        targets: Gaussians of height 1.
        labelled: points that count.
        peak: how much more the cell at the point counts than one far away. A map that is sure of its point
            becomes the same Gaussian with any; one that is not, with a chance of 1 in n for a cell, reaches
            peak / (peak + n - 1) there.
    """
    weights = peak / (peak - (peak - 1) * targets) if peak != 1 else None
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, weights, reduction="none")
    per_point = cross_entropy.sum(dim=(2, 3)) / targets.sum(dim=(2, 3)).clamp(min=1)
    return masked_mean(per_point, labelled)


def offset_loss(
    offsets: Float[Tensor, "batch points 2 size size"],
    targets: Float[Tensor, "batch points 2 size size"],
    near: Bool[Tensor, "batch points size size"],
    labelled: Bool[Tensor, "batch points"],
) -> Float[Tensor, ""]:
    """Mean absolute error of the offsets, in cells, over the discs around labelled points."""
    mask = (near & labelled[:, :, None, None])[:, :, None].expand_as(targets)
    return masked_mean((offsets - targets).abs(), mask)


def position_loss(
    predicted: Float[Tensor, "batch points 2"],
    target: Float[Tensor, "batch points 2"],
    labelled: Bool[Tensor, "batch points"],
    scale: float,
) -> Float[Tensor, ""]:
    """Mean of log(1 + (distance / scale)^2) over labelled points: the negative log of a Cauchy density.

    Its pull is strongest at a distance of `scale` and fades beyond. A limb that may be in two places, and
    one whose label is on the wrong side, is then put into one of them; an absolute error would settle
    between the two, where PCK counts it as wrong either way.

    Args:
        predicted: x and y.
        target: in the same unit.
        labelled: points that count.
        scale: in that unit, about the error that is still tolerable.
    """
    error = torch.where(labelled[..., None], predicted - target, 0)
    return masked_mean(torch.log1p(error.square().sum(dim=2) / scale**2), labelled)


def coordinate_loss(
    predicted: Float[Tensor, "batch points dims"],
    target: Float[Tensor, "batch points dims"],
    labelled: Bool[Tensor, "batch points"],
    beta: float,
) -> Float[Tensor, ""]:
    """Mean Huber error of labelled points, linear beyond `beta`, in the unit of the coordinates.

    For depth and metres, where one wrong label must not outweigh the others.
    """
    # Unlabelled targets may be nan, and the gradient of an unused nan is nan all the same.
    target = torch.where(labelled[..., None], target, 0)
    error = F.smooth_l1_loss(predicted, target, beta=beta, reduction="none")
    return masked_mean(error.mean(dim=2), labelled)


def binary_loss(
    logits: Float[Tensor, "*shape"], labels: Float[Tensor, "*shape"], known: Bool[Tensor, "*shape"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy where the label is known: visibility, presence, pose score."""
    return masked_mean(F.binary_cross_entropy_with_logits(logits, labels, reduction="none"), known)


def mask_loss(
    logits: Float[Tensor, "masks 1 size size"], mask: UInt8[Tensor, "batch size size"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy against each pixel's share of the person, over the pixels where it is known.

    Args:
        logits: of the segmentation head, for the first samples of the batch or all of them.
        mask: IGNORE, or BACKGROUND to PERSON (data.mask).
    """
    mask = mask[: len(logits)]
    share = (mask.float() - BACKGROUND) / (PERSON - BACKGROUND)
    return binary_loss(logits[:, 0], share, mask != IGNORE)
