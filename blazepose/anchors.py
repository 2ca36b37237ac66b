"""The detector's anchors, the decoding of its outputs, and weighted non-maximum suppression.

Source: docs/reference/mediapipe.md section 1.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

DETECTOR_SIZE = 224
"""Side of the detector's input, pixels."""

FEATURE_MAP_SIZES = (28, 14, 7)
"""Cells along a side of the fine, the middle and the coarse level."""

ANCHORS_PER_CELL = (2, 2, 6)
"""Anchors per cell of these levels, all at the cell's center: three layers of one stride share the coarse
level."""

ALIGNMENT_POINTS = ("hips", "circle", "shoulders", "upper_circle")
NUM_ALIGNMENT_POINTS = len(ALIGNMENT_POINTS)
HIPS, CIRCLE, SHOULDERS, UPPER_CIRCLE = range(NUM_ALIGNMENT_POINTS)
"""Mid-hip; a point on the circle around it that encloses the person, on the head's side; mid-shoulder; a
point on the circle around that, which encloses the upper body. The first two make the ROI."""

NUM_COORDINATES = 4 + 2 * NUM_ALIGNMENT_POINTS
"""Outputs per anchor: center and size of the face box, then x and y of the alignment points, input pixels."""

DEFAULT_MIN_SCORE = 0.5
"""Default lowest score of a detection. Source: MediaPipe's min_detection_confidence."""

NMS_IOU = 0.5
"""IoU of two face boxes above which they are one person. Source: docs/reference/mediapipe.md section 1."""

_MIN_WEIGHT = 1e-9
"""Lowest weight of a detection in a mean: a score may be zero, the sum of some must not."""


class Detections(NamedTuple):
    """Detected people, best first; coordinates in 0..1 of its input.

    Attributes:
        scores: (people,) 0..1.
        boxes_xyxy: (people, 4) face boxes.
        points: (people, 4, 2) alignment points.
    """

    scores: np.ndarray
    boxes_xyxy: np.ndarray
    points: np.ndarray


@cache
def anchor_centers() -> np.ndarray:
    """Return centers in 0..1 of the image, (2254, 2), in the order level, row, column, anchor of the cell."""
    levels = []
    for side, count in zip(FEATURE_MAP_SIZES, ANCHORS_PER_CELL, strict=True):
        y, x = np.divmod(np.arange(side * side), side)
        levels.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / side, count, axis=0))
    centers = np.concatenate(levels)
    centers.setflags(write=False)
    return centers


def decode_anchors(coordinates: np.ndarray, scores: np.ndarray, size: int, min_score: float) -> Detections:
    """Decode the anchors that detect a person, best first.

    Args:
        coordinates: (anchors, 12) output of the network, input pixels relative to the anchor's center.
        scores: (anchors,) 0..1.
        size: side of the input in pixels.
        min_score: lowest score of a detection.

    Examples:
        >>> import numpy as np
        >>> from blazepose.anchors import anchor_centers, decode_anchors
        >>> scores = np.zeros(2254)
        >>> scores[0] = 0.9  # the anchor in the upper left corner, at 1/56
        >>> coordinates = np.zeros((2254, 12))
        >>> coordinates[0, :4] = 52, 108, 56, 56  # the face box, relative to the anchor; 224 input pixels
        >>> decode_anchors(coordinates, scores, size=224, min_score=0.5).boxes_xyxy.round(3).tolist()
        [[0.125, 0.375, 0.375, 0.625]]
    """
    kept = np.flatnonzero((scores >= min_score) & (coordinates[:, 2:4] >= 0).all(axis=1))
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    points = coordinates[kept].reshape(-1, NUM_COORDINATES // 2, 2) / size
    points[:, [0, 2, 3, 4, 5]] += anchor_centers()[kept, None]
    center, half = points[:, 0], points[:, 1] / 2
    return Detections(scores[kept], np.concatenate([center - half, center + half], axis=1), points[:, 2:])


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the intersection over union of each box (n, 4) with each other one (m, 4), xyxy: (n, m).

    Examples:
        >>> import numpy as np
        >>> from blazepose.anchors import box_iou
        >>> boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], float)
        >>> box_iou(boxes[:1], boxes).round(2).tolist()
        [[1.0, 0.33, 0.0]]
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def weighted_nms(
    detections: Detections, iou: float = NMS_IOU, confident_score: float = DEFAULT_MIN_SCORE
) -> Detections:
    """Apply weighted non-maximum suppression: boxes that overlap the best one are averaged into it.

    Args:
        detections: best first.
        iou: IoU of the face boxes above which two are one person.
        confident_score: score; detections below it are not averaged into one above, so that lowering the
            score threshold does not change the boxes above it. MediaPipe averages all above its threshold.

    Returns:
        Each person once, with the best score; boxes and points are means weighted by score.

    Examples:
        >>> import numpy as np
        >>> from blazepose.anchors import Detections, weighted_nms
        >>> boxes = np.array([[0.0, 0, 0.4, 0.4], [0.04, 0, 0.44, 0.4], [0.6, 0.6, 0.8, 0.8]])
        >>> people = weighted_nms(Detections(np.array([0.9, 0.9, 0.6]), boxes, np.zeros((3, 4, 2))))
        >>> people.scores.tolist(), people.boxes_xyxy[0].round(2).tolist()  # the first two are one person
        ([0.9, 0.6], [0.02, 0.0, 0.42, 0.4])
    """
    points = detections.points.reshape(-1, 2 * NUM_ALIGNMENT_POINTS)
    values = np.concatenate([detections.boxes_xyxy, points], axis=1)
    weights = np.maximum(detections.scores, _MIN_WEIGHT)
    ious = box_iou(detections.boxes_xyxy, detections.boxes_xyxy)
    remaining, best, merged = np.full(len(values), True), [], []
    for k in range(len(values)):
        if not remaining[k]:
            continue
        same = remaining & (ious[k] > iou)
        same[k] = True  # a box without area overlaps nothing
        remaining &= ~same
        if detections.scores[k] >= confident_score:
            same &= detections.scores >= confident_score
        best.append(k)
        merged.append(np.average(values[same], axis=0, weights=weights[same]))
    means = np.array(merged).reshape(len(best), values.shape[1])
    mean_points = means[:, 4:].reshape(len(best), NUM_ALIGNMENT_POINTS, 2)
    return Detections(detections.scores[best], means[:, :4], mean_points)
