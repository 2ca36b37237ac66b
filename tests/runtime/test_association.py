"""Motion of tracks, duplicates, and id swaps."""

import numpy as np
import pytest

from blazepose.runtime.association import Track, detect_id_swap, drop_tracked_rois, find_duplicate
from blazepose.runtime.smoothing import PoseSmoother
from tests.runtime.scripted import at, landmarks_of


def track(number: int, x: float, velocity: float = 0.0, last_seen_ms: float = 0.0) -> Track:
    return Track(number, at(x), last_seen_ms, PoseSmoother(), (velocity, 0.0))


def test_velocity_converges():
    person = track(0, 100)
    for k in range(1, 30):
        person.update(at(100 + 6 * k, 240 - 3 * k), 30.0 * k)
    assert person.velocity == pytest.approx((0.2, -0.1), rel=1e-3)
    x, y = 100 + 6 * 29, 240 - 3 * 29
    assert person.predict(30.0 * 29 + 10) == pytest.approx((x + 2, y - 1), abs=0.1)
    assert person.predict(1e9) == pytest.approx((x + 0.2 * 300, y - 0.1 * 300), abs=0.1)
    person.update(at(274), 30.0 * 29)  # the same time again does not change the velocity
    assert person.velocity == pytest.approx((0.2, -0.1), rel=1e-3)


@pytest.mark.parametrize("tick_ms", [1 / 90, 1e-6])
def test_a_frame_a_tick_later_does_not_change_the_velocity(tick_ms):
    """Else a person who walks 6 px a frame would be predicted a screen away."""
    person = track(0, 100, velocity=0.2)
    person.update(at(106), tick_ms)
    assert person.velocity[0] == pytest.approx(0.2 + 6 / 93, rel=1e-3)
    person.update(at(106), 30.0)
    assert 0.15 < person.velocity[0] < 0.2


def test_each_tracked_person_drops_only_the_nearest_roi():
    tracked = [(track(0, 100), landmarks_of(at(100), at(100)))]
    assert drop_tracked_rois([at(120), at(103), at(400)], tracked) == [at(120), at(400)]
    assert drop_tracked_rois([at(180)], tracked) == [at(180)]
    assert drop_tracked_rois([], tracked) == []


def test_equal_landmarks_are_duplicates():
    first = track(0, 100)
    tracked = [(first, landmarks_of(at(100), at(100)))]
    assert find_duplicate(landmarks_of(at(112), at(150)), tracked) is first
    assert find_duplicate(landmarks_of(at(118), at(100)), tracked) is None
    assert find_duplicate(landmarks_of(at(100), at(100)), []) is None


@pytest.mark.parametrize(
    ("lost_x", "stayed_x", "swapped"), [(150, 250, False), (250, 150, True), (199, 201, False)]
)
def test_ids_follow_the_predicted_motion_after_an_occlusion(lost_x, stayed_x, swapped):
    """Both were at 200, the lost person moving left and the other one right, 0.5 px a millisecond."""
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    lost.merge_with(stayed)
    stayed.update(at(stayed_x), 100.0)
    tracked = [(stayed, landmarks_of(at(stayed_x), at(stayed_x)))]
    result = detect_id_swap(lost, at(lost_x), tracked, 100.0)
    assert result is (stayed if swapped else None)


def test_no_swap_without_a_merge_or_without_the_other_track():
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    tracked = [(stayed, landmarks_of(at(150), at(150)))]
    assert detect_id_swap(lost, at(250), tracked, 100.0) is None
    lost.merge_with(stayed)
    assert detect_id_swap(lost, at(250), tracked, 100.0) is stayed
    assert detect_id_swap(lost, at(250), [], 100.0) is None


def test_a_merge_stores_a_copy_of_the_track():
    lost, stayed = track(0, 200), track(1, 210)
    lost.merge_with(stayed)
    stayed.update(at(300), 100.0)
    assert lost.merged_with is not None
    assert (lost.merged_with.roi, lost.merged_with.id) == (at(210), 1)
    np.testing.assert_array_equal(lost.merged_with.velocity, 0)
