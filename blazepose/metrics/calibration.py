"""Does a probability say how often it is right? Reliability of predicted visibility and presence."""

import math
from typing import NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN

BINS = 10


class Bin(NamedTuple):
    """Points whose predicted probability is about the same.

    Attributes:
        said: mean of the predicted probabilities, 0..1.
        true: share labelled yes, 0..1.
        points: how many.
    """

    said: float
    true: float
    points: int


def reliability(label: np.ndarray, predicted: np.ndarray) -> list[Bin]:
    """Bins of equal width over 0..1, without empty ones.

    Args:
        label: (...) 1, 0 or UNKNOWN, which does not count.
        predicted: (...), 0..1; NaN does not count.
    """
    known = (label != UNKNOWN) & np.isfinite(predicted)
    truth, said = label[known] == 1, predicted[known].astype(np.float64)
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    points = np.bincount(place, minlength=BINS)
    said_sum, true_sum = (np.bincount(place, values, BINS) for values in (said, truth))
    return [
        Bin(float(said_sum[k] / points[k]), float(true_sum[k] / points[k]), int(points[k]))
        for k in np.flatnonzero(points)
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error, per cent: distance of said from true, each point counting alike.

    NaN if there is no bin. Source: Naeini et al. 2015.
    """
    points = sum(one.points for one in bins)
    return 100 * sum(abs(one.said - one.true) * one.points for one in bins) / points if points else math.nan
