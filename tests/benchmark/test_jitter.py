"""Jitter of pipelines that are known."""

import numpy as np
import pytest

from blazepose.benchmark.jitter import measure_jitter
from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_HIP

PICTURE = np.full((64, 64, 3), 127, np.uint8)


def person() -> np.ndarray:
    points = np.tile([30.0, 30.0], (33, 1))
    points[RIGHT_HIP] += (0, 20)
    return points


def test_shifts_of_the_picture_are_no_jitter():
    """A pipeline that follows a bright square exactly."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[20:40, 20:40] = 255

    def follow(frame: np.ndarray, time_ms: int) -> np.ndarray:
        weights = np.where(frame[..., 0] > 60, frame[..., 0], 0).astype(float)
        rows, columns = np.indices(weights.shape)
        center = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
        return person() - 30 + center

    still = measure_jitter({"follows": follow, "ignores": lambda *_: person()}, picture, 40)
    assert still["follows"].worst < 0.2 * still["ignores"].worst


def test_noise_of_one_landmark():
    """Steps of one pixel, where the torso is 20, on top of the shifts that a still person does not follow."""
    steps = iter(range(1000))

    def shake(frame: np.ndarray, time_ms: int) -> np.ndarray:
        points = person()
        points[LEFT_SHOULDER - 1, 0] += 10 * (next(steps) % 2)
        return points

    jitter = measure_jitter({"shakes": shake}, PICTURE, 200)["shakes"]
    assert jitter.worst == pytest.approx(100 * 5 / 20, rel=0.05)
    assert jitter.mean == pytest.approx((25 + 32 * 100 * np.sqrt(2 / 12) / 20) / 33, rel=0.1)


def test_a_pipeline_that_loses_the_person():
    times = []

    def lose(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        times.append(time_ms)
        return None if time_ms == 66 else person()

    assert measure_jitter({"loses": lose}, PICTURE, 5) == {"loses": None}
    assert times == [0, 33, 66, 99, 132]
