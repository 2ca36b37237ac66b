"""How well people are found: average precision, recall, and how near the ROI is to the annotation's."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from blazepose.anchors import CIRCLE, DEFAULT_MIN_SCORE, HIPS, Detections, box_iou
from blazepose.geometry import roi_from_alignment, wrap_angle

OVERLAP = 0.5
"""Of two boxes of one person. Source: PASCAL VOC's criterion, AP50 of COCO."""

LEAST_SCORE = 0.05
"""From which answers count for the average precision. Chosen: below it hardly one is right."""

_SHIFT, _SCALE, _TURN_RAD = 0.1, 0.1, math.radians(8)
"""Of an ROI that the landmark network tolerates. Source: MediaPipe's model card."""


class GroundTruth(NamedTuple):
    """The people of a picture, in 0..1 of it or in pixels.

    Attributes:
        boxes: (people, 3) x and y of the centre, side.
        points: (people, 4, 2) alignment points (blazepose.anchors).
        labelled: (people, 4) bool.
        ignored: (boxes, 4) xyxy; who is found there is neither right nor wrong.
    """

    boxes: np.ndarray
    points: np.ndarray
    labelled: np.ndarray
    ignored: np.ndarray


class Matches(NamedTuple):
    """What was found in a picture, and who is in it.

    Attributes:
        answers: (answers, 3) score, and 1 or 0: right by overlap, right by place. Ignored ones are not here.
        people: (people, 5) score of who was found (0: missed); 1 if the true ROI is labelled; errors of the
            ROI: centre and side in sides of the true one, rotation in rad; NaN where missed or not labelled.
    """

    answers: np.ndarray
    people: np.ndarray


def match_detections(found: Detections, truth: GroundTruth) -> Matches:
    """Compare what was found in a picture with who is in it, best answers first.

    By overlap, an answer is right if its box overlaps that of somebody not yet found by half; by place, if
    its middle is less than half a side from theirs. Google's detector says boxes of one size, so only its
    places can be right.

    Args:
        found: best first, in the unit of the truth.
        truth: of the picture.
    """
    centers, half = truth.boxes[:, :2], truth.boxes[:, 2:] / 2
    overlap = box_iou(found.boxes_xyxy, np.concatenate([centers - half, centers + half], axis=1))
    middles = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
    apart = np.linalg.norm(middles[:, None] - centers[None], axis=2) / np.maximum(truth.boxes[:, 2], 1e-9)
    by_overlap = _match(overlap, OVERLAP)
    by_place = _match(0.5 - apart, 0.0)
    left, top, right, bottom = truth.ignored.T
    x, y = middles[:, :1], middles[:, 1:]
    nobodys = ((x >= left) & (x <= right) & (y >= top) & (y <= bottom)).any(axis=1)
    counts = ~nobodys | (by_overlap >= 0) | (by_place >= 0)
    answers = np.stack([found.scores, by_overlap >= 0, by_place >= 0], axis=1)[counts]
    people = np.full((len(centers), 5), np.nan)
    people[:, 0], people[:, 1] = 0, truth.labelled[:, [HIPS, CIRCLE]].all(axis=1)
    for answer, person in enumerate(by_place):
        if person >= 0:
            people[person, 0] = found.scores[answer]
            if people[person, 1]:
                people[person, 2:] = _roi_errors(found.points[answer], truth.points[person])
    return Matches(answers, people)


def _match(likeness: np.ndarray, least: float) -> np.ndarray:
    """Row of the person whom each answer finds, -1 nobody: the likest one above `least` not yet found."""
    matched, free = np.full(len(likeness), -1), np.full(likeness.shape[1], True)
    for answer, row in enumerate(likeness):
        candidates = np.where(free, row, -np.inf)
        if len(candidates) and candidates.max() > least:
            matched[answer] = candidates.argmax()
            free[matched[answer]] = False
    return matched


def _roi_errors(points: np.ndarray, true_points: np.ndarray) -> tuple[float, float, float]:
    """Of centre and side in sides of the true ROI, and of its rotation."""
    said = roi_from_alignment(points[HIPS], points[CIRCLE])
    true = roi_from_alignment(true_points[HIPS], true_points[CIRCLE])
    shift = math.dist((said.center_x, said.center_y), (true.center_x, true.center_y))
    turn = abs(wrap_angle(said.rotation_rad - true.rotation_rad))
    return shift / true.side, abs(said.side / true.side - 1), turn


def average_precision(scores: np.ndarray, right: np.ndarray, people: int) -> float:
    """Area under precision over recall, per cent; precision is the best at this recall or a higher one.

    Args:
        scores: (answers,).
        right: (answers,) bool.
        people: how many there were to find.
    """
    if not people:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(100 * (best * right[order]).sum() / people)


def detection_metrics(answers: np.ndarray, people: np.ndarray) -> Mapping[str, float]:
    """Figures over all pictures, as Judged has their rows; per cent unless said otherwise.

    Returns:
        `ap` and `ap_place`: average precision by overlap and by place; `recall` and `precision` by place, at
        DEFAULT_MIN_SCORE; `roi_center`, `roi_side` and `roi_rotation_deg`: median errors of detected people;
        `roi_good`: share of all people with labelled ROI who were found within what the landmark network
        tolerates.
    """
    sure = answers[answers[:, 0] >= DEFAULT_MIN_SCORE]
    found = people[:, 0] >= DEFAULT_MIN_SCORE
    known = people[:, 1] > 0
    errors = people[found & known, 2:]
    good = (errors <= [_SHIFT, _SCALE, _TURN_RAD]).all(axis=1).sum()
    medians = np.median(errors, axis=0) if len(errors) else np.full(3, np.nan)
    return {
        "ap": average_precision(answers[:, 0], answers[:, 1] > 0, len(people)),
        "ap_place": average_precision(answers[:, 0], answers[:, 2] > 0, len(people)),
        "recall": _percent(int(found.sum()), len(people)),
        "precision": _percent(int(sure[:, 2].sum()), len(sure)),
        "roi_center": float(100 * medians[0]),
        "roi_side": float(100 * medians[1]),
        "roi_rotation_deg": math.degrees(medians[2]),
        "roi_good": _percent(int(good), int(known.sum())),
    }


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else math.nan
