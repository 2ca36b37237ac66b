"""Ranges of the detector's keys."""

import math

import pytest

from blazepose.config.detector import DetectorAugmentation, DetectorLossConfig
from blazepose.data.annotated_image import MIN_BOX_SIDE


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"score": 0.0}, "score=0 must be a number from 1e-06 up"),
        ({"box": -1.0}, "box=-1 must be a number from 1e-06 up"),
        ({"points": math.nan}, "points=nan must be a number from 1e-06 up"),
        ({"points": math.inf}, "points=inf must be a number from 1e-06 up"),
        ({"gamma": -0.5}, "gamma=-0.5 must be a number from 0 to 10"),
        ({"gamma": 11.0}, "gamma=11 must be a number from 0 to 10"),
        ({"alpha": 1.5}, "alpha=1.5 must be a number from 0 to 1"),
        ({"beta": 0.0}, "beta=0 must be a number from 0.0001 up"),
    ],
)
def test_losses_out_of_range_are_named(option, sentence):
    with pytest.raises(ValueError, match=rf"^detector\.loss\.{sentence}$"):
        DetectorLossConfig(**option)


def test_the_limits_themselves_are_allowed():
    DetectorLossConfig()
    DetectorLossConfig(score=1e-6, gamma=0.0, alpha=1.0, beta=1e-4)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"full_image_prob": 1.1}, "full_image_prob=1.1 must be a number from 0 to 1"),
        ({"hflip_prob": -0.1}, "hflip_prob=-0.1 must be a number from 0 to 1"),
        ({"min_size": 0.02}, "min_size=0.02 must be a number from 0.03 to 1"),
        ({"min_size": 0.3, "max_size": 0.2}, "max_size=0.2 must be a number from 0.3 to 1"),
        ({"rotation_deg": 181.0}, "rotation_deg=181 must be a number from 0 to 180"),
    ],
)
def test_windows_out_of_range_are_named(option, sentence):
    with pytest.raises(ValueError, match=rf"^detector\.windows\.{sentence}$"):
        DetectorAugmentation(**option)


def test_people_of_the_smallest_windows_are_labels():
    DetectorAugmentation(min_size=MIN_BOX_SIDE)
    with pytest.raises(ValueError, match="min_size"):
        DetectorAugmentation(min_size=MIN_BOX_SIDE - 1e-6)
