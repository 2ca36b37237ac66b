"""How well yes-or-no answers agree with their labels, each class for itself. Figures are in per cent.

Nine of ten landmarks are visible, so who always says "visible" has an F1 of 95 for it, and 0 for "hidden".
"""

from typing import NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN

YES_FROM = 0.5
"""Predicted visibility or presence from which the answer is yes. Source: interface.md, PDJ."""


def agrees(label: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Where the answer is the label, bool; meaningless where the label is UNKNOWN.

    Args:
        label: (...) 1, 0 or UNKNOWN.
        predicted: (...), 0..1; NaN agrees with nothing.
    """
    return np.isfinite(predicted) & ((predicted >= YES_FROM) == (label == 1))


class ClassScore(NamedTuple):
    """Agreement about one class.

    Attributes:
        precision: share of the points said to be of the class that are; NaN if none is said to be.
        recall: share of the points of the class that are said to be; NaN if none is labelled so.
        f1: harmonic mean of both, 0 if the class is never said rightly; NaN if none is labelled so.
        points: that are labelled so.
    """

    precision: float
    recall: float
    f1: float
    points: int


def class_scores(label: np.ndarray, predicted: np.ndarray) -> tuple[ClassScore, ClassScore]:
    """Scores of the class "yes" and of the class "no".

    Args:
        label: (...) 1, 0 or UNKNOWN, which does not count.
        predicted: (...), 0..1; NaN and infinity say neither.
    """
    known = label != UNKNOWN
    truth, said = label[known] == 1, np.where(np.isfinite(predicted), predicted, np.nan)[known]
    return _class_score(truth, said >= YES_FROM), _class_score(~truth, said < YES_FROM)


def balanced_accuracy(yes: ClassScore, no: ClassScore) -> float:
    """Mean of both classes' recalls: 50 for a constant answer; NaN if a class has no label."""
    return (yes.recall + no.recall) / 2


def _class_score(truth: np.ndarray, said: np.ndarray) -> ClassScore:
    right, labelled, answered = int((truth & said).sum()), int(truth.sum()), int(said.sum())
    nan = float("nan")
    return ClassScore(
        precision=100 * right / answered if answered else nan,
        recall=100 * right / labelled if labelled else nan,
        f1=200 * right / (labelled + answered) if labelled else nan,
        points=labelled,
    )
