"""Picture sheets of samples and predictions, for TensorBoard, run folders and notebooks."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from blazepose.data.annotation import HIDDEN
from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, PERSON
from blazepose.data.sample import PoseSample
from blazepose.image import write_image
from blazepose.runtime.draw import draw_pose
from blazepose.topology import NUM_LANDMARKS, ROI_CENTER, ROI_SCALE
from blazepose.training.landmark_module import LandmarkModule

_COLUMNS = 4

_MASK_COLOR = (0, 200, 0)


def sheet(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size, row by row: uint8 (rows x height, columns x width, 3)."""
    blank = np.zeros_like(pictures[0])
    padded = pictures + [blank] * (-len(pictures) % _COLUMNS)
    rows = [np.concatenate(padded[i : i + _COLUMNS], axis=1) for i in range(0, len(padded), _COLUMNS)]
    return np.concatenate(rows)


def draw_labels(sample: PoseSample) -> np.ndarray:
    """A sample with its labels.

    A red ring is around what is hidden or absent, a line leads to the scale point, the mask is tinted.
    """
    image, size = _tinted(sample["image"], sample["mask"]), sample["image"].shape[0]
    points, labelled = sample["points"][:, :2] * size, sample["labelled"]
    hollow = (sample["visibility"] == HIDDEN) | (sample["presence"] == 0)
    if labelled[ROI_SCALE]:
        center, top = (tuple(np.rint(points[i]).astype(int).tolist()) for i in (ROI_CENTER, ROI_SCALE))
        cv2.line(image, center, top, (255, 255, 255), 1, cv2.LINE_AA)
    picture = draw_pose(image, points[:NUM_LANDMARKS], labelled[:NUM_LANDMARKS])
    for x, y in points[:NUM_LANDMARKS][labelled[:NUM_LANDMARKS] & hollow]:
        cv2.circle(picture, (round(float(x)), round(float(y))), 4, (255, 0, 0), 1, cv2.LINE_AA)
    return picture


def _tinted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A copy of the picture with a third of _MASK_COLOR where the mask shows the person."""
    share = np.clip(mask.astype(np.float32) - BACKGROUND, 0, None) / (PERSON - BACKGROUND) / 3
    return np.rint(image + share[..., None] * (np.array(_MASK_COLOR) - image)).astype(np.uint8)


def draw_samples(dataset: PoseDataset, count: int, path: Path | None = None) -> np.ndarray:
    """A sheet of `count` augmented samples spread over the dataset, with labels; also as a PNG at `path`."""
    picks = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    picture = sheet([draw_labels(dataset[int(i)]) for i in picks])
    if path is not None:
        write_image(path, picture)
    return picture


def draw_module(module: LandmarkModule, images: Tensor) -> np.ndarray:
    """A sheet of what a training's network says of crops, uint8 (batch, size, size, 3)."""
    return draw_predictions(images.cpu().numpy(), module.predict_roi(images), module.learned)


def draw_predictions(images: np.ndarray, landmarks_roi: np.ndarray, learned: Sequence[bool]) -> np.ndarray:
    """Draw crops, uint8 (batch, size, size, 3), with the learned ones of (batch, 33, 2) landmarks."""
    points = landmarks_roi * images.shape[1]
    drawn = [
        draw_pose(image.copy(), one, np.array(learned)) for image, one in zip(images, points, strict=True)
    ]
    return sheet(drawn)
