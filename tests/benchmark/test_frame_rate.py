"""Frames per second by turns."""

import numpy as np
import pytest

from blazepose.benchmark.frame_rate import measure_frame_rates, read_frames
from blazepose.exceptions import MissingFileError


def test_pipelines_take_turns_and_their_clocks_rise():
    calls = []
    runners = {name: lambda frame, time_ms, name=name: calls.append((name, time_ms)) for name in "ab"}
    rates = measure_frame_rates(runners, [np.zeros((2, 2, 3), np.uint8)] * 2, rounds=2)
    assert calls == [
        *[("a", 0), ("a", 33), ("b", 0), ("b", 33)],
        *[("a", 66), ("a", 99), ("b", 66), ("b", 99)],
    ]
    assert {name: len(values) for name, values in rates.items()} == {"a": 2, "b": 2}


def test_a_missing_video(tmp_path):
    with pytest.raises(MissingFileError, match=r"no\.mp4 is missing; name a video"):
        read_frames(tmp_path / "no.mp4")
