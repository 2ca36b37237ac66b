"""Motion of tracks."""

import numpy as np
import pytest

from blazepose.runtime.smoothing import keep_unsmoothed
from blazepose.runtime.track import Track
from tests.runtime.scripted import at


def track(number: int, x: float, velocity: float = 0.0) -> Track:
    return Track(number, at(x), 0.0, keep_unsmoothed, (velocity, 0.0))


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


def test_a_merge_stores_a_copy_of_the_track():
    lost, stayed = track(0, 200), track(1, 210)
    lost.merge_with(stayed)
    stayed.update(at(300), 100.0)
    assert lost.merged_with is not None
    assert (lost.merged_with.roi, lost.merged_with.id) == (at(210), 1)
    np.testing.assert_array_equal(lost.merged_with.velocity, 0)
