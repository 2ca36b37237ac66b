"""Intervals of medians."""

import numpy as np
import pytest

from blazepose.benchmark.statistics import MIN_ROUNDS, median_interval


@pytest.mark.parametrize("count", [MIN_ROUNDS, 9, 30, 101])
def test_coverage(count):
    """At least 95 % of the intervals contain the median of a skewed distribution, and not by far more."""
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=count)) for _ in range(2000)]
    covered = np.mean([low <= np.log(2) <= high for _, low, high in intervals])
    assert 0.94 < covered < 0.985


def test_one_slow_round_changes_little():
    assert median_interval([1.0] * 19 + [100.0]) == (1.0, 1.0, 1.0)
