"""Range checks of numbers in the config."""

import pytest

from blazepose.data.augment import Augmentation
from blazepose.data.filters import PersonFilter
from blazepose.training.loss_config import LandmarkLossConfig
from blazepose.training.optimizer import OptimizerConfig


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (LandmarkLossConfig, {"heatmap_sigma": 0.0}, "loss.heatmap_sigma=0: a number from 0.0001 up"),
        (LandmarkLossConfig, {"heatmap": -1.0}, "loss.heatmap=-1: a number from 0 up"),
        (LandmarkLossConfig, {"world": float("nan")}, "loss.world=nan: a number from 0 up"),
        (Augmentation, {"scale": 1.5}, "augmentation.scale=1.5: a number from 0 to 0.9"),
        (Augmentation, {"hflip_prob": 2.0}, "augmentation.hflip_prob=2: a number from 0 to 1"),
        (OptimizerConfig, {"lr": -1.0}, "optimizer.lr=-1: a number from 0 up"),
        (OptimizerConfig, {"lr": float("inf")}, "optimizer.lr=inf: a number from 0 up"),
        (OptimizerConfig, {"ema_decay": 2.0}, "optimizer.ema_decay=2: a number from 0 to 1"),
        (PersonFilter, {"min_labelled": 40}, "filter.min_labelled=40: a number from 0 to 33"),
    ],
)
def test_invalid_values_are_named(kind, values, message):
    with pytest.raises(ValueError, match=message):
        kind(**values)
