"""Weights of the detector's loss within their ranges."""

import math

import pytest

from blazepose.training.detector_loss_config import DetectorLossConfig


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"score": 0.0}, "score=0: a number from 1e-06 up"),
        ({"box": -1.0}, "box=-1: a number from 1e-06 up"),
        ({"points": math.nan}, "points=nan: a number from 1e-06 up"),
        ({"points": math.inf}, "points=inf: a number from 1e-06 up"),
        ({"gamma": -0.5}, "gamma=-0.5: a number from 0 to 10"),
        ({"gamma": 11.0}, "gamma=11: a number from 0 to 10"),
        ({"alpha": 1.5}, "alpha=1.5: a number from 0 to 1"),
        ({"beta": 0.0}, "beta=0: a number from 0.0001 up"),
    ],
)
def test_values_out_of_range_are_named(option, sentence):
    with pytest.raises(ValueError, match=rf"^detector\.loss\.{sentence}$"):
        DetectorLossConfig(**option)


def test_the_limits_themselves_are_allowed():
    DetectorLossConfig()
    DetectorLossConfig(score=1e-6, gamma=0.0, alpha=1.0, beta=1e-4)
