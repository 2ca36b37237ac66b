"""Where windows lie in pictures, and how pictures are piled."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_windows import (
    DetectorAugmentation,
    choose_window,
    composite,
    full_image_crop,
    make_layer,
)
from blazepose.geometry import Roi, invert_affine, roi_to_image_matrix, transform_points

NOBODY = AnnotatedImage(Path(), None, [], [], np.zeros((0, 4)))
SIZE = 224


def layer(value: int, window: np.ndarray, soft: float = 0.0, height: int = 100, width: int = 100):
    return make_layer(np.full((height, width, 3), value, np.uint8), NOBODY, window, SIZE, soft)


def test_a_picture_hides_what_it_covers():
    """The window is twice as wide as the picture: it fills columns 56 to 167 of 224, 0.5 pixels apart."""
    around = roi_to_image_matrix(Roi(50.0, 50.0, 200.0, 0.0))
    front, back = layer(200, around), layer(90, full_image_crop(np.zeros((100, 100, 3), np.uint8)))
    assert set(np.unique(front.cover)) == {0, 1}
    assert np.flatnonzero(front.cover[112])[[0, -1]].tolist() == [56, 167]
    assert back.cover[:-1, :-1].all()  # the last of 224 lies beyond the last of 100
    seen = composite([front, back], np.full((SIZE, SIZE, 3), 7, np.uint8))
    assert (seen[:-1, :-1][front.cover[:-1, :-1] == 0] == 90).all()
    assert (seen[60:160, 60:160] == 200).all()
    alone = composite([front], np.full((SIZE, SIZE, 3), 7, np.uint8))
    assert (alone[front.cover == 0] == 7).all()


def test_soft_edges_fade():
    """A fifth of 100 pixels: half at the tenth, all from the twentieth."""
    around = roi_to_image_matrix(Roi(50.0, 50.0, 200.0, 0.0))
    front = layer(200, around, soft=0.2)
    at = np.arange(SIZE) / SIZE * 200 - 50
    expected = ((np.minimum(at + 0.5, 99.5 - at)) / 20).clip(0, 1)
    np.testing.assert_allclose(front.cover[112], expected, atol=1e-5)
    seen = composite([front], np.full((SIZE, SIZE, 3), 100, np.uint8))
    np.testing.assert_allclose(seen[112, :, 0], 100 + 100 * expected, atol=0.51 + 100 / 224)
    assert seen[112, 112].tolist() == [200] * 3


def test_the_soft_edge_is_a_share_of_the_smaller_side():
    around = roi_to_image_matrix(Roi(100.0, 50.0, 400.0, 0.0))
    front = layer(200, around, soft=0.2, width=200)
    assert front.cover[:, 112].max() == 1
    assert np.diff(front.cover[112]).max() == pytest.approx(400 / 224 / 20, rel=1e-4)


def test_windows_of_people_free_pictures_show_them_large_and_small():
    image = np.zeros((60, 100, 3), np.uint8)
    rng, sides, centers = np.random.default_rng(0), [], []
    for _ in range(300):
        window = choose_window(image, NOBODY, DetectorAugmentation(full_image_prob=0.0), rng)
        sides.append(np.sqrt(abs(np.linalg.det(window[:, :2]))) / 100)
        picture = np.array([[0, 0], [100, 0], [100, 60], [0, 60]], np.float64)
        corners = transform_points(invert_affine(window), picture)
        low, high = corners.min(axis=0), corners.max(axis=0)
        assert (low < 0.9).all()
        assert (high > 0.1).all()
        centers.append((low + high) / 2)
    assert 0.5 <= min(sides) < 0.55
    assert 4.5 < max(sides) <= 5
    assert np.median(sides) == pytest.approx(np.sqrt(0.5 * 5), rel=0.2)
    assert np.std(centers, axis=0).min() > 0.2


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"full_image_prob": 1.1}, "full_image_prob=1.1: a number from 0 to 1"),
        ({"hflip_prob": -0.1}, "hflip_prob=-0.1: a number from 0 to 1"),
        ({"min_size": 0.02}, "min_size=0.02: a number from 0.03 to 1"),
        ({"min_size": 0.3, "max_size": 0.2}, "max_size=0.2: a number from 0.3 to 1"),
        ({"rotation_deg": 181.0}, "rotation_deg=181: a number from 0 to 180"),
    ],
)
def test_windows_out_of_range_are_named(option, sentence):
    with pytest.raises(ValueError, match=rf"^detector\.windows\.{sentence}$"):
        DetectorAugmentation(**option)
