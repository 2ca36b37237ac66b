"""Place of windows in images, and compositing of layers."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.config.detector import DetectorAugmentation
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_windows import choose_window, composite, full_image_crop, make_layer
from blazepose.geometry import Roi, invert_affine, roi_to_image_matrix, transform_points

NO_PEOPLE = AnnotatedImage(Path(), None, [], [], np.zeros((0, 4)))
SIZE = 224


def layer(value: int, window: np.ndarray, feather: float = 0.0, height: int = 100, width: int = 100):
    return make_layer(np.full((height, width, 3), value, np.uint8), NO_PEOPLE, window, SIZE, feather)


def test_a_layer_covers_those_behind_it():
    """The window is twice as wide as the image: it fills columns 56 to 167 of 224, 0.5 pixels apart."""
    around = roi_to_image_matrix(Roi(50.0, 50.0, 200.0, 0.0))
    front, back = layer(200, around), layer(90, full_image_crop(np.zeros((100, 100, 3), np.uint8)))
    assert set(np.unique(front.alpha)) == {0, 1}
    assert np.flatnonzero(front.alpha[112])[[0, -1]].tolist() == [56, 167]
    assert back.alpha[:-1, :-1].all()  # the last of 224 lies beyond the last of 100
    pixels = composite([front, back], np.full((SIZE, SIZE, 3), 7, np.uint8))
    assert (pixels[:-1, :-1][front.alpha[:-1, :-1] == 0] == 90).all()
    assert (pixels[60:160, 60:160] == 200).all()
    alone = composite([front], np.full((SIZE, SIZE, 3), 7, np.uint8))
    assert (alone[front.alpha == 0] == 7).all()


def test_feathered_edges_fade():
    """A feather of a fifth of 100 pixels: half at the tenth pixel, opaque from the twentieth."""
    around = roi_to_image_matrix(Roi(50.0, 50.0, 200.0, 0.0))
    front = layer(200, around, feather=0.2)
    position = np.arange(SIZE) / SIZE * 200 - 50
    expected = ((np.minimum(position + 0.5, 99.5 - position)) / 20).clip(0, 1)
    np.testing.assert_allclose(front.alpha[112], expected, atol=1e-5)
    pixels = composite([front], np.full((SIZE, SIZE, 3), 100, np.uint8))
    np.testing.assert_allclose(pixels[112, :, 0], 100 + 100 * expected, atol=0.51 + 100 / 224)
    assert pixels[112, 112].tolist() == [200] * 3


def test_the_feather_is_relative_to_the_smaller_side():
    around = roi_to_image_matrix(Roi(100.0, 50.0, 400.0, 0.0))
    front = layer(200, around, feather=0.2, width=200)
    assert front.alpha[:, 112].max() == 1
    assert np.diff(front.alpha[112]).max() == pytest.approx(400 / 224 / 20, rel=1e-4)


def test_windows_of_negative_images_vary_in_size():
    image = np.zeros((60, 100, 3), np.uint8)
    rng, sides, centers = np.random.default_rng(0), [], []
    for _ in range(300):
        window = choose_window(image, NO_PEOPLE, DetectorAugmentation(full_image_prob=0.0), rng)
        sides.append(np.sqrt(abs(np.linalg.det(window[:, :2]))) / 100)
        outline = np.array([[0, 0], [100, 0], [100, 60], [0, 60]], np.float64)
        corners = transform_points(invert_affine(window), outline)
        low, high = corners.min(axis=0), corners.max(axis=0)
        assert (low < 0.9).all()
        assert (high > 0.1).all()
        centers.append((low + high) / 2)
    assert 0.5 <= min(sides) < 0.55
    assert 4.5 < max(sides) <= 5
    assert np.median(sides) == pytest.approx(np.sqrt(0.5 * 5), rel=0.2)
    assert np.std(centers, axis=0).min() > 0.2
