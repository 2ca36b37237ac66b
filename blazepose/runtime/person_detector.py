"""Person detection in an image, which gives the landmark network its ROIs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np

from blazepose.anchors import (
    ALIGNMENT_POINTS,
    DEFAULT_MIN_SCORE,
    AnchorLayout,
    decode_anchors,
    roi_points,
    weighted_nms,
)
from blazepose.exceptions import InputError
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
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class Detection(NamedTuple):
    """A detected person.

    Attributes:
        score: 0..1.
        box_xyxy: (4,) box around the head, of constant size in Google's weights; pixels.
        points_px: (4, 2) alignment points (blazepose.anchors), pixels.
    """

    score: float
    box_xyxy: np.ndarray
    points_px: np.ndarray

    def roi_for(self, topology: Topology = FULL_BODY) -> Roi:
        """Return the ROI for a landmark network of this topology."""
        center, scale = roi_points(topology)
        return roi_from_alignment(self.points_px[center], self.points_px[scale], topology.roi.expansion)


@runtime_checkable
class DetectionEngine(Protocol):
    """Runner of a detector.

    Attributes:
        anchors: input size and anchors of the network.
        metadata: metadata of the weights; empty for foreign ones.
    """

    anchors: AnchorLayout
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run uint8 RGB images (batch, size, size, 3): boxes (batch, anchors, 12), logits (..., 1)."""
        ...


class PersonDetector:
    """Pose detector that runs on whole images.

    Args:
        engine: runs the network, such as `DetectorEngine`.
        min_score: lowest score of a detection, 0..1.
        confident_score: score from which detections do not depend on those below; None is min_score.
    """

    def __init__(
        self,
        engine: DetectionEngine,
        min_score: float = DEFAULT_MIN_SCORE,
        confident_score: float | None = None,
    ) -> None:
        self._engine = engine
        self._min_score = min_score
        self._confident_score = min_score if confident_score is None else confident_score

    @classmethod
    def load(
        cls, path: Path, min_score: float = DEFAULT_MIN_SCORE, num_threads: int | None = None
    ) -> "PersonDetector":
        """Load the detector of a `.task`, `.tflite` or `.onnx` file; raises as `DetectorEngine`."""
        return cls(DetectorEngine(path, num_threads), min_score)

    def check_points(self, topology: Topology) -> None:
        """Check that the detector has learned the points that place the ROI of a topology.

        Raises:
            ValueError: if it has not; the message names the points.
        """
        trained = self._engine.metadata.get("trained", {}).get("points", ALIGNMENT_POINTS)
        if missing := [point for point in topology.roi.detector_points if point not in trained]:
            raise InputError(
                f"the detector has not learned the point {' and '.join(missing)}, which places the crop of a "
                f"landmark network of topology {topology.name}; choose another detector, such as Google's"
            )

    def __call__(self, image: np.ndarray) -> list[Detection]:
        """Detect the people in an image, best first.

        Args:
            image: uint8 RGB (height, width, 3).

        Raises:
            ValueError: if the network outputs NaN or infinity.
        """
        anchors, square = self._engine.anchors, letterbox_roi(*image.shape[1::-1])
        crop = crop_image(image, roi_to_image_matrix(square), anchors.size, cv2.BORDER_CONSTANT)
        coordinates, logits = self._engine(crop[None])
        if not (np.isfinite(coordinates).all() and np.isfinite(logits).all()):
            raise InputError("the detector outputs NaN or infinity; choose other weights")
        detections = decode_anchors(coordinates[0], sigmoid(logits[0, :, 0]), anchors, self._min_score)
        merged = weighted_nms(detections, anchors.nms_iou, self._confident_score)
        boxes = roi_to_image(square, merged.boxes_xyxy.reshape(-1, 2, 2)).reshape(-1, 4)
        points = roi_to_image(square, merged.points)
        return [Detection(float(s), b, p) for s, b, p in zip(merged.scores, boxes, points, strict=True)]
