"""Losses of the landmark network; `labelled` masks the points that the source annotates for a person.

Each loss is the mean over the batch of the samples' means. A person with all 33 landmarks has the weight of
one with twelve, and labels that few people of a mix have (masks, metric coordinates) weigh accordingly less.
"""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON


def masked_mean(
    values: Float[Tensor, "batch *shape"], mask: Bool[Tensor, "batch *shape"]
) -> Float[Tensor, ""]:
    """Compute the batch mean of the samples' means under the mask; 0, with a gradient, for an empty mask.

    Examples:
        >>> import torch
        >>> from blazepose.losses.landmark_losses import masked_mean
        >>> values = torch.tensor([[1.0, 3.0], [5.0, float("nan")]])
        >>> masked_mean(values, torch.tensor([[True, True], [True, False]]))  # means 2 and 5 of the samples
        tensor(3.5000)
    """
    # where instead of multiplication: 0 x nan is nan, and unlabelled coordinates may be nan.
    rows = torch.where(mask, values, 0).reshape(len(values), -1).sum(dim=1)
    return (rows / mask.reshape(len(mask), -1).sum(dim=1).clamp(min=1)).mean()


def heatmap_loss(
    logits: Float[Tensor, "batch points size size"],
    targets: Float[Tensor, "batch points size size"],
    labelled: Bool[Tensor, "batch points"],
    peak_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Compute the mean of heatmap_cross_entropy over labelled points; arguments as there."""
    return masked_mean(heatmap_cross_entropy(logits, targets, peak_weight), labelled)


def heatmap_cross_entropy(
    logits: Float[Tensor, "batch points size size"],
    targets: Float[Tensor, "batch points size size"],
    peak_weight: float = 1.0,
) -> Float[Tensor, "batch points"]:
    """Compute binary cross-entropy against Gaussians, summed over the map, divided by the Gaussian's mass.

    Cross-entropy, since the heatmap is read through a sigmoid and has to reach 0.5
    (docs/reference/mediapipe.md section 6).
    A perfect map has the entropy of the target as its loss, not zero.

    Args:
        logits: logits of the heatmaps.
        targets: Gaussians of height 1, or a teacher's probabilities.
        peak_weight: weight of the cell at the point relative to one far away. For a certain point the optimum
            is the same Gaussian with any value; for a cell of probability 1 / n it is
            peak_weight / (peak_weight + n - 1).
    """
    weights = peak_weight / (peak_weight - (peak_weight - 1) * targets) if peak_weight != 1 else None
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, weights, reduction="none")
    return cross_entropy.sum(dim=(2, 3)) / targets.sum(dim=(2, 3)).clamp(min=1)


def offset_loss(
    offsets: Float[Tensor, "batch points 2 size size"],
    targets: Float[Tensor, "batch points 2 size size"],
    near: Bool[Tensor, "batch points size size"],
    labelled: Bool[Tensor, "batch points"],
) -> Float[Tensor, ""]:
    """Compute the mean absolute error of the offsets, in cells, over the discs around labelled points."""
    mask = (near & labelled[:, :, None, None])[:, :, None].expand_as(targets)
    return masked_mean((offsets - targets).abs(), mask)


def position_loss(
    predicted: Float[Tensor, "batch points 2"],
    target: Float[Tensor, "batch points 2"],
    labelled: Bool[Tensor, "batch points"],
    scale: float,
) -> Float[Tensor, ""]:
    """Compute the mean of log(1 + (distance / scale)^2) over labelled points, a Cauchy likelihood.

    The gradient is largest at a distance of `scale` and falls off beyond. A limb that may be in two places,
    or whose label is on the wrong side, is then predicted at one of them; an absolute error would put it
    between the two, where PCK counts it as wrong in either case.

    Args:
        predicted: x and y.
        target: labels, in the same unit.
        labelled: mask of the points with labels.
        scale: tolerable error, in that unit.

    Examples:
        >>> import torch
        >>> from blazepose.losses.landmark_losses import position_loss
        >>> label, labelled = torch.zeros(1, 1, 2), torch.tensor([[True]])
        >>> near, far = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[10.0, 0.0]]])
        >>> position_loss(near, label, labelled, scale=1.0)  # log 2
        tensor(0.6931)
        >>> position_loss(far, label, labelled, scale=1.0)  # ten times the error, 6.7 times the loss
        tensor(4.6151)
    """
    error = torch.where(labelled[..., None], predicted - target, 0)
    return masked_mean(torch.log1p(error.square().sum(dim=2) / scale**2), labelled)


def coordinate_loss(
    predicted: Float[Tensor, "batch points dims"],
    target: Float[Tensor, "batch points dims"],
    labelled: Bool[Tensor, "batch points"],
    beta: float,
) -> Float[Tensor, ""]:
    """Compute the mean Huber loss of labelled points, linear beyond `beta`, in the unit of the coordinates.

    For depth and world landmarks, where one wrong label must not outweigh the others.
    """
    # Unlabelled targets may be nan, and even the gradient of an unused nan is nan.
    target = torch.where(labelled[..., None], target, 0)
    error = F.smooth_l1_loss(predicted, target, beta=beta, reduction="none")
    return masked_mean(error.mean(dim=2), labelled)


def binary_loss(
    logits: Float[Tensor, "*shape"], labels: Float[Tensor, "*shape"], labelled: Bool[Tensor, "*shape"]
) -> Float[Tensor, ""]:
    """Compute binary cross-entropy over labelled values: visibility, presence, pose score."""
    return masked_mean(F.binary_cross_entropy_with_logits(logits, labels, reduction="none"), labelled)


def mask_loss(
    logits: Float[Tensor, "masks 1 side side"], mask: UInt8[Tensor, "batch size size"]
) -> Float[Tensor, ""]:
    """Compute binary cross-entropy against the person's fraction of each labelled pixel.

    Args:
        logits: logits of the segmentation head, for the first samples of the batch or all of them; of the
            side of the mask, or a whole part of it.
        mask: IGNORE, or BACKGROUND to PERSON (data.person_mask).
    """
    mask = mask[: len(logits)]
    fraction, labelled = (mask.float() - BACKGROUND) / (PERSON - BACKGROUND), mask != IGNORE
    if (pixels := mask.shape[-1] // logits.shape[-1]) > 1:
        fraction, share = (F.avg_pool2d(x, pixels) for x in (fraction, labelled.float()))
        labelled = share == 1  # a mean with an unlabelled pixel means nothing
    return binary_loss(logits[:, 0], fraction, labelled)
