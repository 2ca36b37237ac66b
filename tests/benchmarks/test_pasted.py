"""A person pasted onto a background agrees with the labels."""

import numpy as np
import pytest

from benchmarks.pasted import paste


@pytest.mark.parametrize("seed", range(5))
def test_the_matrix_maps_a_marked_pixel_to_its_position(seed):
    rng = np.random.default_rng(seed)
    person, background = np.full((150, 90, 3), 40, np.uint8), np.full((300, 500, 3), 200, np.uint8)
    person[60:71, 30:41] = (255, 0, 0)  # around row 65, column 35
    image, matrix = paste(person, background, rng)
    assert image.shape == (640, 640, 3)
    red = (image[..., 0].astype(int) - image[..., 1]) > 100
    y, x = np.argwhere(red).mean(axis=0)
    np.testing.assert_allclose(matrix @ [35, 65, 1], [x, y], atol=0.75)
    shown = (image < 100).all(axis=2) | red
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    larger = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    assert 0.24 * 640 < larger < 0.91 * 640
    np.testing.assert_allclose(matrix @ [0, 0, 1], [columns[0], rows[0]], atol=2.5)
