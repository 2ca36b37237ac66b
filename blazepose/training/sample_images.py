"""Image sheets of samples and predictions, for TensorBoard, run folders and notebooks."""

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
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology
from blazepose.training.landmark_module import LandmarkModule

_COLUMNS = 4

_MASK_COLOR = (0, 200, 0)


def sheet(images: list[np.ndarray]) -> np.ndarray:
    """Arrange images of one size in rows: uint8 (rows x height, columns x width, 3)."""
    blank = np.zeros_like(images[0])
    padded = images + [blank] * (-len(images) % _COLUMNS)
    rows = [np.concatenate(padded[i : i + _COLUMNS], axis=1) for i in range(0, len(padded), _COLUMNS)]
    return np.concatenate(rows)


def draw_labels(sample: PoseSample, topology: Topology = FULL_BODY) -> np.ndarray:
    """Draw a sample with its labels.

    Hidden and absent points have a red ring, a line leads to the scale point, the mask is tinted.
    """
    image, size = _tinted(sample["image"], sample["mask"]), sample["image"].shape[0]
    points, labelled = sample["points"][:, :2] * size, sample["labelled"]
    hollow = (sample["visibility"] == HIDDEN) | (sample["presence"] == 0)
    if labelled[topology.roi_scale]:
        alignment = points[[topology.roi_center, topology.roi_scale]]
        center, top = (tuple(np.rint(point).astype(int).tolist()) for point in alignment)
        cv2.line(image, center, top, (255, 255, 255), 1, cv2.LINE_AA)
    landmarks, labelled = points[: topology.num_landmarks], labelled[: topology.num_landmarks]
    drawn = draw_pose(image, landmarks, labelled, topology=topology)
    for x, y in landmarks[labelled & hollow]:
        cv2.circle(drawn, (round(float(x)), round(float(y))), 4, (255, 0, 0), 1, cv2.LINE_AA)
    return drawn


def _tinted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a copy of the image, tinted by a third of _MASK_COLOR where the mask shows the person."""
    alpha = np.clip(mask.astype(np.float32) - BACKGROUND, 0, None) / (PERSON - BACKGROUND) / 3
    return np.rint(image + alpha[..., None] * (np.array(_MASK_COLOR) - image)).astype(np.uint8)


def draw_samples(dataset: PoseDataset, count: int, path: Path | None = None) -> np.ndarray:
    """Draw a sheet of `count` augmented samples spread over the dataset, with labels; save it at `path`."""
    indices = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    image = sheet([draw_labels(dataset[int(i)], dataset.topology) for i in indices])
    if path is not None:
        write_image(path, image)
    return image


def draw_landmark_predictions(module: LandmarkModule, images: Tensor) -> np.ndarray:
    """Draw a sheet of the landmarks that the network predicts on crops, uint8 (batch, size, size, 3)."""
    points = module.predict_roi(images) * images.shape[1]
    shown, topology = module.supervised_landmarks, module.net.topology
    pairs = zip(images.cpu().numpy(), points, strict=True)
    return sheet([draw_pose(image.copy(), landmarks, shown, topology=topology) for image, landmarks in pairs])
