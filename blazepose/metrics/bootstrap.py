"""How sure a figure is: intervals by drawing the people anew."""

from typing import NamedTuple

import numpy as np

_RESAMPLES = 2000


class Interval(NamedTuple):
    """A figure and the bounds that it lies within in 95 of 100 such sets of people."""

    value: float
    low: float
    high: float


def paired_difference(before: np.ndarray, after: np.ndarray, counted: np.ndarray, seed: int = 0) -> Interval:
    """Change of a mean over all counted points, in per cent, when the same people are measured twice.

    People are drawn, not points: those of one person go together. Percentile bootstrap, 2,000 draws.

    Args:
        before: (people, points), for PCK whether each is right.
        after: the same of the other weights.
        counted: (people, points) bool.
        seed: of the draws.
    """
    gain = 100 * np.where(counted, after.astype(np.float64) - before, 0).sum(axis=1)
    count = counted.sum(axis=1).astype(np.float64)
    people = len(count)
    times = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), _RESAMPLES)
    with np.errstate(invalid="ignore"):
        drawn = (times @ gain) / (times @ count)
    low, high = np.nanpercentile(drawn, (2.5, 97.5)).tolist()
    return Interval(float(gain.sum() / count.sum()), low, high)
