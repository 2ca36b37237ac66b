"""Losses, augmentation and people of a landmark network's training."""

from dataclasses import dataclass

from blazepose.config.option import Section, option
from blazepose.topologies.full_body import NUM_LANDMARKS


@dataclass(frozen=True)
class LandmarkLossConfig(Section, name="loss"):
    """Weight of each loss term, where 0 switches the term off, and parameters of the terms.

    Chosen: terms of similar size after the first epochs.
    """

    heatmap: float = option(1.0, "weight of the cross-entropy of the heatmaps", 0)
    offset: float = option(0.1, "weight of the absolute error of the offset maps, cells", 0)
    coordinates: float = option(1.0, "weight of the log of the distance in x and y", 0)
    z: float = option(5.0, "weight of the Huber loss of z, ROI units", 0)
    visibility: float = option(0.2, "weight of the cross-entropy of visibility", 0)
    presence: float = option(0.2, "weight of the cross-entropy of presence", 0)
    world: float = option(2.0, "weight of the Huber loss of world landmarks, meters", 0)
    pose: float = option(0.5, "weight of the cross-entropy of the pose score", 0)
    segmentation: float = option(0.5, "weight of the cross-entropy of the mask", 0)
    distill: float = option(
        0.0,
        "factor on the losses against the teacher for what the labels of a person lack: landmarks from "
        "teacher=, or else init=, all else from init=; experiment=finetune sets it",
        0,
    )
    teacher: float = option(
        0.0,
        "factor on the losses against the teacher for people without labels (data.unlabelled), and for "
        "heatmaps where the network of teacher= agrees with a label",
        0,
    )
    mask_fraction: float = option(
        0.25, "fraction of a batch that gets a mask loss; a mask costs a CPU as much as all the rest", 0.01, 1
    )
    coordinate_scale: float = option(
        0.03, "distance that still counts as near for loss.coordinates, ROI units", 1e-4
    )
    huber_beta: float = option(
        0.01, "error at which z and world change from squared to linear, in their units", 1e-4
    )
    heatmap_sigma: float = option(1.4, "standard deviation of the heatmap targets, cells", 1e-4)
    heatmap_peak_weight: float = option(
        1.0,
        "weight of the cell at the point relative to one far away, in the heatmaps of labels; the teacher's "
        "have no such cell",
        1,
        100,
    )


@dataclass(frozen=True)
class Augmentation(Section, name="augmentation"):
    """Strength of the augmentation of training crops."""

    scale: float = option(0.1, "largest relative change of the crop's side, either way", 0, 0.9)
    shift: float = option(0.1, "largest shift of the crop's center along each axis, sides of the crop", 0, 1)
    rotation_deg: float = option(15.0, "largest rotation, either way, degrees", 0, 180)
    hflip_prob: float = option(0.5, "probability of swapping left and right", 0, 1)
    truncation_prob: float = option(
        0.15, "probability that the image is cut off at the person (upper body only, and the like)", 0, 1
    )
    erasing_prob: float = option(0.3, "probability of covering a part with rectangles", 0, 1)
    photometric: bool = option(True, "apply color changes, blur, noise and JPEG")


@dataclass(frozen=True)
class PersonFilter(Section, name="filter"):
    """Criteria for people of training; evaluation keeps all it can score.

    Source: paper 2.6 (hips and shoulders, large enough).
    """

    min_side_px: float = option(96.0, "smallest side of the aligned crop in the source image, pixels", 0)
    min_labelled: int = option(4, "fewest labelled landmarks, hips and shoulders included", 0, NUM_LANDMARKS)
