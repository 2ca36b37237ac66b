"""Shadows over a part of the crop."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.config.landmark import Augmentation
from blazepose.data.augment import cast_shadow
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT


def test_a_part_of_the_crop_is_darker_and_the_rest_unchanged():
    image = np.full((64, 64, 3), 200, np.uint8)
    for seed in range(20):
        shaded = cast_shadow(image, np.random.default_rng(seed)) < image
        assert 0.05 < shaded.mean() < 0.95


def test_labels_are_those_of_a_crop_without_shadow(tiny_lsp):
    source, plain = read_source(f"lsp:{tiny_lsp}"), Augmentation(photometric=False)
    without, shadowed = (
        PoseDataset([source], LANDMARK_INPUT, replace(plain, shadow_prob=probability))[0]
        for probability in (0.0, 1.0)
    )
    np.testing.assert_array_equal(without["points"], shadowed["points"])
    assert shadowed["image"].mean() < without["image"].mean()


def test_its_probability_is_checked():
    with pytest.raises(ValueError, match=r"augmentation\.shadow_prob=2"):
        Augmentation(shadow_prob=2)
