"""Intervals against figures worked by hand, and how often they hold."""

import numpy as np
import pytest

from blazepose.metrics.bootstrap import paired_difference


def test_the_change_is_that_of_all_points_pooled():
    before = np.array([[True, False, False], [True, True, True]])
    after = np.array([[True, True, True], [True, False, True]])
    counted = np.array([[True, True, False], [True, True, True]])
    # Five points count: four were right before and four are after; one was gained, one lost.
    assert paired_difference(before, after, counted).value == 0
    counted[1, 1] = False
    assert paired_difference(before, after, counted).value == pytest.approx(25)


def test_nothing_changed_is_sure():
    right = np.random.default_rng(0).random((50, 12)) < 0.6
    assert paired_difference(right, right, np.ones_like(right)) == (0, 0, 0)


def test_the_same_gain_for_everybody_is_sure():
    before = np.zeros((30, 4), bool)
    after = before.copy()
    after[:, 0] = True
    assert paired_difference(before, after, np.ones_like(before)) == (25, 25, 25)


def test_the_interval_holds_the_true_change_in_95_of_100_sets():
    """Points of a person are alike, so people must be drawn, not points."""
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(300):
        ability = rng.normal(0, 0.5, (150, 1))
        before = rng.random((150, 12)) < 0.5 + 0.2 * np.tanh(ability)
        after = rng.random((150, 12)) < 0.6 + 0.2 * np.tanh(ability + rng.normal(0, 1, (150, 1)))
        interval = paired_difference(before, after, np.ones_like(before), trial)
        held += interval.low <= 10 <= interval.high
    assert 0.91 < held / 300 < 0.985


def test_people_without_a_point_do_not_count():
    right, counted = np.ones((3, 2), bool), np.array([[True, True], [False, False], [True, False]])
    assert paired_difference(~right, right, counted).value == 100
