"""Correction of wrong timestamps."""

import numpy as np
import pytest

from blazepose.runtime.clock import WINDOW, Clock

STEP = 1000 / 30
HOUR = 3600e3
WRAP = 2**33 / 90
REGULAR = [k * STEP for k in range(60)]
SCREEN = [k * 1000 / 60 for k in range(90)] + [1500 + 1000.0 * k for k in range(20)]


def rise(own_ms, step_ms: float = STEP) -> list[float]:
    """Return the output for a video of these timestamps."""
    frames = list(Clock(step_ms).rise(enumerate(own_ms)))
    assert [number for number, _ in frames] == list(range(len(own_ms)))
    times_ms = [time_ms for _, time_ms in frames]
    assert (np.diff(times_ms) > 0).all()
    return times_ms


@pytest.mark.parametrize("step_ms", [1.0, STEP, 5000.0])
@pytest.mark.parametrize(
    "own",
    [
        REGULAR,
        SCREEN,
        [500 + t for t in REGULAR],
        [t + (t > 900) * 5 * HOUR for t in REGULAR],
        [float(round(t)) for t in REGULAR],
        [0.0],
        [],
    ],
)
def test_good_timestamps_are_unchanged(own, step_ms):
    """For any frame rate, pauses of hours, and any mean interval."""
    assert rise(own, step_ms) == own


@pytest.mark.parametrize(
    "wrong",
    [
        {20: 100.0},  # earlier
        {20: None, 21: None, 22: None},
        {20: 1e6, 21: 2e6, 22: 2.1e6},  # too late
        {20: 9e12},
        {20: -9e12, 21: None, 22: 50.0},
        {20: 19 * STEP, 30: None, 40: 0.0, 50: 1e5},
        {0: None},
        {0: 9e12},
        {59: None},
        {59: 0.0},
        {60 - k: None for k in range(1, 20)},
    ],
)
def test_wrong_timestamps_are_corrected_and_the_others_unchanged(wrong):
    times_ms = rise([wrong.get(k, time_ms) for k, time_ms in enumerate(REGULAR)])
    for k, time_ms in enumerate(REGULAR):
        assert times_ms[k] == pytest.approx(time_ms, abs=STEP / 2 + 1e-6 if k in wrong else 0)


def test_a_repeated_timestamp_of_a_screen_recording_changes_no_other():
    """60 frames a second, then one: the mean interval is far from both."""
    own = [*SCREEN]
    own[20] = own[19]
    times_ms = rise(own, step_ms=200.0)
    assert times_ms[:20] + times_ms[21:] == SCREEN[:20] + SCREEN[21:]
    assert times_ms[20] == pytest.approx((SCREEN[19] + SCREEN[21]) / 2)
    own[90] = None  # where one a second begins: as long after the last as that was
    assert rise(own, step_ms=200.0)[90] == pytest.approx(SCREEN[90], abs=17)


def damaged(seed: int) -> tuple[np.ndarray, list[float | None], np.ndarray]:
    """Return true timestamps, those of a file in which some are wrong, and the mask of these.

    Frame rates vary; up to three in a row are repeated, earlier, missing or much later, five apart at least.
    """
    rng = np.random.default_rng(seed)
    kinds = [np.full(99, STEP), rng.uniform(16, 50, 99), np.repeat([1000 / 60, 1000, 40], 33)]
    true = np.round(np.cumsum(kinds[seed % 3]), 3)
    own: list[float | None] = true.tolist()
    wrong, k = np.zeros(99, bool), 1
    while (k := k + int(rng.geometric(0.2))) < 99 - WINDOW:
        kind, wrong[k : k + (run := int(rng.integers(1, 4)))] = rng.integers(4), True
        for n in range(k, k + run):
            earlier, later = true[n] - rng.uniform(3500, 9000), true[n] + rng.uniform(9e3, 9e6)
            own[n] = [own[k - 1], float(earlier), None, float(later)][kind]
        k += run + 5
    return true, own, wrong


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_damage_changes_no_other_timestamps(first):
    """Credible timestamps are exact; the others are between their neighbors."""
    for seed in range(first, first + 50):
        true, own, wrong = damaged(seed)
        times_ms = np.array(rise(own, float(np.diff(true).mean())))
        assert wrong.any()
        np.testing.assert_array_equal(times_ms[~wrong], true[~wrong])


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_small_falls_cause_less_than_an_interval_of_error(first):
    """If two timestamps contradict each other, either may be the wrong one."""
    for seed in range(first, first + 50):
        true, _, _ = damaged(seed)
        own, wrong = true.copy(), np.random.default_rng(seed).permutation(99) % 10 == 0
        wrong[1:] &= ~wrong[:-1]
        own[wrong] -= np.random.default_rng(seed).uniform(0, 2000, wrong.sum())
        times_ms = np.array(rise(own.tolist(), float(np.diff(true).mean())))
        correct = true[~wrong]
        assert (np.abs(times_ms[~wrong] - correct) < np.diff(correct, prepend=-STEP)).all()


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_output_rises_for_any_input(first):
    for seed in range(first, first + 50):
        rng = np.random.default_rng(seed)
        times = rng.integers(-5, 6, 60) * 10.0 ** rng.integers(-6, 19)
        own = [None if missing else float(t) for t, missing in zip(times, rng.random(60) < 0.2, strict=True)]
        assert np.isfinite(rise(own, float(rng.choice([0.01, STEP, 1e5])))).all()


def test_without_timestamps_frames_are_one_interval_apart():
    assert rise([None] * 60) == pytest.approx(REGULAR)
    assert rise([0.0] * 60) == pytest.approx(REGULAR)


def test_a_clock_that_was_reset_continues():
    """Joined files have one; the intervals of the second are its own."""
    second = [0.0, 20.0, 90.0, 100.0, *(100 + t for t in REGULAR[1:])]
    times_ms = rise([*REGULAR, *second, *second])
    assert times_ms[:60] == REGULAR
    for part in (times_ms[60:123], times_ms[123:]):
        assert np.diff(part) == pytest.approx(np.diff(second))
    assert [times_ms[60] - times_ms[59], times_ms[123] - times_ms[122]] == pytest.approx([STEP, STEP])


def test_a_clock_set_far_ahead_continues():
    clock = Clock(STEP)
    ahead = [t + 26 * HOUR for t in REGULAR]
    times_ms = [time_ms for _, time_ms in clock.rise(enumerate([*REGULAR, *ahead]))]
    assert times_ms == pytest.approx([k * STEP for k in range(120)])
    assert clock.shift_ms == pytest.approx(60 * STEP - 26 * HOUR)
    assert rise(ahead) == pytest.approx(REGULAR)


@pytest.mark.parametrize("first", [None, -500.0, -1e-4, 1e8])
def test_a_video_starts_at_0(first):
    assert rise([first, *REGULAR[1:]], step_ms=500.0) == REGULAR
    assert rise([t - 500 for t in REGULAR]) == pytest.approx(REGULAR)
    assert rise([first, None, *REGULAR[2:]])[1] == pytest.approx(STEP)


def test_a_long_fall_ends_with_the_files_own_timestamps():
    own = [*REGULAR[:20], *(t / 9 for t in REGULAR[20:50]), *(t + 500 for t in REGULAR[50:])]
    times_ms = rise(own)
    assert times_ms[:20] + times_ms[50:] == own[:20] + own[50:]


def test_a_clock_that_wraps_continues_with_its_own_pause():
    true = [WRAP - 500 + t + 3000 * (t > 500) for t in REGULAR]
    start = true[0]
    times_ms = rise([t % WRAP - start for t in true])
    assert times_ms == pytest.approx([t - start for t in true], abs=1e-6)


def test_regular_frames_are_not_delayed_and_others_by_at_most_a_window():
    taken = []
    own = [*REGULAR, *(t + HOUR for t in REGULAR)]
    frames = ((taken.append(k) or k, time_ms) for k, time_ms in enumerate(own))
    waits = [taken[-1] - k for k, _ in Clock(STEP).rise(frames)]
    assert waits[:60] == [0] * 60
    assert max(waits) == WINDOW - 1
    assert waits[-50:] == [0] * 50
