"""Training windows of the detector: their place in an image, and compositing of several images."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from blazepose.config.detector import DetectorAugmentation
from blazepose.data.align import crop_matrix
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.geometry import (
    Roi,
    crop_image,
    invert_affine,
    letterbox_roi,
    roi_to_image,
    roi_to_image_matrix,
    transform_points,
)

_OFF_CENTER = 0.4
"""Largest offset of the person from the center of its window, in sides of it: still inside. Chosen."""

_NEGATIVE_SIDES = (0.5, 5.0)
"""Range of window sides of a negative image, in larger sides of the image. Source: windows around people of
lspet_train show a fifth of the image up to five times its size; neither the size of an image nor its edges
may reveal whether there is a person in it."""


class Layer(NamedTuple):
    """An image placed in a window.

    Attributes:
        annotated: the image with its people.
        to_window: affine (2, 3) from its pixels to 0..1 of the window.
        pixels: uint8 (size, size, 3), the window.
        alpha: float32 (size, size), opacity over the layers behind, 0..1.
    """

    annotated: AnnotatedImage
    to_window: np.ndarray
    pixels: np.ndarray
    alpha: np.ndarray


def make_layer(
    image: np.ndarray,
    annotated: AnnotatedImage,
    window: np.ndarray,
    size: int,
    feather: float = 0.0,
    border: int = cv2.BORDER_REPLICATE,
) -> Layer:
    """Crop the window of an image.

    Args:
        image: uint8 RGB.
        annotated: the image with its people.
        window: affine (2, 3) from the window to the image.
        size: side of the window, pixels.
        feather: width of the edge along which it fades, in smaller sides of the image.
        border: OpenCV border mode outside the image.
    """
    height, width = image.shape[:2]
    steps = np.arange(size) / size
    x, y = np.moveaxis(transform_points(window, np.stack(np.meshgrid(steps, steps), axis=-1)), -1, 0)
    to_edge = np.minimum(np.minimum(x + 0.5, width - 0.5 - x), np.minimum(y + 0.5, height - 0.5 - y))
    alpha = (to_edge / (feather * min(height, width))).clip(0, 1) if feather else to_edge > 0
    pixels = crop_image(image, window, size, border)
    return Layer(annotated, invert_affine(window), pixels, alpha.astype(np.float32))


def composite(layers: Sequence[Layer], background: np.ndarray) -> np.ndarray:
    """Composite layers over a background, uint8 (size, size, 3).

    Args:
        layers: the first one in front.
        background: uint8, behind them all.
    """
    pixels = background.astype(np.float32)
    for layer in reversed(layers):
        alpha = layer.alpha[..., None]
        pixels = alpha * layer.pixels + (1 - alpha) * pixels
    return np.rint(pixels).astype(np.uint8)


def full_image_crop(image: np.ndarray) -> np.ndarray:
    """Compute the affine (2, 3) to an image from the window that shows all of it, as at run time."""
    height, width = image.shape[:2]
    return roi_to_image_matrix(letterbox_roi(width, height))


def choose_window(
    image: np.ndarray, annotated: AnnotatedImage, augmentation: DetectorAugmentation, rng: np.random.Generator
) -> np.ndarray:
    """Sample the affine (2, 3) from a window to the image: around a person, or anywhere without people."""
    height, width = image.shape[:2]
    limit = math.radians(augmentation.rotation_deg)
    limit = math.pi if rng.random() < augmentation.any_rotation_prob else limit
    rotation, hflip = rng.uniform(-limit, limit), bool(rng.random() < augmentation.hflip_prob)
    if rng.random() < augmentation.full_image_prob:
        roi = letterbox_roi(width, height)
    else:
        if annotated.people:
            person = annotated.people[rng.integers(len(annotated.people))]
            x, y = person.center.tolist()
            side = person.side / _log_uniform(augmentation.min_size, augmentation.max_size, rng)
        else:
            x, y = rng.uniform(0, (width, height)).tolist()
            side = max(width, height) * _log_uniform(*_NEGATIVE_SIDES, rng)
        shift = rng.uniform(-_OFF_CENTER, _OFF_CENTER, 2)  # along the window's own axes
        x, y = roi_to_image(Roi(x, y, side, rotation), 0.5 + shift).tolist()
        roi = Roi(x, y, side, rotation)
    return crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, hflip)


def random_square(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Crop a random upright square of an image, uint8 (size, size, 3)."""
    height, width = image.shape[:2]
    side = min(height, width) * rng.uniform(0.4, 1.0)
    x, y = rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)
    return crop_image(image, roi_to_image_matrix(Roi(x, y, side, 0.0)), size)


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Sample a size uniformly on a logarithmic scale."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
