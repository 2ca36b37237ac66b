"""Anchors of the detectors, the decoding of their outputs, and weighted non-maximum suppression.

Source: docs/reference/mediapipe.md sections 1 and 7.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from blazepose.topology import Topology

ALIGNMENT_POINTS = ("hips", "circle", "shoulders", "upper_circle")
NUM_ALIGNMENT_POINTS = len(ALIGNMENT_POINTS)
HIPS, CIRCLE, SHOULDERS, UPPER_CIRCLE = range(NUM_ALIGNMENT_POINTS)
"""Mid-hip; a point on the circle around it that encloses the person, on the head's side; mid-shoulder; a
point on the circle around that, which encloses the upper body."""

NUM_COORDINATES = 4 + 2 * NUM_ALIGNMENT_POINTS
"""Outputs per anchor: center and size of the face box, then x and y of the alignment points, input pixels."""

DEFAULT_MIN_SCORE = 0.5
"""Default lowest score of a detection. Source: MediaPipe's min_detection_confidence."""

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


BoxSides = tuple[float, float]
"""Smallest and largest side of a box, in sides of the image."""


@dataclass(frozen=True)
class AnchorLevel:
    """Anchors in the centers of a grid of cells.

    Attributes:
        cells: cells along a side of the image.
        box_sides: for each anchor of a cell, the boxes that it detects; None for an anchor that detects
            none.
    """

    cells: int
    box_sides: tuple[BoxSides | None, ...]

    @property
    def per_cell(self) -> int:
        """Anchors per cell."""
        return len(self.box_sides)


@dataclass(frozen=True)
class AnchorLayout:
    """Input size and anchors of a detector, fixed by its network and the runtimes that run it.

    Attributes:
        size: side of the input, pixels.
        levels: from fine to coarse.
        nms_iou: IoU of two boxes above which they are one person.

    Examples:
        >>> from blazepose.anchors import DETECTOR_ANCHORS, DETECTOR_2021_ANCHORS
        >>> DETECTOR_ANCHORS.num_anchors, DETECTOR_2021_ANCHORS.num_anchors
        (2254, 896)
    """

    size: int
    levels: tuple[AnchorLevel, ...]
    nms_iou: float

    @property
    def num_anchors(self) -> int:
        """Number of anchors."""
        return sum(level.cells**2 * level.per_cell for level in self.levels)

    @cached_property
    def centers(self) -> np.ndarray:
        """Centers in 0..1 of the image, (anchors, 2), in the order level, row, column, anchor of the cell."""
        levels = []
        for level in self.levels:
            y, x = np.divmod(np.arange(level.cells**2), level.cells)
            levels.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / level.cells, level.per_cell, axis=0))
        centers = np.concatenate(levels)
        centers.setflags(write=False)
        return centers

    @property
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the network's outputs, boxes and scores, without the batch."""
        return [(self.num_anchors, NUM_COORDINATES), (self.num_anchors, 1)]


_ANY_SIDE = (0.0, math.inf)

DETECTOR_ANCHORS = AnchorLayout(
    size=224,
    levels=(
        AnchorLevel(28, (None, _ANY_SIDE)),
        AnchorLevel(14, (_ANY_SIDE, None)),
        AnchorLevel(7, (None,) * 6),
    ),
    nms_iou=0.5,
)
"""MediaPipe's detector. Three layers of one stride share the coarse level. Its boxes have one size, so one
anchor of each fine and of each middle cell detects people of all sizes, and no other ever does.

Source: docs/reference/mediapipe.md section 1; box_sides: measured on 200 people of lspet_val: no other anchor
has a score above 0.5.
"""

DETECTOR_2021_ANCHORS = AnchorLayout(
    size=128,
    levels=(
        AnchorLevel(16, ((0.0, 0.2), (0.12, 0.29))),
        AnchorLevel(
            8, ((0.26, 0.39), (0.34, 0.51), (0.43, 0.59), (0.5, 0.63), (0.57, 0.67), (0.63, math.inf))
        ),
    ),
    nms_iou=0.3,
)
"""The detector of early 2021. Its boxes are as large as the person's, and each anchor of a cell detects those
of some sizes, as in an SSD.

Source: docs/reference/mediapipe.md section 7; box_sides: 5th and 95th percentile of the boxes of the anchors
with a score from 0.5 up, on 120 people of lspet_train at 14 sizes, divided by 1.17: so much larger than those
of data.person_box are its boxes (median).
"""

ANCHOR_LAYOUTS = (DETECTOR_ANCHORS, DETECTOR_2021_ANCHORS)


def layout_of_input(shape: Sequence[object]) -> AnchorLayout:
    """Return the anchors of the detector with this input (batch, size, size, ...), else MediaPipe's."""
    sides = list(shape[1:3])
    return next((layout for layout in ANCHOR_LAYOUTS if sides == [layout.size] * 2), DETECTOR_ANCHORS)


def is_detector_output(shape: Sequence[object]) -> bool:
    """Return whether a network with this first output (batch, ...) is one of the detectors."""
    return tuple(shape[1:]) in [layout.output_shapes[0] for layout in ANCHOR_LAYOUTS]


def roi_points(topology: Topology) -> tuple[int, int]:
    """Return the alignment points that make the ROI of a topology: indices of its center and circle point."""
    center, scale = (ALIGNMENT_POINTS.index(point) for point in topology.roi.detector_points)
    return center, scale


def decode_anchors(
    coordinates: np.ndarray, scores: np.ndarray, anchors: AnchorLayout, min_score: float
) -> Detections:
    """Decode the anchors that detect a person, best first.

    Args:
        coordinates: (anchors, 12) output of the network, input pixels relative to the anchor's center.
        scores: (anchors,) 0..1.
        anchors: the anchors of the network.
        min_score: lowest score of a detection.

    Examples:
        >>> import numpy as np
        >>> from blazepose.anchors import DETECTOR_ANCHORS, decode_anchors
        >>> scores = np.zeros(2254)
        >>> scores[0] = 0.9  # the anchor in the upper left corner, at 1/56
        >>> coordinates = np.zeros((2254, 12))
        >>> coordinates[0, :4] = 52, 108, 56, 56  # the face box, relative to the anchor; 224 input pixels
        >>> decode_anchors(coordinates, scores, DETECTOR_ANCHORS, min_score=0.5).boxes_xyxy.round(3).tolist()
        [[0.125, 0.375, 0.375, 0.625]]
    """
    kept = np.flatnonzero((scores >= min_score) & (coordinates[:, 2:4] >= 0).all(axis=1))
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    points = coordinates[kept].reshape(-1, NUM_COORDINATES // 2, 2) / anchors.size
    points[:, [0, 2, 3, 4, 5]] += anchors.centers[kept, None]
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
    detections: Detections, iou: float, confident_score: float = DEFAULT_MIN_SCORE
) -> Detections:
    """Apply weighted non-maximum suppression: boxes that overlap the best one are averaged into it.

    Args:
        detections: best first.
        iou: IoU of the face boxes above which two are one person (AnchorLayout.nms_iou).
        confident_score: score; detections below it are not averaged into one above, so that lowering the
            score threshold does not change the boxes above it. MediaPipe averages all above its threshold.

    Returns:
        Each person once, with the best score; boxes and points are means weighted by score.

    Examples:
        >>> import numpy as np
        >>> from blazepose.anchors import Detections, weighted_nms
        >>> boxes = np.array([[0.0, 0, 0.4, 0.4], [0.04, 0, 0.44, 0.4], [0.6, 0.6, 0.8, 0.8]])
        >>> people = weighted_nms(Detections(np.array([0.9, 0.9, 0.6]), boxes, np.zeros((3, 4, 2))), iou=0.5)
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
