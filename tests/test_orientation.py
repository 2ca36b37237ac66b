import numpy as np
import pytest

from blazepose.orientation import (
    MATRICES,
    image_upright,
    nearest_orientation,
    points_upright,
    size_upright,
)

STORED = np.arange(2 * 3).reshape(2, 3)

UPRIGHT_IMAGES = {
    1: STORED,
    2: np.fliplr(STORED),
    3: np.rot90(STORED, 2),
    4: np.flipud(STORED),
    5: STORED.T,
    6: np.rot90(STORED, -1),
    7: np.rot90(STORED, 2).T,
    8: np.rot90(STORED),
}
"""Source: the drawings of EXIF 2.32, tag 0x0112: 6 and 8 are a quarter turn, 5 and 7 mirrored besides."""


@pytest.mark.parametrize("orientation", MATRICES)
def test_pixels(orientation):
    image = image_upright(STORED, orientation)
    np.testing.assert_array_equal(image, UPRIGHT_IMAGES[orientation])
    assert size_upright((3, 2), orientation) == image.shape[::-1]
    assert image.flags.c_contiguous


@pytest.mark.parametrize("orientation", MATRICES)
def test_points_stay_on_their_pixels(orientation):
    rows, columns = np.mgrid[:2, :3]
    points = points_upright(np.stack([columns, rows], axis=-1).reshape(-1, 2), (3, 2), orientation)
    x, y = points.astype(int).T
    np.testing.assert_array_equal(image_upright(STORED, orientation)[y, x], STORED.ravel())


@pytest.mark.parametrize("orientation", MATRICES)
def test_the_nearest_orientation_of_a_matrix_with_noise_and_scale(orientation):
    noise = np.array([[0.1, -0.2], [0.2, 0.1]])
    assert nearest_orientation(1.5 * MATRICES[orientation] + noise) == orientation


def test_a_matrix_of_zeros_is_upright():
    assert nearest_orientation(np.zeros((2, 2))) == 1
