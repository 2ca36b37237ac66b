import math

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.metrics.calibration import calibration_error, reliability


def test_bins_by_hand():
    label = np.array([VISIBLE, HIDDEN, VISIBLE, VISIBLE, UNKNOWN, VISIBLE])
    predicted = np.array([0.12, 0.18, 0.95, 1.0, 0.5, np.nan])
    low, high = reliability(label, predicted)
    assert low == pytest.approx((0.15, 0.5, 2))
    assert high == pytest.approx((0.975, 1.0, 2))
    assert calibration_error([low, high]) == pytest.approx(100 * (0.35 + 0.025) / 2)


def test_true_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    predicted = rng.random(200_000)
    assert calibration_error(reliability((rng.random(200_000) < predicted).astype(int), predicted)) < 1
    confident = np.full(1000, 0.99)
    assert calibration_error(reliability((rng.random(1000) < 0.6).astype(int), confident)) == pytest.approx(
        39, abs=5
    )


def test_no_labels_give_no_bins():
    assert reliability(np.array([UNKNOWN]), np.array([0.3])) == []
    assert math.isnan(calibration_error([]))
