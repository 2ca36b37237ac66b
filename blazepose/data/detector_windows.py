"""Windows that the detector is trained on: where they lie in a picture, and pictures behind each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from blazepose.data.align import crop_matrix
from blazepose.data.annotated_image import SMALLEST, AnnotatedImage
from blazepose.geometry import (
    Roi,
    crop_image,
    invert_affine,
    letterbox_roi,
    roi_to_image,
    roi_to_image_matrix,
    transform_points,
)
from blazepose.ranges import check_ranges

_OFF_CENTER = 0.4
"""How far from the middle of a window what it is around may be, in sides of it: still inside. Chosen."""

_EMPTY_SIDES = (0.5, 5.0)
"""Side of a window of a people-free picture, in larger sides of the picture. Source: windows around people of
lspet_train show a fifth of the picture up to five times its size; how large a picture is, and that it has
edges, must not tell that somebody is in it."""


@dataclass(frozen=True)
class DetectorAugmentation:
    """Which windows the detector is trained on.

    Attributes:
        full_image_prob: probability of the whole image, as at run time.
        min_size: smallest side of the box of the person at the window, in sides of the window.
        max_size: largest side of it; sizes between are equally likely on a logarithmic scale.
        rotation_deg: largest rotation, either way.
        any_rotation_prob: probability of a rotation by any angle.
        hflip_prob: probability of swapping left and right.
        copy_paste_prob: probability that another image, of people or negative, is before or behind it.
        background_prob: probability that a negative image fills what the image leaves free, if there are
            any; else it is black, as at run time.
        feather_prob: probability that an image fades into the one behind it; else its edges are hard.
        photometric: apply color changes, blur, noise and JPEG.

    Raises:
        ValueError: names the value that is out of range.
    """

    full_image_prob: float = 0.2
    min_size: float = 0.05
    max_size: float = 0.4
    rotation_deg: float = 30.0
    any_rotation_prob: float = 0.15
    hflip_prob: float = 0.5
    copy_paste_prob: float = 0.5
    background_prob: float = 0.7
    feather_prob: float = 0.5
    photometric: bool = True

    def __post_init__(self) -> None:
        names = (
            "full_image_prob",
            "any_rotation_prob",
            "hflip_prob",
            "copy_paste_prob",
            "background_prob",
            "feather_prob",
        )
        shares = dict.fromkeys(names, (0.0, 1.0))
        sizes = {"min_size": (SMALLEST, 1.0), "max_size": (max(SMALLEST, self.min_size), 1.0)}
        check_ranges("detector.windows", self, {**shares, **sizes, "rotation_deg": (0.0, 180.0)})


class Layer(NamedTuple):
    """A picture in a window.

    Attributes:
        scene: who is in the picture.
        to_window: affine (2, 3) from its pixels to 0..1 of the window.
        seen: uint8 (size, size, 3).
        cover: float32 (size, size), how much it hides of what is behind it, 0..1.
    """

    scene: AnnotatedImage
    to_window: np.ndarray
    seen: np.ndarray
    cover: np.ndarray


def make_layer(
    image: np.ndarray,
    scene: AnnotatedImage,
    window: np.ndarray,
    size: int,
    soft: float = 0.0,
    border: int = cv2.BORDER_REPLICATE,
) -> Layer:
    """A picture in a window.

    Args:
        image: uint8 RGB.
        scene: who is in it.
        window: affine (2, 3) from the window to the picture.
        size: of the window, pixels.
        soft: width of the edge along which it fades, in smaller sides of the picture.
        border: OpenCV border mode for what lies outside the picture.
    """
    height, width = image.shape[:2]
    steps = np.arange(size) / size
    x, y = np.moveaxis(transform_points(window, np.stack(np.meshgrid(steps, steps), axis=-1)), -1, 0)
    to_edge = np.minimum(np.minimum(x + 0.5, width - 0.5 - x), np.minimum(y + 0.5, height - 0.5 - y))
    cover = (to_edge / (soft * min(height, width))).clip(0, 1) if soft else to_edge > 0
    seen = crop_image(image, window, size, border)
    return Layer(scene, invert_affine(window), seen, cover.astype(np.float32))


def composite(layers: Sequence[Layer], backdrop: np.ndarray) -> np.ndarray:
    """Pictures behind each other, uint8 (size, size, 3).

    Args:
        layers: the first one in front.
        backdrop: uint8, behind them all.
    """
    seen = backdrop.astype(np.float32)
    for layer in reversed(layers):
        cover = layer.cover[..., None]
        seen = cover * layer.seen + (1 - cover) * seen
    return np.rint(seen).astype(np.uint8)


def full_image_crop(image: np.ndarray) -> np.ndarray:
    """Affine (2, 3) to a picture from the window that shows all of it, as at run time."""
    height, width = image.shape[:2]
    return roi_to_image_matrix(letterbox_roi(width, height))


def choose_window(
    image: np.ndarray, scene: AnnotatedImage, augmentation: DetectorAugmentation, rng: np.random.Generator
) -> np.ndarray:
    """Affine (2, 3) from a window to the picture: around somebody, anywhere in it if nobody is there."""
    height, width = image.shape[:2]
    turn = math.radians(augmentation.rotation_deg)
    turn = math.pi if rng.random() < augmentation.any_rotation_prob else turn
    rotation, mirror = rng.uniform(-turn, turn), bool(rng.random() < augmentation.hflip_prob)
    if rng.random() < augmentation.full_image_prob:
        roi = letterbox_roi(width, height)
    else:
        if scene.people:
            person = scene.people[rng.integers(len(scene.people))]
            (x, y), size = person.center.tolist(), _between(augmentation.min_size, augmentation.max_size, rng)
            side = person.side / size
        else:
            x, y = rng.uniform(0, (width, height)).tolist()
            side = max(width, height) * _between(*_EMPTY_SIDES, rng)
        shift = rng.uniform(-_OFF_CENTER, _OFF_CENTER, 2)  # along the window's own axes
        x, y = roi_to_image(Roi(x, y, side, rotation), 0.5 + shift).tolist()
        roi = Roi(x, y, side, rotation)
    return crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, mirror)


def any_square(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Any upright square of a picture, uint8 (size, size, 3)."""
    height, width = image.shape[:2]
    side = min(height, width) * rng.uniform(0.4, 1.0)
    x, y = rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)
    return crop_image(image, roi_to_image_matrix(Roi(x, y, side, 0.0)), size)


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    """A size; on a logarithmic scale all are equally likely."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
