"""Calibration of predicted visibility and presence: reliability bins and calibration error."""

import math
from typing import NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN

BINS = 10


class Bin(NamedTuple):
    """A reliability bin: points of similar predicted probability.

    Attributes:
        predicted: mean predicted probability, 0..1.
        observed: share labelled yes, 0..1.
        points: number of points.
    """

    predicted: float
    observed: float
    points: int


def reliability(label: np.ndarray, predicted: np.ndarray) -> list[Bin]:
    """Compute the non-empty reliability bins, of equal width over 0..1.

    Args:
        label: (...) 1, 0 or UNKNOWN, which is ignored.
        predicted: (...), 0..1; NaN is ignored.
    """
    valid = (label != UNKNOWN) & np.isfinite(predicted)
    target, probability = label[valid] == 1, predicted[valid].astype(np.float64)
    index = np.minimum((probability * BINS).astype(int), BINS - 1)
    points = np.bincount(index, minlength=BINS)
    predicted_sum, observed_sum = (np.bincount(index, values, BINS) for values in (probability, target))
    return [
        Bin(float(predicted_sum[k] / points[k]), float(observed_sum[k] / points[k]), int(points[k]))
        for k in np.flatnonzero(points)
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Compute the expected calibration error, per cent; NaN without bins. Source: Naeini et al. 2015."""
    points = sum(entry.points for entry in bins)
    error = sum(abs(entry.predicted - entry.observed) * entry.points for entry in bins)
    return 100 * error / points if points else math.nan
