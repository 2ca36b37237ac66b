"""Pictures of people to samples for the detector: a window that shows somebody small or large, anywhere."""

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from blazepose.anchors import NUM_ALIGNMENT_POINTS
from blazepose.data.annotated_image import SMALLEST, AnnotatedImage
from blazepose.data.augment import distort_photometric
from blazepose.data.detector_sample import MAX_PEOPLE, DetectorSample
from blazepose.data.detector_windows import (
    DetectorAugmentation,
    Layer,
    any_square,
    choose_window,
    composite,
    full_image_crop,
    make_layer,
)
from blazepose.data.person_box import PersonBox, surrounding_box
from blazepose.data.skip_unreadable import SkipUnreadable
from blazepose.geometry import transform_points
from blazepose.image import read_image
from blazepose.models.variants import InputSpec

_COVERED = 0.3
"""Share of a person's box under another picture from which nobody can be asked to see the person. Chosen."""

_IN_FRONT = 0.5
"""Share of the company in front, if nobody is lost by it: it hides legs and hips as tables do. Chosen."""

_SOFTEST = 0.12
"""Widest soft edge, in smaller sides of a picture. Chosen: people of LSP nearly fill their pictures."""

_NOBODY = AnnotatedImage(Path(), None, [], [], np.zeros((0, 4)))


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


class DetectorDataset(Dataset[DetectorSample]):
    """Windows of pictures with everybody in them, and of people-free pictures.

    Item `epoch * len(dataset) + i` is picture i as augmented in that epoch, as in data.dataset.PoseDataset.

    Args:
        images: images of people.
        input_spec: size of the windows.
        augmentation: None for evaluation: the whole picture, and black around it.
        negatives: people-free pictures.
        seed: of the augmentation.
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
        self.input_spec = input_spec
        self.augmentation = augmentation
        self.negatives = negatives or []
        self.seed = seed
        self._replacement = SkipUnreadable([*(scene.image for scene in images), *self.negatives])
        self._backdrops = SkipUnreadable(self.negatives)

    def __len__(self) -> int:
        return len(self.images) + len(self.negatives)

    def __getitem__(self, item: int) -> DetectorSample:
        """The sample. Raises ImageError in evaluation; in training an unreadable picture is replaced."""
        epoch, index = divmod(int(item), len(self))
        rng = np.random.default_rng((self.seed, epoch, index))
        if self.augmentation is None:
            return self._make(index, rng)
        return self._replacement(lambda readable: self._make(readable, rng), index)

    def _make(self, index: int, rng: np.random.Generator) -> DetectorSample:
        layer, augmentation, size = self._layer(index, rng), self.augmentation, self.input_spec.size
        if augmentation is None:
            return _sample(layer.seen, [layer], index)
        layers = [layer]
        if rng.random() < augmentation.copy_paste_prob:
            other = int(rng.integers(len(self)))
            company = self._replacement(lambda readable: self._layer(readable, rng), other)
            layers.insert(0 if rng.random() < _IN_FRONT and not _hides(company, layer) else 1, company)
        behind = np.zeros((size, size, 3), np.uint8)
        if rng.random() < augmentation.background_prob and self.negatives:
            chosen = int(rng.integers(len(self.negatives)))
            image = self._backdrops(lambda readable: read_image(self.negatives[readable]), chosen)
            behind = any_square(image, size, rng)
        seen = composite(layers, behind)
        return _sample(distort_photometric(seen, rng) if augmentation.photometric else seen, layers, index)

    def _layer(self, index: int, rng: np.random.Generator) -> Layer:
        """A picture in a window of its own."""
        positive, augmentation = index < len(self.images), self.augmentation
        scene = self.images[index] if positive else _NOBODY
        image = read_image(scene.image if positive else self.negatives[index - len(self.images)], scene.size)
        if augmentation is None:
            window, black = full_image_crop(image), cv2.BORDER_CONSTANT
            return make_layer(image, scene, window, self.input_spec.size, border=black)
        window = choose_window(image, scene, augmentation, rng)
        soft = rng.uniform(0, _SOFTEST) if rng.random() < augmentation.feather_prob else 0.0
        return make_layer(image, scene, window, self.input_spec.size, soft)


def _sample(seen: np.ndarray, layers: list[Layer], index: int) -> DetectorSample:
    """Labels in the window: people in it, largest first, and who is neither to be found nor to be missed."""
    sample = DetectorSample(
        image=seen,
        boxes=np.zeros((MAX_PEOPLE, 3), np.float32),
        points=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS, 2), np.float32),
        points_labelled=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS), bool),
        people=np.zeros(MAX_PEOPLE, bool),
        ignored=np.zeros((MAX_PEOPLE, 4), np.float32),
        index=np.int64(index),
    )
    shown: list[tuple[PersonBox, np.ndarray]] = []
    ignored: list[np.ndarray] = []
    covered = np.zeros(seen.shape[:2], np.float32)
    for layer in layers:
        scene, to_window = layer.scene, layer.to_window
        ignored += [_box_in_window(box, to_window) for box in scene.ignored_boxes]
        for person, annotation in zip(scene.people, scene.annotations, strict=True):
            moved = _person_in_window(person, to_window)
            pair = moved, _box_in_window(surrounding_box(annotation), to_window)
            if _visible(moved, covered):
                shown.append(pair)
            else:
                ignored.append(pair[1])
        covered = np.maximum(covered, layer.cover)
    shown.sort(key=lambda pair: -pair[0].side)
    ignored += [box for _, box in shown[MAX_PEOPLE:]]
    for row, (person, _) in enumerate(shown[:MAX_PEOPLE]):
        sample["boxes"][row] = *person.center, person.side
        sample["points"][row], sample["points_labelled"][row] = person.points, person.labelled
        sample["people"][row] = True
    for row, box in enumerate(_largest(ignored)[:MAX_PEOPLE]):
        sample["ignored"][row] = box
    return sample


def _hides(front: Layer, behind: Layer) -> bool:
    """Of the people of a picture, it hides somebody who could be seen without."""
    free = np.zeros_like(front.cover)
    people = [_person_in_window(person, behind.to_window) for person in behind.scene.people]
    return any(_visible(person, free) and not _visible(person, front.cover) for person in people)


def _person_in_window(person: PersonBox, to_window: np.ndarray) -> PersonBox:
    return PersonBox(
        center=transform_points(to_window, person.center),
        side=person.side * math.sqrt(abs(np.linalg.det(to_window[:, :2]))),
        points=np.where(person.labelled[:, None], transform_points(to_window, person.points), 0),
        labelled=person.labelled,
    )


def _visible(person: PersonBox, covered: np.ndarray) -> bool:
    """Somebody with the middle of the box in the window, large enough, and not under other pictures."""
    if person.side < SMALLEST or not ((person.center >= 0) & (person.center < 1)).all():
        return False
    size = len(covered)
    left, top = np.floor((person.center - person.side / 2).clip(0) * size).astype(int)
    right, bottom = np.ceil((person.center + person.side / 2) * size).astype(int)
    return bool(covered[top:bottom, left:right].mean() <= _COVERED)


def _box_in_window(box_xyxy: np.ndarray, to_window: np.ndarray) -> np.ndarray:
    """Upright box (4,) xyxy around a turned one."""
    left, top, right, bottom = box_xyxy
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    corners = transform_points(to_window, corners)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _largest(boxes: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Those that reach into the window, largest first."""
    inside = [box for box in boxes if (box[:2] < 1).all() and (box[2:] > 0).all()]
    return sorted(inside, key=lambda box: -float((box[2:] - box[:2]).prod()))
