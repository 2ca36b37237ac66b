import math

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.smoothing import LowPass, OneEuro, PoseSmoother, create_smoother
from blazepose.runtime.tracker_options import TrackerOptions


def run(smooth: OneEuro, values, times, scale: float = 1.0) -> list[float]:
    """Filter single values one after the other."""
    return [float(smooth(np.array([v]), float(t), scale)[0]) for v, t in zip(values, times, strict=True)]


def alpha(cutoff_hz: float, step_s: float) -> float:
    """Return the weight of the new value in a first-order low-pass filter: dt / (dt + RC)."""
    return step_s / (step_s + 1 / (2 * math.pi * cutoff_hz))


def test_one_euro_in_four_steps():
    smooth = OneEuro(min_cutoff=0.5, beta=2.0, derivative_cutoff=1.5)
    times, values = [3.0, 3.1, 3.15, 3.4], [1.0, 2.0, 5.0, 4.0]
    value, speed, expected = values[0], 0.0, [values[0]]
    for k in (1, 2, 3):
        step = times[k] - times[k - 1]
        speed += alpha(1.5, step) * ((values[k] - values[k - 1]) / step * 0.1 - speed)
        value += alpha(0.5 + 2.0 * abs(speed), step) * (values[k] - value)
        expected.append(value)
    filtered = run(smooth, values, times, scale=0.1)
    assert filtered == pytest.approx(expected, abs=1e-12)
    assert 1 < filtered[1] < 2 < filtered[2] < 5


def test_one_euro_second_value_in_numbers():
    """100 ms, speed 10 / s weighted by 0.3859; cutoff 4.359 Hz, so 0.7325 of the step."""
    assert run(OneEuro(0.5, 1.0), [0, 1], [0, 0.1]) == pytest.approx([0, 0.73252], abs=1e-4)


def test_the_first_value_and_constant_values_are_unchanged():
    smooth, still = OneEuro(0.05, 80), np.array([[3.0, -7.0]])
    for time in (0.0, 0.1, 0.25, 9.0):
        np.testing.assert_array_equal(smooth(still, time, scale=0.01), still)


def test_changes_to_inputs_and_outputs_do_not_affect_the_filter():
    smooth, value = OneEuro(0.05, 80), np.array([1.0])
    first = smooth(value, 0.0)
    first *= 1000
    value *= 1000
    assert run(smooth, [1.0], [0.1]) == [1.0]


@pytest.mark.parametrize("tick_s", [1 / 90_000, 1e-9])
def test_two_frames_a_tick_apart_are_filtered_as_one(tick_s):
    """The speed of such a step is enormous and its weight as small; MediaPipe's filter is the same."""
    times, values = np.arange(40) / 30, 3.0 * np.arange(40)
    usual = run(OneEuro(0.05, 80), values, times, scale=1 / 250)
    times, values = np.insert(times, 21, times[20] + tick_s), np.insert(values, 21, values[21])
    twice = run(OneEuro(0.05, 80), values, times, scale=1 / 250)
    assert twice[21] == pytest.approx(usual[20], abs=0.05)
    assert [*twice[:21], *twice[22:]] == pytest.approx(usual, abs=0.01)


def lag(speed: float) -> float:
    """Return the delay in seconds behind a point of constant speed."""
    times = np.arange(60) / 30
    return times[-1] - run(OneEuro(0.05, 80), speed * times, times, scale=1 / 200)[-1] / speed


def test_faster_movement_lags_less():
    slow, middle, fast = lag(1.0), lag(20.0), lag(400.0)
    assert slow > 2 * middle > 4 * fast > 0


def test_scale_affects_speed_only():
    def euro(beta: float, scale: float) -> list[float]:
        return run(OneEuro(1.0, beta), [0.0, 1.0, 3.0, 2.0], np.arange(4) / 30, scale)

    assert euro(0.0, 1.0) == euro(0.0, 50.0)
    assert euro(2.0, 0.25) == pytest.approx(euro(0.5, 1.0))
    assert euro(2.0, 0.25)[1] < euro(2.0, 1.0)[1]


def test_each_coordinate_has_its_own_speed():
    smooth = OneEuro(0.05, 10)
    smooth(np.zeros(2), 0.0)
    still, moved = smooth(np.array([0.0, 5.0]), 0.1)
    alone = OneEuro(0.05, 10)
    alone(np.zeros(1), 0.0)
    assert still == 0
    assert moved == alone(np.array([5.0]), 0.1)


def test_low_pass_by_hand():
    smooth = LowPass(0.25)
    assert [smooth(np.array([value])).item() for value in (4.0, 8.0, 5.0, 1.0)] == [4, 5, 5, 4]


def make_result(shift: float = 0.0, visibility: float = 0.5, presence: float = 0.5) -> LandmarkResult:
    """Return a person at (100, 200) with an ROI of 250 pixels, all points shifted by so many pixels."""
    landmarks = np.zeros((33, 5))
    landmarks[:, :3] = np.array([100.0, 200.0, 10.0]) + shift
    landmarks[:, 3:] = visibility, presence
    alignment = np.array([[100.0, 200.0], [100.0, 100.0]]) + shift
    world = np.full((33, 3), 0.2 + shift / 500)
    return LandmarkResult(landmarks, alignment, world, 0.9, None, Roi(100.0, 200.0, 250.0, 0.0))


def test_visibility_is_filtered_by_a_tenth_and_presence_is_not():
    smooth = PoseSmoother()
    smooth(make_result(visibility=0.2, presence=0.1), 0.0)
    landmarks = smooth(make_result(visibility=1.0, presence=0.8), 0.033).landmarks
    assert landmarks[:, 3] == pytest.approx(0.28)
    assert (landmarks[:, 4] == 0.8).all()


def test_outputs_have_the_filters_of_mediapipe():
    """docs/reference/mediapipe.md section 3: cutoff, beta, and the size of the ROI as the scale of pixels."""
    smooth, filters = PoseSmoother(), (OneEuro(0.05, 80), OneEuro(0.5, 10), OneEuro(0.1, 40))
    for time, shift in ((0.0, 0.0), (0.033, 3.0), (0.066, -1.0), (0.133, 8.0)):
        smoothed, raw = smooth(make_result(shift), time), make_result(shift)
        points, alignment, world = filters
        np.testing.assert_allclose(smoothed.landmarks[:, :3], points(raw.landmarks[:, :3], time, 1 / 250))
        np.testing.assert_allclose(smoothed.alignment_px, alignment(raw.alignment_px, time, 1 / 250))
        np.testing.assert_allclose(smoothed.world, world(raw.world, time))


def test_jitter_decreases_in_every_output():
    smooth, rng = PoseSmoother(), np.random.default_rng(0)
    raw = [make_result(shift) for shift in rng.normal(0, 0.5, 90)]
    smoothed = [smooth(result, k / 30) for k, result in enumerate(raw)]
    for output in ("landmarks", "alignment_px", "world"):
        before, after = (
            np.diff([getattr(result, output)[0, 0] for result in run]).std() for run in (raw, smoothed)
        )
        assert after < 0.5 * before


def test_a_person_without_size_gives_finite_values():
    flat = make_result()._replace(alignment_px=np.full((2, 2), 100.0))
    smooth = PoseSmoother()
    for time in (0.0, 0.033):
        assert np.isfinite(smooth(flat, time).landmarks).all()


@pytest.mark.parametrize(
    ("running_mode", "smooth_landmarks", "smoothed"),
    [("video", True, True), ("video", False, False), ("image", True, False)],
)
def test_only_videos_are_smoothed_and_only_if_requested(running_mode, smooth_landmarks, smoothed):
    smooth = create_smoother(TrackerOptions(running_mode=running_mode, smooth_landmarks=smooth_landmarks))
    smooth(make_result(0.0), 0.0)
    raw = make_result(3.0)
    for name, values in smooth(raw, 0.033)._asdict().items():
        assert np.array_equal(values, getattr(raw, name)) != smoothed
