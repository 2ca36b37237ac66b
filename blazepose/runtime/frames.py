"""Checks and conversion of input frames."""

import cv2
import numpy as np

from blazepose.exceptions import InputError

_MAX_SIDE = 32_766
"""Largest width and height in pixels: OpenCV's warp has 16-bit coordinates."""


def as_rgb(image: np.ndarray) -> np.ndarray:
    """Convert a frame to contiguous uint8 RGB (height, width, 3).

    Args:
        image: uint8 RGB (height, width, 3), RGBA (height, width, 4) or gray (height, width[, 1]).

    Raises:
        ValueError: if it is no such array; states what it is.
    """
    if not isinstance(image, np.ndarray):
        hint = "; OpenCV returns None for a file that it cannot read" if image is None else ""
        kind = type(image).__name__
        raise InputError(f"a frame must be a uint8 RGB array (height, width, 3), not {kind}{hint}")
    shape = image.shape
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and shape[2] in (1, 3, 4))):
        raise InputError(
            f"a frame must be uint8 RGB (height, width, 3), gray or RGBA, not {image.dtype} {shape}"
        )
    if not 0 < min(shape[:2]) <= max(shape[:2]) <= _MAX_SIDE:
        raise InputError(f"a frame must have 1 to {_MAX_SIDE:,} pixels a side, not {shape[1]}x{shape[0]}")
    if image.ndim == 2 or shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(image[..., :3])
