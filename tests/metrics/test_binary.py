"""Precision, recall and F1 of both classes by hand."""

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.metrics.binary import balanced_accuracy, class_scores


def test_both_classes_by_hand():
    label = np.array([VISIBLE] * 6 + [HIDDEN] * 3 + [UNKNOWN] * 2)
    predicted = np.array([0.9, 0.5, 0.8, 0.7, 0.4, 0.1, 0.6, 0.2, 0.3, 0.9, 0.1])
    visible, hidden = class_scores(label, predicted)
    assert visible == pytest.approx((100 * 4 / 5, 100 * 4 / 6, 100 * 8 / 11, 6))
    assert hidden == pytest.approx((100 * 2 / 4, 100 * 2 / 3, 100 * 4 / 7, 3))
    assert balanced_accuracy(visible, hidden) == pytest.approx(100 * 2 / 3)


def test_a_constant_prediction_fails_in_the_rarer_class():
    label = np.array([VISIBLE] * 9 + [HIDDEN])
    visible, hidden = class_scores(label, np.ones(10))
    assert visible.f1 == pytest.approx(100 * 18 / 19)
    assert np.isnan(hidden.precision)
    assert hidden.f1 == 0
    assert balanced_accuracy(visible, hidden) == 50


def test_a_class_without_labels_has_no_score():
    visible, hidden = class_scores(np.array([VISIBLE, VISIBLE, UNKNOWN]), np.array([0.9, 0.1, 0.1]))
    assert visible.f1 == pytest.approx(100 * 2 / 3)
    assert np.isnan([hidden.recall, hidden.f1, balanced_accuracy(visible, hidden)]).all()
    assert hidden.precision == 0
    assert hidden.points == 0


def test_nan_predictions_are_neither_class():
    visible, hidden = class_scores(np.array([VISIBLE, HIDDEN, HIDDEN]), np.array([np.nan, np.nan, 0.1]))
    assert (visible.recall, hidden.recall, hidden.precision) == (0, 50, 100)
    visible, hidden = class_scores(np.array([VISIBLE, HIDDEN]), np.array([np.inf, -np.inf]))
    assert (visible.recall, hidden.recall) == (0, 0)
