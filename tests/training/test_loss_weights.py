"""Recipes that can learn, and those that cannot."""

import pytest

from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.loss_weights import LossWeights, check_that_it_learns
from blazepose.training.optimiser import OptimiserConfig
from blazepose.training.stages import Stages


@pytest.mark.parametrize(
    ("weights", "stages", "gradient_stop", "sentence"),
    [
        (LossWeights(heatmap=0.0), Stages(), True, "nothing would train the encoder"),
        (LossWeights(heatmap=0.0, coordinates=0.0), Stages(), False, "nothing would be learned"),
        (LossWeights(heatmap=0.0), Stages(), False, "offset refines heatmaps"),
        (LossWeights(coordinates=0.0), Stages(0, 5, 5), True, "a stage has epochs but its loss"),
        (LossWeights(), Stages(0, 5, 0), True, r"set stages\.heatmap, or init="),
    ],
)
def test_recipes_that_learn_nothing_are_refused(weights, stages, gradient_stop, sentence):
    net = LandmarkNet(landmark_variant("lite", "paper"), gradient_stop)
    with pytest.raises(ValueError, match=sentence):
        check_that_it_learns(net, weights, stages, OptimiserConfig(), initialised=False)


def test_regression_alone_may_go_on_from_trained_weights():
    net = LandmarkNet(landmark_variant("lite", "paper"))
    check_that_it_learns(net, LossWeights(), Stages(0, 5, 0), OptimiserConfig(), initialised=True)


@pytest.mark.parametrize("still", [{"frozen_levels": 1}, {"frozen_norm": True}])
def test_what_stands_still_has_been_trained_before(still):
    net = LandmarkNet(landmark_variant("lite", "paper"))
    config = OptimiserConfig(**still)
    check_that_it_learns(net, LossWeights(), Stages(), config, initialised=True)
    with pytest.raises(ValueError, match="keep what init= brings, and there is none"):
        check_that_it_learns(net, LossWeights(), Stages(), config, initialised=False)
