"""Image sheets of the detector's samples and predictions."""

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from blazepose.anchors import CIRCLE, DEFAULT_MIN_SCORE, HIPS, SHOULDERS, UPPER_CIRCLE, Detections
from blazepose.data.detector_dataset import DetectorDataset
from blazepose.data.detector_sample import DetectorSample
from blazepose.geometry import roi_from_alignment, roi_to_image
from blazepose.image import write_image
from blazepose.runtime.draw import LEFT_COLOR, MIDDLE_COLOR, RIGHT_COLOR, Color
from blazepose.training.detector_module import DetectorModule
from blazepose.training.sample_images import sheet

_IGNORED: Color = (150, 150, 150)
_ENLARGED = 2
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def draw_person(
    canvas: np.ndarray, box_xyxy: np.ndarray, points: np.ndarray, labelled: np.ndarray, color: Color
) -> None:
    """Draw a person's box, the ROI, and lines from hips and shoulders to the points on their circles.

    Args:
        canvas: uint8 RGB (size, size, 3), modified.
        box_xyxy: (4,) in 0..1 of the canvas.
        points: (4, 2) in 0..1 of the canvas.
        labelled: (4,) bool.
        color: color of the box.
    """
    size = canvas.shape[0]
    _polygon(canvas, box_xyxy[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2) * size, color)
    for base, top in ((HIPS, CIRCLE), (SHOULDERS, UPPER_CIRCLE)):
        if labelled[[base, top]].all():
            _polygon(canvas, points[[base, top]] * size, MIDDLE_COLOR)
    if labelled[[HIPS, CIRCLE]].all():
        roi = roi_from_alignment(points[HIPS] * size, points[CIRCLE] * size)
        _polygon(canvas, roi_to_image(roi, _CORNERS), RIGHT_COLOR)


def _polygon(canvas: np.ndarray, points_px: np.ndarray, color: Color) -> None:
    # OpenCV computes in 32 bits: clipping keeps points far outside from wrapping around.
    corners = np.rint(points_px.clip(-1e4, 1e4)).astype(np.int32)
    cv2.polylines(canvas, [corners], True, color, 1, cv2.LINE_AA)


def draw_detector_samples(dataset: DetectorDataset, count: int, path: Path) -> np.ndarray:
    """Draw a sheet of `count` augmented samples spread over the dataset, with labels; save it at `path`."""
    indices = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    image = sheet([_draw_labels(dataset[int(i)]) for i in indices])
    write_image(path, image)
    return image


def _draw_labels(sample: DetectorSample) -> np.ndarray:
    canvas = _enlarged(sample["image"])
    for box in sample["ignored"]:
        if box[2] > box[0]:
            draw_person(canvas, box, np.zeros((4, 2)), np.zeros(4, bool), _IGNORED)
    for row in np.flatnonzero(sample["people"]):
        x, y, side = sample["boxes"][row]
        box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
        draw_person(canvas, box, sample["points"][row], sample["points_labelled"][row], LEFT_COLOR)
    return canvas


def draw_detector_predictions(module: DetectorModule, images: Tensor) -> np.ndarray:
    """Draw a sheet of the people that the network detects in images, uint8 (batch, size, size, 3)."""
    pairs = zip(images.cpu().numpy(), module.detect(images), strict=True)
    return sheet([draw_detections(image, detections) for image, detections in pairs])


def draw_detections(image: np.ndarray, detections: Detections) -> np.ndarray:
    """Draw detections on an enlarged copy of an image."""
    canvas = _enlarged(image)
    for score, box, points in zip(*detections, strict=True):
        if score >= DEFAULT_MIN_SCORE:
            draw_person(canvas, box, points, np.ones(4, bool), LEFT_COLOR)
    return canvas


def _enlarged(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_LINEAR)
