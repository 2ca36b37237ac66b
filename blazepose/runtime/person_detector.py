"""Where people are in a picture, so that the landmark network knows where to look."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from blazepose.anchors import CIRCLE, DEFAULT_MIN_SCORE, DETECTOR_SIZE, HIPS, decode_anchors, weighted_nms
from blazepose.geometry import (
    Roi,
    crop_image,
    letterbox_roi,
    roi_from_alignment,
    roi_to_image,
    roi_to_image_matrix,
)
from blazepose.runtime.decode import sigmoid
from blazepose.runtime.engines import DetectorEngine


class Detection(NamedTuple):
    """A person that the detector found.

    Attributes:
        score: 0..1.
        box_xyxy: (4,) around the head, in Google's weights of one size for everybody; pixels.
        points_px: (4, 2) alignment points (blazepose.anchors), pixels.
    """

    score: float
    box_xyxy: np.ndarray
    points_px: np.ndarray

    @property
    def roi(self) -> Roi:
        """Where to look for the person's landmarks."""
        return roi_from_alignment(self.points_px[HIPS], self.points_px[CIRCLE])


class PersonDetector:
    """Finds people in whole pictures.

    Args:
        engine: runs the network, as DetectorEngine.
        min_score: from which an answer counts, 0..1.
        sure_from: score from which answers are as they were without those below; None is min_score.
    """

    def __init__(
        self,
        engine: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        min_score: float = DEFAULT_MIN_SCORE,
        sure_from: float | None = None,
    ) -> None:
        self._engine = engine
        self._min_score = min_score
        self._sure_from = min_score if sure_from is None else sure_from

    @classmethod
    def load(
        cls, path: Path, min_score: float = DEFAULT_MIN_SCORE, num_threads: int | None = None
    ) -> "PersonDetector":
        """The detector of a `.task`, `.tflite` or `.onnx` file; raises as DetectorEngine."""
        return cls(DetectorEngine(path, num_threads), min_score)

    def __call__(self, image: np.ndarray) -> list[Detection]:
        """The people in a picture, best first.

        Args:
            image: uint8 RGB (height, width, 3).

        Raises:
            ValueError: if the network returns NaN.
        """
        square = letterbox_roi(*image.shape[1::-1])
        seen = crop_image(image, roi_to_image_matrix(square), DETECTOR_SIZE, cv2.BORDER_CONSTANT)
        coordinates, logits = self._engine(seen[None])
        if not (np.isfinite(coordinates).all() and np.isfinite(logits).all()):
            raise ValueError("the detector returns NaN or infinity; name other weights")
        found = decode_anchors(coordinates[0], sigmoid(logits[0, :, 0]), DETECTOR_SIZE, self._min_score)
        merged = weighted_nms(found, sure_from=self._sure_from)
        boxes = roi_to_image(square, merged.boxes_xyxy.reshape(-1, 2, 2)).reshape(-1, 4)
        points = roi_to_image(square, merged.points)
        return [Detection(float(s), b, p) for s, b, p in zip(merged.scores, boxes, points, strict=True)]
