"""Medians of rounds, with intervals."""

import math
from collections.abc import Sequence

import numpy as np

from blazepose.metrics.bootstrap import Interval

MIN_ROUNDS = 6
"""Below it, even the lowest and the highest of the values are no 95 % interval of the median."""


def median_interval(values: Sequence[float] | np.ndarray) -> Interval:
    """Compute the median and its 95 % interval between two of the sorted values.

    The median lies above a value with probability 1/2, so that the number of values below it has a binomial
    distribution, whatever that of the values.

    Args:
        values: at least MIN_ROUNDS.

    Examples:
        >>> from blazepose.benchmark.statistics import median_interval
        >>> median_interval([1.0, 1.1, 1.2, 1.3, 1.4, 9.0])
        Interval(value=1.25, low=1.0, high=9.0)
    """
    count = len(values)
    chances = np.cumsum([math.comb(count, k) for k in range(count)]) / 2.0**count
    rank = max(int(np.searchsorted(chances, 0.025, side="right")) - 1, 0)
    ordered = np.sort(values)
    low, high = ordered[[rank, count - 1 - rank]].tolist()
    return Interval(float(np.median(ordered)), low, high)
