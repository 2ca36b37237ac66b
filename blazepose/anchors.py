"""The detector's anchors, what its outputs say of them, and how overlapping answers become one.

Source: mediapipe.md section 1.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

DETECTOR_SIZE = 224
"""Side of the detector's input, pixels."""

SIDES = (28, 14, 7)
"""Cells along a side of the fine, the middle and the coarse level."""

ANCHORS_PER_CELL = (2, 2, 6)
"""Of these levels, all in the centre of the cell: three layers of the same stride share the coarse one."""

ALIGNMENT_POINTS = ("hips", "circle", "shoulders", "upper_circle")
NUM_ALIGNMENT_POINTS = len(ALIGNMENT_POINTS)
HIPS, CIRCLE, SHOULDERS, UPPER_CIRCLE = range(NUM_ALIGNMENT_POINTS)
"""Mid-hip; a point on the circle around it that encloses the person, on the head's side; mid-shoulder; a
point on the circle around that, which encloses the upper body. The first two make the ROI."""

NUM_COORDINATES = 4 + 2 * NUM_ALIGNMENT_POINTS
"""Of an anchor: centre and size of the face box, then x and y of the alignment points, input pixels."""

DEFAULT_MIN_SCORE = 0.5
"""Score from which somebody counts as found. Source: MediaPipe's min_detection_confidence."""

NMS_IOU = 0.5
"""Overlap of two face boxes of one person. Source: mediapipe.md section 1, Tasks."""

_LEAST_WEIGHT = 1e-9
"""Of an answer in a mean: a score may be zero, the sum of some must not."""


class Detections(NamedTuple):
    """People that a detector found, best first; coordinates in 0..1 of its input.

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
    """Centres in 0..1 of the picture, (2254, 2), in the order level, row, column, anchor of the cell."""
    levels = []
    for side, count in zip(SIDES, ANCHORS_PER_CELL, strict=True):
        y, x = np.divmod(np.arange(side * side), side)
        levels.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / side, count, axis=0))
    centers = np.concatenate(levels)
    centers.setflags(write=False)
    return centers


def decode_anchors(coordinates: np.ndarray, scores: np.ndarray, size: int, least: float) -> Detections:
    """The anchors that see a person, best first.

    Args:
        coordinates: (anchors, 12) output of the network, input pixels relative to the anchor's centre.
        scores: (anchors,) 0..1.
        size: side of the input in pixels.
        least: score from which an anchor counts.
    """
    found = np.flatnonzero((scores >= least) & (coordinates[:, 2:4] >= 0).all(axis=1))
    found = found[np.argsort(-scores[found], kind="stable")]
    places = coordinates[found].reshape(-1, NUM_COORDINATES // 2, 2) / size
    places[:, [0, 2, 3, 4, 5]] += anchor_centers()[found, None]
    center, half = places[:, 0], places[:, 1] / 2
    return Detections(scores[found], np.concatenate([center - half, center + half], axis=1), places[:, 2:])


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of each box (n, 4) with each of the others (m, 4), xyxy: (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def weighted_nms(
    found: Detections, overlap: float = NMS_IOU, sure_from: float = DEFAULT_MIN_SCORE
) -> Detections:
    """Weighted non-maximum suppression: boxes that overlap the best one are averaged into it.

    Args:
        found: best first.
        overlap: of the face boxes, from which (exclusive) two mean the same person.
        sure_from: score; answers below it are not averaged into one above, so that who asks for less sure
            answers, too, gets the same sure ones. MediaPipe averages all that it asks for.

    Returns:
        Each person once, with the best score; boxes and points are means weighted by score.
    """
    places = np.concatenate([found.boxes_xyxy, found.points.reshape(-1, 2 * NUM_ALIGNMENT_POINTS)], axis=1)
    weights = np.maximum(found.scores, _LEAST_WEIGHT)
    overlaps = box_iou(found.boxes_xyxy, found.boxes_xyxy)
    left, best, merged = np.full(len(places), True), [], []
    for k in range(len(places)):
        if not left[k]:
            continue
        same = left & (overlaps[k] > overlap)
        same[k] = True  # a box without area overlaps nothing
        left &= ~same
        if found.scores[k] >= sure_from:
            same &= found.scores >= sure_from
        best.append(k)
        merged.append(np.average(places[same], axis=0, weights=weights[same]))
    means = np.array(merged).reshape(len(best), places.shape[1])
    points = means[:, 4:].reshape(len(best), NUM_ALIGNMENT_POINTS, 2)
    return Detections(found.scores[best], means[:, :4], points)
