import math

import numpy as np
import pytest

from blazepose.geometry import Roi, crop_image, image_to_roi, roi_to_image_matrix
from blazepose.runtime.crop_to_image import (
    PERSON_FROM,
    landmarks_to_image,
    mask_to_image,
    world_to_image_axes,
)


def test_projection_by_hand():
    # A quarter turn clockwise: the crop's up is the image's right, its right is the image's down.
    roi = Roi(center_x=100.0, center_y=50.0, side=40.0, rotation_rad=math.pi / 2)
    landmarks = np.array([[0.5, 0.5, 0.1, 0.9, 0.8], [0.5, 0.0, -0.5, 0.2, 0.3], [1.0, 0.5, 0, 0, 0]])
    expected = [[100, 50, 4, 0.9, 0.8], [120, 50, -20, 0.2, 0.3], [100, 70, 0, 0, 0]]
    np.testing.assert_allclose(landmarks_to_image(landmarks, roi), expected, atol=1e-12)


def test_world_turns_with_the_roi():
    roi = Roi(center_x=1.0, center_y=2.0, side=3.0, rotation_rad=math.pi / 2)
    world = np.array([[0.0, -1.0, 0.5], [1.0, 0.0, -0.5]])
    np.testing.assert_allclose(world_to_image_axes(world, roi), [[1, 0, 0.5], [0, 1, -0.5]], atol=1e-12)


def ellipse(width: int, height: int) -> np.ndarray:
    """Return the mask of a slanted ellipse with a dent, which has no symmetry."""
    x, y = np.meshgrid(np.arange(width) - width / 2, np.arange(height) - height / 2)
    inside = ((x + 0.4 * y) / 70) ** 2 + (y / 110) ** 2 < 1
    return inside & ~((x > 10) & (y < -20) & (y > -60))


@pytest.mark.parametrize("side", [150.0, 300.0, 700.0])
@pytest.mark.parametrize("turn", [0.0, 0.7, -2.5])
def test_a_mask_is_warped_back_to_the_image(side, turn):
    """The crop of a mask, warped back, has its original position to a fraction of a pixel."""
    truth = ellipse(400, 300)
    roi = Roi(center_x=215.0, center_y=140.0, side=side, rotation_rad=turn)
    crop = crop_image(truth.astype(np.uint8) * 255, roi_to_image_matrix(roi), 256)
    mask = mask_to_image((crop / 255 - 0.5).astype(np.float32) * 20, roi, 400, 300) >= PERSON_FROM
    pixels = np.stack(np.meshgrid(np.arange(400), np.arange(300)), axis=-1)
    at = image_to_roi(roi, pixels.astype(np.float64))
    truth &= ((at >= 0) & (at <= 255 / 256)).all(axis=-1)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.98
    shift = pixels[mask].mean(axis=0) - pixels[truth].mean(axis=0)
    assert np.abs(shift).max() < side / 1000, "half a pixel of the crop would be side / 512"


def test_pixels_outside_the_crop_are_background():
    roi = Roi(center_x=50.0, center_y=40.0, side=32.0, rotation_rad=0.0)
    mask = mask_to_image(np.full((256, 256), 9, np.float32), roi, 80, 60) >= PERSON_FROM
    rows, columns = np.nonzero(mask)
    assert mask.shape == (60, 80)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (34, 65, 24, 55)
    assert mask.sum() == 32 * 32
