"""Painted people: red, blue and green at the detector's labels, to check that labels follow the pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from blazepose.anchors import HIPS
from blazepose.config.detector import DetectorAugmentation
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.annotation import Annotation
from blazepose.data.detector_dataset import DetectorDataset
from blazepose.data.detector_sample import DetectorSample
from blazepose.data.person_box import person_box
from blazepose.input_spec import DETECTOR_INPUT
from tests.data.test_align import STANDING, person

STILL = DetectorAugmentation(
    full_image_prob=1.0,
    rotation_deg=0.0,
    any_rotation_prob=0.0,
    hflip_prob=0.0,
    copy_paste_prob=0.0,
    background_prob=0.0,
    feather_prob=0.0,
    photometric=False,
)
AROUND = replace(STILL, full_image_prob=0.0, min_size=0.1, max_size=0.3)
RED, GREEN, BLUE, MAGENTA = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)


def painted_person(image: Path, x: float, y: float, scale: float = 1.0, **labels) -> Annotation:
    """Move STANDING so that its mid-hip is at (x, y): torso 40 long, box side 50.75, its middle 47.25 up."""
    points = {name: (x + scale * (a - 100), y + scale * (b - 100)) for name, (a, b) in STANDING.items()}
    return replace(person(points), image=image, **labels)


def paint(image: np.ndarray, annotation: Annotation, color: tuple[int, int, int]) -> None:
    """Paint a square at the middle of the box, and a green one at the hips."""
    box = person_box(annotation)
    for point, ink in ((box.center, color), (box.points[HIPS], GREEN)):
        x, y = np.rint(point).astype(int)
        image[y - 6 : y + 7, x - 6 : x + 7] = ink


def dataset(
    images: list[AnnotatedImage], augmentation: DetectorAugmentation | None, **options
) -> DetectorDataset:
    return DetectorDataset(images, DETECTOR_INPUT, augmentation, **options)


def pixel(sample: DetectorSample, point: np.ndarray) -> np.ndarray:
    x, y = np.rint(point * 224).astype(int)
    return sample["image"][y, x].astype(int)


def shows(sample: DetectorSample, color: tuple[int, int, int]) -> bool:
    """Return whether the whole square of this color is in the window."""
    similar = np.abs(sample["image"].astype(int) - color).max(axis=2) < 60
    return bool(similar.any() and not (similar[[0, -1]].any() or similar[:, [0, -1]].any()))
