"""Dataset of the detector: windows that show people small or large, anywhere."""

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from blazepose.anchors import NUM_ALIGNMENT_POINTS
from blazepose.config.detector import DetectorAugmentation
from blazepose.data.annotated_image import MIN_BOX_SIDE, AnnotatedImage
from blazepose.data.augment import distort_photometric
from blazepose.data.detector_sample import MAX_PEOPLE, DetectorSample
from blazepose.data.detector_windows import (
    Layer,
    choose_window,
    composite,
    full_image_crop,
    make_layer,
    random_square,
)
from blazepose.data.epoch_dataset import EpochDataset
from blazepose.data.person_box import PersonBox, surrounding_box
from blazepose.data.skip_unreadable import SkipUnreadable
from blazepose.geometry import transform_points
from blazepose.image import read_image
from blazepose.input_spec import InputSpec

_COVERED = 0.3
"""Share of a person's box covered by another image from which the person is ignored. Chosen."""

_IN_FRONT = 0.5
"""Share of pasted images in front, if they cover no person: they hide legs and hips as tables do. Chosen."""

_MAX_FEATHER = 0.12
"""Widest feathered edge, in smaller sides of an image. Chosen: people of LSP nearly fill their images."""

_NO_PEOPLE = AnnotatedImage(Path(), None, [], [], np.zeros((0, 4)))


def describe_images(train: "DetectorDataset", val: "DetectorDataset") -> str:
    """Describe the numbers of images and people in a line."""
    parts = []
    for name, dataset in (("trained", train), ("validated", val)):
        people = sum(len(image.people) for image in dataset.images)
        ignored = sum(len(image.ignored_boxes) for image in dataset.images)
        parts.append(
            f"{name} on {len(dataset.images)} images with {people} people and {ignored} ignored boxes"
        )
    return "; ".join(parts) + f"; {len(train.negatives)} negative images"


class DetectorDataset(EpochDataset[DetectorSample, DetectorAugmentation]):
    """Windows of images with all their people, and of negative images.

    Args:
        images: images of people.
        input_spec: input size of the network.
        augmentation: None for evaluation: the whole image, letterboxed with black.
        negatives: images without people.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        images: list[AnnotatedImage],
        input_spec: InputSpec,
        augmentation: DetectorAugmentation | None = None,
        negatives: list[Path] | None = None,
        seed: int = 0,
    ) -> None:
        self.images = images
        super().__init__([entry.image for entry in images], input_spec, augmentation, negatives, seed)
        self._skip_unreadable_negatives = SkipUnreadable(self.negatives)

    def _make(self, index: int, rng: np.random.Generator) -> DetectorSample:
        layer, augmentation, size = self._layer(index, rng), self.augmentation, self.input_spec.size
        if augmentation is None:
            return _sample(layer.pixels, [layer], index)
        layers = [layer]
        if rng.random() < augmentation.copy_paste_prob:
            other = int(rng.integers(len(self)))
            pasted = self._skip_unreadable(lambda valid: self._layer(valid, rng), other)
            layers.insert(0 if rng.random() < _IN_FRONT and not _hides(pasted, layer) else 1, pasted)
        background = np.zeros((size, size, 3), np.uint8)
        if rng.random() < augmentation.background_prob and self.negatives:
            chosen = int(rng.integers(len(self.negatives)))
            image = self._skip_unreadable_negatives(lambda valid: read_image(self.negatives[valid]), chosen)
            background = random_square(image, size, rng)
        pixels = composite(layers, background)
        if augmentation.photometric:
            pixels = distort_photometric(pixels, rng)
        return _sample(pixels, layers, index)

    def _layer(self, index: int, rng: np.random.Generator) -> Layer:
        """Place an image in a sampled window."""
        positive, augmentation = index < len(self.images), self.augmentation
        annotated = self.images[index] if positive else _NO_PEOPLE
        path = annotated.image if positive else self.negatives[index - len(self.images)]
        image = read_image(path, annotated.size)
        if augmentation is None:
            window, black = full_image_crop(image), cv2.BORDER_CONSTANT
            return make_layer(image, annotated, window, self.input_spec.size, border=black)
        window = choose_window(image, annotated, augmentation, rng)
        feather = rng.uniform(0, _MAX_FEATHER) if rng.random() < augmentation.feather_prob else 0.0
        return make_layer(image, annotated, window, self.input_spec.size, feather)


def _sample(pixels: np.ndarray, layers: list[Layer], index: int) -> DetectorSample:
    """Label the window: the people in it, largest first, and the boxes to ignore."""
    sample = DetectorSample(
        image=pixels,
        boxes=np.zeros((MAX_PEOPLE, 3), np.float32),
        points=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS, 2), np.float32),
        points_labelled=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS), bool),
        people=np.zeros(MAX_PEOPLE, bool),
        ignored=np.zeros((MAX_PEOPLE, 4), np.float32),
        index=np.int64(index),
    )
    visible: list[tuple[PersonBox, np.ndarray]] = []
    ignored: list[np.ndarray] = []
    covered = np.zeros(pixels.shape[:2], np.float32)
    for layer in layers:
        annotated, to_window = layer.annotated, layer.to_window
        ignored += [_box_in_window(box, to_window) for box in annotated.ignored_boxes]
        for person, annotation in zip(annotated.people, annotated.annotations, strict=True):
            moved = _person_in_window(person, to_window)
            pair = moved, _box_in_window(surrounding_box(annotation), to_window)
            if _is_visible(moved, covered):
                visible.append(pair)
            else:
                ignored.append(pair[1])
        covered = np.maximum(covered, layer.alpha)
    visible.sort(key=lambda pair: -pair[0].side)
    ignored += [box for _, box in visible[MAX_PEOPLE:]]
    for row, (person, _) in enumerate(visible[:MAX_PEOPLE]):
        sample["boxes"][row] = *person.center, person.side
        sample["points"][row], sample["points_labelled"][row] = person.points, person.labelled
        sample["people"][row] = True
    for row, box in enumerate(_largest(ignored)[:MAX_PEOPLE]):
        sample["ignored"][row] = box
    return sample


def _hides(front: Layer, behind: Layer) -> bool:
    """Return whether the front layer covers a person that is visible in the layer behind without it."""
    uncovered = np.zeros_like(front.alpha)
    people = [_person_in_window(person, behind.to_window) for person in behind.annotated.people]
    return any(_is_visible(person, uncovered) and not _is_visible(person, front.alpha) for person in people)


def _person_in_window(person: PersonBox, to_window: np.ndarray) -> PersonBox:
    return PersonBox(
        center=transform_points(to_window, person.center),
        side=person.side * math.sqrt(abs(np.linalg.det(to_window[:, :2]))),
        points=np.where(person.labelled[:, None], transform_points(to_window, person.points), 0),
        labelled=person.labelled,
    )


def _is_visible(person: PersonBox, covered: np.ndarray) -> bool:
    """Return whether the center of the box is in the window, and the box large enough and uncovered."""
    if person.side < MIN_BOX_SIDE or not ((person.center >= 0) & (person.center < 1)).all():
        return False
    size = len(covered)
    left, top = np.floor((person.center - person.side / 2).clip(0) * size).astype(int)
    right, bottom = np.ceil((person.center + person.side / 2) * size).astype(int)
    return bool(covered[top:bottom, left:right].mean() <= _COVERED)


def _box_in_window(box_xyxy: np.ndarray, to_window: np.ndarray) -> np.ndarray:
    """Return the upright box (4,) xyxy around a box transformed to the window."""
    left, top, right, bottom = box_xyxy
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    corners = transform_points(to_window, corners)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _largest(boxes: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Return the boxes that reach into the window, largest first."""
    inside = [box for box in boxes if (box[:2] < 1).all() and (box[2:] > 0).all()]
    return sorted(inside, key=lambda box: -float((box[2:] - box[:2]).prod()))
