import math

import numpy as np
import pytest

from blazepose.metrics.points import PointValues, finite_values


def test_the_mean_pools_the_counted_points_of_all_people():
    values = np.array([[0.0, 0.1999, 0.2, 5.0, 0.0], [0.6, 9.0, 9.0, 9.0, 9.0]])
    counted = np.array([[True] * 4 + [False], [True] + [False] * 4])
    assert PointValues(values, counted).mean() == pytest.approx((0.1999 + 0.2 + 5 + 0.6) / 5)
    assert PointValues(values < 0.5, counted).mean() == pytest.approx(3 / 5)


def test_no_counted_points_give_nan():
    assert math.isnan(PointValues(np.zeros((2, 33)), np.zeros((2, 33), bool)).mean())
    assert math.isnan(finite_values(np.array([[np.nan, np.inf]])).mean())


def test_only_finite_values_count():
    values = np.array([[0.5, np.nan, 0.75, np.inf, 9.0]])
    counted = np.array([[True, True, True, True, False]])
    assert finite_values(values, counted).counted.tolist() == [[True, False, True, False, False]]
    assert finite_values(values, counted).mean() == 0.625
    assert finite_values(np.array([[0.5], [np.nan], [0.75]])).mean() == 0.625


def test_sums_of_each_person():
    people = PointValues(
        np.array([[True, False, True], [True, True, True], [False, False, True]]),
        np.array([[True, True, False], [True, True, True], [False, False, False]]),
    ).per_person()
    assert people.correct.tolist() == [1, 3, 0]
    assert people.counted.tolist() == [2, 3, 0]
    assert people.has_points.tolist() == [True, True, False]
    assert people.shares(np.array([2, 1, 0])).tolist() == [1, 0.5], "without the person without points"
