import math

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.metrics.calibration import calibration_error, reliability


def test_bins_by_hand():
    label = np.array([VISIBLE, HIDDEN, VISIBLE, VISIBLE, UNKNOWN, VISIBLE])
    said = np.array([0.12, 0.18, 0.95, 1.0, 0.5, np.nan])
    low, high = reliability(label, said)
    assert low == pytest.approx((0.15, 0.5, 2))
    assert high == pytest.approx((0.975, 1.0, 2))
    assert calibration_error([low, high]) == pytest.approx(100 * (0.35 + 0.025) / 2)


def test_who_says_what_is_true_is_calibrated():
    rng = np.random.default_rng(0)
    said = rng.random(200_000)
    assert calibration_error(reliability((rng.random(200_000) < said).astype(int), said)) < 1
    sure = np.full(1000, 0.99)
    assert calibration_error(reliability((rng.random(1000) < 0.6).astype(int), sure)) == pytest.approx(
        39, abs=5
    )


def test_nothing_labelled_is_no_bin():
    assert reliability(np.array([UNKNOWN]), np.array([0.3])) == []
    assert math.isnan(calibration_error([]))
