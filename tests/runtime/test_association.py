"""Where people who are followed are going, and whom they have passed."""

import numpy as np
import pytest

from blazepose.runtime.association import Track, detect_id_swap, drop_tracked_rois, find_duplicate
from blazepose.runtime.smoothing import PoseSmoother
from tests.runtime.scripted import at, look_at


def track(number: int, x: float, velocity: float = 0.0, seen_ms: float = 0.0) -> Track:
    return Track(number, at(x), seen_ms, PoseSmoother(), (velocity, 0.0))


def test_the_velocity_is_learned():
    somebody = track(0, 100)
    for k in range(1, 30):
        somebody.move(at(100 + 6 * k, 240 - 3 * k), 30.0 * k)
    assert somebody.velocity == pytest.approx((0.2, -0.1), rel=1e-3)
    x, y = 100 + 6 * 29, 240 - 3 * 29
    assert somebody.expected(30.0 * 29 + 10) == pytest.approx((x + 2, y - 1), abs=0.1)
    assert somebody.expected(1e9) == pytest.approx((x + 0.2 * 300, y - 0.1 * 300), abs=0.1)
    somebody.move(at(274), 30.0 * 29)  # the same time again says nothing of the velocity
    assert somebody.velocity == pytest.approx((0.2, -0.1), rel=1e-3)


@pytest.mark.parametrize("tick_ms", [1 / 90, 1e-6])
def test_a_frame_a_tick_later_does_not_change_the_velocity(tick_ms):
    """Or somebody who walks 6 px a frame would be expected a screen away."""
    somebody = track(0, 100, velocity=0.2)
    somebody.move(at(106), tick_ms)
    assert somebody.velocity[0] == pytest.approx(0.2 + 6 / 93, rel=1e-3)
    somebody.move(at(106), 30.0)
    assert 0.15 < somebody.velocity[0] < 0.2


def test_each_person_claims_the_nearest_roi_and_no_more():
    seen = [(track(0, 100), look_at(at(100), at(100)))]
    assert drop_tracked_rois([at(120), at(103), at(400)], seen) == [at(120), at(400)]
    assert drop_tracked_rois([at(180)], seen) == [at(180)]
    assert drop_tracked_rois([], seen) == []


def test_who_has_the_same_landmarks_is_the_same():
    first = track(0, 100)
    seen = [(first, look_at(at(100), at(100)))]
    assert find_duplicate(look_at(at(112), at(150)), seen) is first
    assert find_duplicate(look_at(at(118), at(100)), seen) is None
    assert find_duplicate(look_at(at(100), at(100)), []) is None


@pytest.mark.parametrize(
    ("back_at", "stayed_at", "as_thought"), [(150, 250, True), (250, 150, False), (199, 201, True)]
)
def test_who_parts_goes_on(back_at, stayed_at, as_thought):
    """Both were at 200, the one who is lost going left and the other right, 0.5 px a millisecond."""
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    lost.meet(stayed)
    stayed.move(at(stayed_at), 100.0)
    seen = [(stayed, look_at(at(stayed_at), at(stayed_at)))]
    found = detect_id_swap(lost, at(back_at), seen, 100.0)
    assert found is (None if as_thought else stayed)


def test_who_met_nobody_or_somebody_gone_has_passed_nobody():
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    seen = [(stayed, look_at(at(150), at(150)))]
    assert detect_id_swap(lost, at(250), seen, 100.0) is None
    lost.meet(stayed)
    assert detect_id_swap(lost, at(250), seen, 100.0) is stayed
    assert detect_id_swap(lost, at(250), [], 100.0) is None


def test_a_meeting_is_remembered_as_it_was():
    lost, stayed = track(0, 200), track(1, 210)
    lost.meet(stayed)
    stayed.move(at(300), 100.0)
    assert lost.met is not None
    assert (lost.met.roi, lost.met.id) == (at(210), 1)
    np.testing.assert_array_equal(lost.met.velocity, 0)
