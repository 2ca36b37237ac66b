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
        whole: probability of the whole picture, as it is seen at run time.
        smallest: side of the box of the person that a window is around, in sides of the window.
        largest: of the same; sizes between are equally likely on a logarithmic scale.
        rotation_deg: largest rotation, either way.
        upside_down: probability of any rotation.
        mirror: probability.
        company: probability that another picture, of people or people-free, is before or behind it.
        backdrop: probability that a people-free picture is around what does not fill the window, if there
            are any; else black is, as at run time.
        soft_edges: probability that a picture fades into what is behind it; else its edges are hard.
        color: apply colour, blur, noise and JPEG.

    Raises:
        ValueError: names the value that is out of range.
    """

    whole: float = 0.2
    smallest: float = 0.05
    largest: float = 0.4
    rotation_deg: float = 30.0
    upside_down: float = 0.15
    mirror: float = 0.5
    company: float = 0.5
    backdrop: float = 0.7
    soft_edges: float = 0.5
    color: bool = True

    def __post_init__(self) -> None:
        names = ("whole", "upside_down", "mirror", "company", "backdrop", "soft_edges")
        shares = dict.fromkeys(names, (0.0, 1.0))
        sizes = {"smallest": (SMALLEST, 1.0), "largest": (max(SMALLEST, self.smallest), 1.0)}
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
    turn = math.pi if rng.random() < augmentation.upside_down else turn
    rotation, mirror = rng.uniform(-turn, turn), bool(rng.random() < augmentation.mirror)
    if rng.random() < augmentation.whole:
        roi = letterbox_roi(width, height)
    else:
        if scene.people:
            person = scene.people[rng.integers(len(scene.people))]
            (x, y), size = person.center.tolist(), _between(augmentation.smallest, augmentation.largest, rng)
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
