"""Checks of a recipe: stages, losses and network together."""

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.decoding import Decoding
from blazepose.exceptions import InputError
from blazepose.models.landmark_net import LandmarkNet


def validate_recipe(
    net: LandmarkNet,
    loss_config: LandmarkLossConfig,
    stages: Stages,
    optimizer_config: OptimizerConfig,
    initialized: bool,
    decoding: Decoding = "mediapipe",
) -> None:
    """Refuse a recipe that would silently leave a part at its random weights.

    Raises:
        ValueError: names the setting to change.
    """
    regression, heatmap = loss_config.coordinates > 0, loss_config.heatmap > 0
    if not regression and not heatmap:
        raise InputError("loss.heatmap and loss.coordinates are both 0: nothing would be trained")
    if stages.joint and net.gradient_stop and not heatmap:
        raise InputError(
            "loss.heatmap=0 with model.gradient_stop=true: nothing would train the encoder; "
            "set model.gradient_stop=false"
        )
    if (stages.heatmap and not heatmap) or (stages.regression and not regression):
        raise InputError("a stage has epochs but its loss has weight 0; see stages and loss in the config")
    if stages.at(0) == "regression" and not initialized:
        raise InputError(
            "stages: the regression stage needs trained features; set stages.heatmap, or init= to trained "
            "weights"
        )
    if (optimizer_config.frozen_stages or optimizer_config.norm_eval) and not initialized:
        raise InputError(
            "optimizer.frozen_stages and optimizer.norm_eval need trained weights: set init=, or set them "
            "to 0 and false"
        )
    if optimizer_config.interpolate and not initialized:
        raise InputError("optimizer.interpolate needs initial weights: set init=, or set it to false")
    if decoding == "mediapipe" and not net.variant.full_contract:
        raise InputError(
            f"decode=mediapipe refines by heatmaps, which files of {net.variant.name} do not have; choose "
            "regression or heatmap"
        )
    if decoding == "heatmap" and not initialized and not (heatmap and loss_config.presence):
        raise InputError("decode=heatmap reads heatmaps and presence; raise loss.heatmap and loss.presence")
    if loss_config.offset and not heatmap:
        raise InputError("loss.offset refines heatmaps; with loss.heatmap=0 set loss.offset=0 too")
