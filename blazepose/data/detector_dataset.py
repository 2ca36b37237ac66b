"""Pictures of people to samples for the detector: a window that shows somebody small or large, anywhere."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from blazepose.anchors import NUM_ALIGNMENT_POINTS
from blazepose.data.align import crop_matrix
from blazepose.data.augment import change_colors
from blazepose.data.detector_sample import MAX_PEOPLE, DetectorSample
from blazepose.data.person_box import PersonBox, surrounding_box
from blazepose.data.scenes import SMALLEST, Scene
from blazepose.data.unreadable import Replacement
from blazepose.geometry import (
    Roi,
    crop_image,
    invert_affine,
    letterbox_roi,
    roi_to_image,
    roi_to_image_matrix,
    transform_points,
)
from blazepose.image import read_image
from blazepose.models.variants import InputSpec
from blazepose.ranges import require_ranges


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
        backdrop: probability that a people-free picture is around a picture that does not fill the window,
            if there are any; else black is, as at run time.
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
    backdrop: float = 0.7
    color: bool = True

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("whole", "upside_down", "mirror", "backdrop"), (0.0, 1.0))
        sizes = {"smallest": (SMALLEST, 1.0), "largest": (max(SMALLEST, self.smallest), 1.0)}
        require_ranges("detector.windows", self, {**shares, **sizes, "rotation_deg": (0.0, 180.0)})


def describe_scenes(train: "DetectorDataset", val: "DetectorDataset") -> str:
    """How many pictures and people a training sees, in a line."""
    parts = []
    for name, dataset in (("trained", train), ("validated", val)):
        people = sum(len(scene.people) for scene in dataset.scenes)
        others = sum(len(scene.others) for scene in dataset.scenes)
        parts.append(
            f"{name} on {len(dataset.scenes)} pictures, {people} people and {others} neither right nor wrong"
        )
    return "; ".join(parts) + f"; {len(train.negatives)} people-free pictures"


class DetectorDataset(Dataset[DetectorSample]):
    """Windows of pictures with everybody in them, and of people-free pictures.

    Item `epoch * len(dataset) + i` is picture i as augmented in that epoch, as in data.dataset.PoseDataset.

    Args:
        scenes: pictures of people.
        input_spec: size of the windows.
        augmentation: None for evaluation: the whole picture, and black around it.
        negatives: people-free pictures.
        seed: of the augmentation.
    """

    def __init__(
        self,
        scenes: list[Scene],
        input_spec: InputSpec,
        augmentation: DetectorAugmentation | None = None,
        negatives: list[Path] | None = None,
        seed: int = 0,
    ) -> None:
        self.scenes = scenes
        self.input_spec = input_spec
        self.augmentation = augmentation
        self.negatives = negatives or []
        self.seed = seed
        self._replacement = Replacement([*(scene.image for scene in scenes), *self.negatives])
        self._backdrops = Replacement(self.negatives)

    def __len__(self) -> int:
        return len(self.scenes) + len(self.negatives)

    def __getitem__(self, item: int) -> DetectorSample:
        """The sample. Raises ImageError in evaluation; in training an unreadable picture is replaced."""
        epoch, index = divmod(int(item), len(self))
        rng = np.random.default_rng((self.seed, epoch, index))
        if self.augmentation is None:
            return self._make(index, rng)
        return self._replacement(lambda readable: self._make(readable, rng), index)

    def _make(self, index: int, rng: np.random.Generator) -> DetectorSample:
        nobody = Scene(Path(), None, [], [], np.zeros((0, 4)))
        positive = index < len(self.scenes)
        scene = self.scenes[index] if positive else nobody
        image = read_image(scene.image if positive else self.negatives[index - len(self.scenes)], scene.size)
        matrix = self._window(image, scene, rng)
        seen = crop_image(image, matrix, self.input_spec.size, cv2.BORDER_CONSTANT)
        if self.augmentation and rng.random() < self.augmentation.backdrop and self.negatives:
            chosen = int(rng.integers(len(self.negatives)))
            backdrop = self._backdrops(lambda readable: read_image(self.negatives[readable]), chosen)
            outside = ~_inside(image, matrix, self.input_spec.size)
            seen[outside] = self._backdrop(backdrop, rng)[outside]
        if self.augmentation and self.augmentation.color:
            seen = change_colors(seen, rng)
        return _sample(seen, scene, invert_affine(matrix), index)

    def _window(self, image: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
        """Affine (2, 3) from the window to the picture."""
        height, width = image.shape[:2]
        whole, augmentation = letterbox_roi(width, height), self.augmentation
        if augmentation is None:
            return roi_to_image_matrix(whole)
        turn = math.radians(augmentation.rotation_deg)
        turn = math.pi if rng.random() < augmentation.upside_down else turn
        rotation, mirror = rng.uniform(-turn, turn), bool(rng.random() < augmentation.mirror)
        if rng.random() < augmentation.whole:
            roi = whole
        elif scene.people:
            person = scene.people[rng.integers(len(scene.people))]
            side = person.side / math.exp(
                rng.uniform(math.log(augmentation.smallest), math.log(augmentation.largest))
            )
            shift = rng.uniform(-0.4, 0.4, 2)  # along the window's own axes: the person stays inside
            around = Roi(float(person.center[0]), float(person.center[1]), side, rotation)
            x, y = roi_to_image(around, 0.5 + shift).tolist()
            roi = Roi(x, y, side, rotation)
        else:
            side = max(width, height) * rng.uniform(0.3, 1.3)
            roi = Roi(rng.uniform(0, width), rng.uniform(0, height), side, rotation)
        return crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, mirror)

    def _backdrop(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Any square of a picture, as large as the window."""
        height, width = image.shape[:2]
        side = min(height, width) * rng.uniform(0.4, 1.0)
        x, y = rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)
        return crop_image(image, roi_to_image_matrix(Roi(x, y, side, 0.0)), self.input_spec.size)


def _inside(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Which pixels of a window show the picture, bool (size, size)."""
    steps = np.arange(size) / size
    at = transform_points(matrix, np.stack(np.meshgrid(steps, steps), axis=-1))
    return np.all((at > -0.5) & (at < np.array(image.shape[1::-1]) - 0.5), axis=2)


def _sample(seen: np.ndarray, scene: Scene, to_window: np.ndarray, index: int) -> DetectorSample:
    """Labels in the window: people in it, largest first, and who is neither to be found nor to be missed."""
    scale = math.sqrt(abs(np.linalg.det(to_window[:, :2])))
    sample = DetectorSample(
        image=seen,
        boxes=np.zeros((MAX_PEOPLE, 3), np.float32),
        points=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS, 2), np.float32),
        points_labelled=np.zeros((MAX_PEOPLE, NUM_ALIGNMENT_POINTS), bool),
        people=np.zeros(MAX_PEOPLE, bool),
        ignored=np.zeros((MAX_PEOPLE, 4), np.float32),
        index=np.int64(index),
    )
    shown: list[tuple[np.ndarray, PersonBox]] = []
    ignored = list(scene.others)
    largest_first = sorted(zip(scene.people, scene.annotations, strict=True), key=lambda pair: -pair[0].side)
    for person, annotation in largest_first:
        center = transform_points(to_window, person.center)
        inside = ((center >= 0) & (center < 1)).all()
        if inside and person.side * scale >= SMALLEST and len(shown) < MAX_PEOPLE:
            shown.append((center, person))
        else:
            ignored.append(surrounding_box(annotation))
    for row, (center, person) in enumerate(shown):
        sample["boxes"][row] = *center, person.side * scale
        points = np.where(person.labelled[:, None], transform_points(to_window, person.points), 0)
        sample["points"][row], sample["points_labelled"][row] = points, person.labelled
        sample["people"][row] = True
    for row, box in enumerate(_boxes_in_window(ignored, to_window)[:MAX_PEOPLE]):
        sample["ignored"][row] = box
    return sample


def _boxes_in_window(boxes: list[np.ndarray], to_window: np.ndarray) -> list[np.ndarray]:
    """Upright boxes (4,) xyxy around turned ones, of those that reach into the window; largest first."""
    found = []
    for left, top, right, bottom in boxes:
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        corners = transform_points(to_window, corners)
        low, high = corners.min(axis=0), corners.max(axis=0)
        if (low < 1).all() and (high > 0).all():
            found.append(np.concatenate([low, high]))
    return sorted(found, key=lambda box: -float((box[2:] - box[:2]).prod()))
