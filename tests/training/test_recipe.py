"""Validation of recipes."""

import pytest

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.recipe import validate_recipe


@pytest.mark.parametrize(
    ("weights", "stages", "gradient_stop", "sentence"),
    [
        (LandmarkLossConfig(heatmap=0.0), Stages(), True, "nothing would train the encoder"),
        (LandmarkLossConfig(heatmap=0.0, coordinates=0.0), Stages(), False, "nothing would be trained"),
        (LandmarkLossConfig(heatmap=0.0), Stages(), False, "offset refines heatmaps"),
        (LandmarkLossConfig(coordinates=0.0), Stages(0, 5, 5), True, "a stage has epochs but its loss"),
        (LandmarkLossConfig(), Stages(0, 5, 0), True, r"set stages\.heatmap, or init="),
    ],
)
def test_recipes_that_leave_a_part_untrained_are_refused(weights, stages, gradient_stop, sentence):
    net = LandmarkNet(landmark_variant("lite", "paper"), gradient_stop)
    with pytest.raises(ValueError, match=sentence):
        validate_recipe(net, weights, stages, OptimizerConfig(), initialized=False)


def test_regression_alone_may_start_from_trained_weights():
    net = LandmarkNet(landmark_variant("lite", "paper"))
    validate_recipe(net, LandmarkLossConfig(), Stages(0, 5, 0), OptimizerConfig(), initialized=True)


@pytest.mark.parametrize("setting", [{"frozen_stages": 1}, {"norm_eval": True}, {"interpolate": True}])
def test_freezing_and_interpolating_need_initial_weights(setting):
    net = LandmarkNet(landmark_variant("lite", "paper"))
    config = OptimizerConfig(**setting)
    validate_recipe(net, LandmarkLossConfig(), Stages(), config, initialized=True)
    with pytest.raises(ValueError, match=r"needs? (trained|initial) weights: set init="):
        validate_recipe(net, LandmarkLossConfig(), Stages(), config, initialized=False)


def test_refinement_by_heatmaps_that_no_file_has_is_refused():
    net = LandmarkNet(landmark_variant("paper_lite", "paper"), gradient_stop=True)
    with pytest.raises(
        ValueError, match="decode=mediapipe refines by heatmaps, which files of paper_lite do not"
    ):
        validate_recipe(net, LandmarkLossConfig(), Stages(), OptimizerConfig(), False, "mediapipe")
    validate_recipe(net, LandmarkLossConfig(), Stages(), OptimizerConfig(), False, "regression")
