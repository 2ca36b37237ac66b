"""The median filter over time."""

import numpy as np
import pytest

from blazepose.runtime.smoothing import MedianSmoother, create_smoother
from blazepose.runtime.tracker_options import TrackerOptions
from tests.runtime.test_smoothing import make_result


def test_it_smooths_a_jittery_track():
    smooth, rng = create_smoother(TrackerOptions(smoothing="median")), np.random.default_rng(0)
    raw = [make_result(shift) for shift in rng.normal(0, 0.5, 90)]
    smoothed = [smooth(result, k / 30) for k, result in enumerate(raw)]
    for output in ("landmarks", "alignment_px", "world"):
        before, after = (
            np.diff([getattr(result, output)[0, 0] for result in run]).std() for run in (raw, smoothed)
        )
        assert after < 0.6 * before


def test_a_single_wrong_frame_is_dropped():
    smooth = MedianSmoother()
    for k, shift in enumerate((0.0, 0.0, 80.0, 0.0, 0.0)):
        landmarks = smooth(make_result(shift), k / 30).landmarks
        assert landmarks[0, 0] == 100


def test_unknown_filters_are_rejected():
    with pytest.raises(ValueError, match=r'smoothing=\'mean\' must be "one_euro" or "median"'):
        TrackerOptions(smoothing="mean")
