"""Precision, recall and F1 of binary predictions for each class, in per cent.

Nine of ten landmarks are visible, so a constant "visible" has an F1 of 95 for this class, and 0 for "hidden".
"""

from typing import NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN

YES_FROM = 0.5
"""Threshold of predicted visibility or presence for a yes. See docs/reference/metrics.md, PDJ."""


def agrees(label: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Compare predictions with labels, bool; undefined where the label is UNKNOWN.

    Args:
        label: (...) 1, 0 or UNKNOWN.
        predicted: (...), 0..1; NaN never agrees.
    """
    return np.isfinite(predicted) & ((predicted >= YES_FROM) == (label == 1))


class ClassScore(NamedTuple):
    """Scores of one class.

    Attributes:
        precision: share of the points predicted as the class that are correct; NaN if there is none.
        recall: share of the points labelled as the class that are predicted so; NaN if there is none.
        f1: harmonic mean of both, 0 without a correct prediction; NaN if no point is labelled as the class.
        points: number of points labelled as the class.
    """

    precision: float
    recall: float
    f1: float
    points: int


def class_scores(label: np.ndarray, predicted: np.ndarray) -> tuple[ClassScore, ClassScore]:
    """Compute the scores of the classes "yes" and "no".

    Args:
        label: (...) 1, 0 or UNKNOWN, which is ignored.
        predicted: (...), 0..1; NaN and infinity are neither class.
    """
    valid = label != UNKNOWN
    target, probability = label[valid] == 1, np.where(np.isfinite(predicted), predicted, np.nan)[valid]
    return _class_score(target, probability >= YES_FROM), _class_score(~target, probability < YES_FROM)


def balanced_accuracy(yes: ClassScore, no: ClassScore) -> float:
    """Compute the mean recall of both classes: 50 for a constant prediction; NaN if a class has no label."""
    return (yes.recall + no.recall) / 2


def _class_score(target: np.ndarray, predicted: np.ndarray) -> ClassScore:
    correct, labelled, positive = int((target & predicted).sum()), int(target.sum()), int(predicted.sum())
    nan = float("nan")
    return ClassScore(
        precision=100 * correct / positive if positive else nan,
        recall=100 * correct / labelled if labelled else nan,
        f1=200 * correct / (labelled + positive) if labelled else nan,
        points=labelled,
    )
