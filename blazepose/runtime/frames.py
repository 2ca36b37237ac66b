"""Frames as the runtime takes them."""

import cv2
import numpy as np

_LARGEST = 32_766
"""Pixels a side: OpenCV's warp counts in 16 bits."""


def as_rgb(image: np.ndarray) -> np.ndarray:
    """A frame as contiguous uint8 RGB (height, width, 3).

    Args:
        image: uint8 RGB (height, width, 3), RGBA (height, width, 4) or grey (height, width[, 1]).

    Raises:
        ValueError: says what it is instead.
    """
    if not isinstance(image, np.ndarray):
        hint = "; OpenCV says None of a file that it cannot read" if image is None else ""
        kind = type(image).__name__
        raise ValueError(f"a frame is a uint8 RGB array (height, width, 3); this one is {kind}{hint}")
    shape = image.shape
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and shape[2] in (1, 3, 4))):
        raise ValueError(
            f"a frame is uint8 RGB (height, width, 3), grey or RGBA; this one is {image.dtype} {shape}"
        )
    if not 0 < min(shape[:2]) <= max(shape[:2]) <= _LARGEST:
        raise ValueError(f"a frame has 1 to {_LARGEST:,} pixels a side; this one is {shape[1]}x{shape[0]}")
    if image.ndim == 2 or shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(image[..., :3])
