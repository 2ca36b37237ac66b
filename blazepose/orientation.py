"""The eight orientations in which cameras store images and videos, numbered as EXIF numbers them.

Source: EXIF 2.32, tag 0x0112. Stored pixels are turned upright by a 2x2 matrix about the image's center.
"""

import numpy as np

UPRIGHT = 1

MATRICES = {
    1: np.array([[1, 0], [0, 1]]),
    2: np.array([[-1, 0], [0, 1]]),
    3: np.array([[-1, 0], [0, -1]]),
    4: np.array([[1, 0], [0, -1]]),
    5: np.array([[0, 1], [1, 0]]),
    6: np.array([[0, -1], [1, 0]]),
    7: np.array([[0, -1], [-1, 0]]),
    8: np.array([[0, 1], [-1, 0]]),
}
"""{orientation: (x, y) of stored pixels -> (x, y) of upright ones}; x right, y down."""


def nearest_orientation(matrix: np.ndarray) -> int:
    """Return the orientation whose matrix is nearest to a (2, 2) one; UPRIGHT for a matrix of zeros."""
    return max(MATRICES, key=lambda number: float((MATRICES[number] * matrix).sum()))


def swaps_axes(orientation: int) -> bool:
    """Return whether rows become columns."""
    return bool(MATRICES[orientation][0, 0] == 0)


def size_upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return width and height of the upright image whose stored width and height are `size`."""
    return (size[1], size[0]) if swaps_axes(orientation) else size


def image_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn stored pixels (height, width, ...) upright, contiguous in memory."""
    if swaps_axes(orientation):
        image = image.swapaxes(0, 1)
    flip_x, flip_y = MATRICES[orientation].sum(axis=1) < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])


def points_upright(points_px: np.ndarray, size: tuple[int, int], orientation: int) -> np.ndarray:
    """Move points with the pixels they lie on.

    Args:
        points_px: (..., 2) x and y in the stored image; pixel 0 is the center of the first.
        size: width and height of the stored image.
        orientation: orientation of the stored image.

    Returns:
        (..., 2), x and y in the upright image.
    """
    center = (np.array(size) - 1) / 2
    upright_center = (np.array(size_upright(size, orientation)) - 1) / 2
    return (points_px - center) @ MATRICES[orientation].T + upright_center
