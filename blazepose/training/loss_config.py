"""Weights of the losses, and checks of a recipe."""

import dataclasses
import math
from dataclasses import dataclass

from blazepose.models.landmark_net import LandmarkNet
from blazepose.ranges import check_ranges
from blazepose.targets.heatmaps import SIGMA_CELLS
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.stages import Stages


@dataclass(frozen=True)
class LandmarkLossConfig:
    """Weight of each term; 0 switches it off. Chosen: terms of similar size after the first epochs.

    Attributes:
        heatmap: cross-entropy of the heatmaps.
        offset: absolute error of the offset maps, cells.
        coordinates: log of the distance in x and y.
        z: Huber loss, ROI units.
        visibility: cross-entropy.
        presence: cross-entropy.
        world: Huber loss, metres.
        pose: cross-entropy of the pose score.
        segmentation: cross-entropy of the mask.
        distill: factor on the losses against the teacher, which fine-tuning adds to those of the labels.
        mask_fraction: fraction of a batch that gets a mask loss; a mask costs a CPU as much as all the rest.
        coordinate_scale: distance that still counts as near for `coordinates`, ROI units.
        huber_beta: error at which z and world change from squared to linear, in their units.
        heatmap_sigma: standard deviation of the heatmap targets, cells.
        heatmap_peak_weight: weight of the cell at the point relative to one far away, in the heatmaps of
            labels; the teacher's have no such cell.

    Raises:
        ValueError: names the value that is out of range.
    """

    heatmap: float = 1.0
    offset: float = 0.1
    coordinates: float = 1.0
    z: float = 5.0
    visibility: float = 0.2
    presence: float = 0.2
    world: float = 2.0
    pose: float = 0.5
    segmentation: float = 0.5
    distill: float = 0.0
    mask_fraction: float = 0.25
    coordinate_scale: float = 0.03
    huber_beta: float = 0.01
    heatmap_sigma: float = SIGMA_CELLS
    heatmap_peak_weight: float = 1.0

    def __post_init__(self) -> None:
        names = [field.name for field in dataclasses.fields(self)]
        divisors = dict.fromkeys(("coordinate_scale", "huber_beta", "heatmap_sigma"), (1e-4, math.inf))
        others = {"mask_fraction": (0.01, 1.0), "heatmap_peak_weight": (1.0, 100.0)}
        limits = dict.fromkeys(names, (0.0, math.inf)) | divisors | others
        check_ranges("loss", self, limits)


def validate_recipe(
    net: LandmarkNet,
    loss_config: LandmarkLossConfig,
    stages: Stages,
    optimizer_config: OptimizerConfig,
    initialized: bool,
) -> None:
    """Refuse a recipe that would silently leave a part at its random weights.

    Raises:
        ValueError: names the setting to change.
    """
    regression, heatmap = loss_config.coordinates > 0, loss_config.heatmap > 0
    if not regression and not heatmap:
        raise ValueError("loss.heatmap and loss.coordinates are both 0: nothing would be trained")
    if stages.joint and net.gradient_stop and not heatmap:
        raise ValueError(
            "loss.heatmap=0 with model.gradient_stop=true: nothing would train the encoder; "
            "set model.gradient_stop=false"
        )
    if (stages.heatmap and not heatmap) or (stages.regression and not regression):
        raise ValueError("a stage has epochs but its loss has weight 0; see stages and loss in the config")
    if stages.at(0) == "regression" and not initialized:
        raise ValueError(
            "stages: the regression stage needs trained features; set stages.heatmap, or init= to trained "
            "weights"
        )
    if (optimizer_config.frozen_stages or optimizer_config.norm_eval) and not initialized:
        raise ValueError(
            "optimizer.frozen_stages and optimizer.norm_eval need trained weights: set init=, or set them "
            "to 0 and false"
        )
    if loss_config.offset and not heatmap:
        raise ValueError("loss.offset refines heatmaps; with loss.heatmap=0 set loss.offset=0 too")
