"""Metrics of person detection: average precision, recall, and accuracy of the ROI."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from blazepose.anchors import DEFAULT_MIN_SCORE, Detections, box_iou, roi_points
from blazepose.geometry import roi_from_alignment, wrap_angle
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

OVERLAP = 0.5
"""IoU threshold of a match. Source: PASCAL VOC's criterion, AP50 of COCO."""

LEAST_SCORE = 0.05
"""Score threshold of the average precision. Chosen: below it hardly any detection is correct."""

_SHIFT, _SCALE, _TURN_RAD = 0.1, 0.1, math.radians(8)
"""ROI errors that the landmark network tolerates. Source: MediaPipe's model card."""


class GroundTruth(NamedTuple):
    """The people of an image, in normalized or pixel coordinates.

    Attributes:
        boxes: (people, 3) x and y of the center, side.
        points: (people, 4, 2) alignment points (blazepose.anchors).
        labelled: (people, 4) bool.
        ignored: (boxes, 4) xyxy; unmatched detections in them are ignored.
    """

    boxes: np.ndarray
    points: np.ndarray
    labelled: np.ndarray
    ignored: np.ndarray


class Matches(NamedTuple):
    """Detections of an image, matched to its people.

    Attributes:
        detections: (detections, 3) score, and 1 or 0: correct by overlap, correct by place; ignored ones are
            left out.
        people: (people, 5) score of the matched detection (0: missed); 1 if the true ROI is labelled; ROI
            errors: center and side in sides of the true ROI, rotation in rad; NaN if missed or not labelled.
    """

    detections: np.ndarray
    people: np.ndarray


def match_detections(detections: Detections, truth: GroundTruth, topology: Topology = FULL_BODY) -> Matches:
    """Match the detections of an image to its people, highest score first.

    By overlap, a detection is correct if its IoU with a free person is above OVERLAP; by place, if its center
    is within half a side of the person's. MediaPipe's detector predicts boxes of one size, so only its places
    can be correct.

    Args:
        detections: detections by falling score, in the unit of the truth.
        truth: the people of the image.
        topology: topology whose ROI is compared.
    """
    points = list(roi_points(topology))
    centers, half = truth.boxes[:, :2], truth.boxes[:, 2:] / 2
    overlap = box_iou(detections.boxes_xyxy, np.concatenate([centers - half, centers + half], axis=1))
    middles = (detections.boxes_xyxy[:, :2] + detections.boxes_xyxy[:, 2:]) / 2
    distance = np.linalg.norm(middles[:, None] - centers[None], axis=2) / np.maximum(truth.boxes[:, 2], 1e-9)
    by_overlap = _match(overlap, OVERLAP)
    by_place = _match(0.5 - distance, 0.0)
    left, top, right, bottom = truth.ignored.T
    x, y = middles[:, :1], middles[:, 1:]
    ignored = ((x >= left) & (x <= right) & (y >= top) & (y <= bottom)).any(axis=1)
    counted = ~ignored | (by_overlap >= 0) | (by_place >= 0)
    rows = np.stack([detections.scores, by_overlap >= 0, by_place >= 0], axis=1)[counted]
    people = np.full((len(centers), 5), np.nan)
    people[:, 0], people[:, 1] = 0, truth.labelled[:, points].all(axis=1)
    for detection, person in enumerate(by_place):
        if person >= 0:
            people[person, 0] = detections.scores[detection]
            if people[person, 1]:
                people[person, 2:] = _roi_errors(
                    detections.points[detection, points], truth.points[person, points], topology.roi.expansion
                )
    return Matches(rows, people)


def _match(similarity: np.ndarray, threshold: float) -> np.ndarray:
    """Return the person matched by each detection (highest similarity, each used once); -1 if none."""
    matched, free = np.full(len(similarity), -1), np.full(similarity.shape[1], True)
    for detection, row in enumerate(similarity):
        candidates = np.where(free, row, -np.inf)
        if len(candidates) and candidates.max() > threshold:
            matched[detection] = candidates.argmax()
            free[matched[detection]] = False
    return matched


def _roi_errors(points: np.ndarray, true_points: np.ndarray, expansion: float) -> tuple[float, float, float]:
    """Compute the errors of center and side, in sides of the true ROI, and of the rotation."""
    predicted, true = (
        roi_from_alignment(center, scale, expansion) for center, scale in (points, true_points)
    )
    shift = math.dist((predicted.center_x, predicted.center_y), (true.center_x, true.center_y))
    rotation = abs(wrap_angle(predicted.rotation_rad - true.rotation_rad))
    return shift / true.side, abs(predicted.side / true.side - 1), rotation


def average_precision(scores: np.ndarray, correct: np.ndarray, people: int) -> float:
    """Compute the area under the interpolated precision-recall curve, per cent.

    Args:
        scores: (detections,).
        correct: (detections,) bool.
        people: number of labelled people.
    """
    if not people:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(correct[order])
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(100 * (best * correct[order]).sum() / people)


def detection_metrics(detections: np.ndarray, people: np.ndarray) -> Mapping[str, float]:
    """Compute the metrics over all images, in per cent unless stated otherwise.

    Args:
        detections: rows of Matches.detections of all images.
        people: rows of Matches.people of all images.

    Returns:
        `ap` and `ap_place`: average precision by overlap and by place; `recall` and `precision` by place, at
        DEFAULT_MIN_SCORE; `roi_center`, `roi_side` and `roi_rotation_deg`: median errors of detected people;
        `roi_good`: share of all people with labelled ROI whose detected ROI is within the tolerance of the
        landmark network.
    """
    confident = detections[detections[:, 0] >= DEFAULT_MIN_SCORE]
    detected = people[:, 0] >= DEFAULT_MIN_SCORE
    has_roi = people[:, 1] > 0
    errors = people[detected & has_roi, 2:]
    good = (errors <= [_SHIFT, _SCALE, _TURN_RAD]).all(axis=1).sum()
    medians = np.median(errors, axis=0) if len(errors) else np.full(3, np.nan)
    return {
        "ap": average_precision(detections[:, 0], detections[:, 1] > 0, len(people)),
        "ap_place": average_precision(detections[:, 0], detections[:, 2] > 0, len(people)),
        "recall": _percent(int(detected.sum()), len(people)),
        "precision": _percent(int(confident[:, 2].sum()), len(confident)),
        "roi_center": float(100 * medians[0]),
        "roi_side": float(100 * medians[1]),
        "roi_rotation_deg": math.degrees(medians[2]),
        "roi_good": _percent(int(good), int(has_roi.sum())),
    }


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else math.nan
