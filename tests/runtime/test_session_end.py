"""How following ends early: interrupted, failed, with a full disk; and what is left then."""

import signal
import time
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from blazepose.runtime.media import Footage, Frame, open_footage
from blazepose.runtime.session import Summary, follow
from tests.runtime.told import Told, lines, names
from tests.small_disk import small_disk


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_docker_stop_keep_what_has_been_done(video, tmp_path, kind):
    def press(number: int) -> None:
        if number == 2:
            signal.raise_signal(kind)

    # What is started in the background of a shell ignores Ctrl-C.
    before = signal.signal(kind, signal.default_int_handler)
    overlay, records = tmp_path / "seen.mp4", tmp_path / "seen.jsonl"
    try:
        found = follow(open_footage(str(video)), Told(press), (), overlay, records)
        assert signal.getsignal(kind) is signal.default_int_handler
    finally:
        signal.signal(kind, before)
    assert found == Summary(frames=3, with_people=2, people=1, stopped=kind)
    assert len(list(open_footage(str(overlay)).frames)) == len(lines(records)) == 3


def test_ctrl_c_twice_ends_at_once(video, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(number: int) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.3)  # signals that are closer are one
            signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            follow(open_footage(str(video)), Told(press), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == ["in.mp4"]


def test_an_error_midway_leaves_no_files(video, tmp_path):
    def stumble(number: int) -> None:
        if number == 3:
            raise RuntimeError("stumbled")

    with pytest.raises(RuntimeError, match="stumbled"):
        follow(open_footage(str(video)), Told(stumble), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert names(tmp_path) == ["in.mp4"]


def noise(frames: int = 100) -> Iterator[Frame]:
    """Frames that no codec makes small."""
    rng = np.random.default_rng(0)
    for number in range(frames):
        yield Frame(rng.integers(0, 255, (80, 120, 3), np.uint8), number * 33.0)


def test_a_full_disk_is_one_sentence_and_the_other_file_is_kept(tmp_path):
    footage = Footage(noise(200), 200, Fraction(30))
    sentence = r"seen\.mp4 cannot be written: File too large; \S+seen\.jsonl has the first \d+ frames$"
    with small_disk(400_000), pytest.raises(ValueError, match=sentence) as raised:
        follow(footage, Told(), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert names(tmp_path) == ["seen.jsonl"]
    written = len(lines(tmp_path / "seen.jsonl"))
    assert 1 < written < 200
    assert f"the first {written} frames" in str(raised.value)


@pytest.mark.parametrize("frames", [2, 100])
def test_json_lines_that_do_not_fit_are_none(tmp_path, frames):
    """Of two frames only what is buffered to the end."""
    footage = Footage(noise(frames), frames, Fraction(30))
    with small_disk(1000), pytest.raises(ValueError, match=r"seen\.jsonl cannot be written: File too large$"):
        follow(footage, Told(), (), None, tmp_path / "seen.jsonl")
    assert names(tmp_path) == []


def test_a_place_that_refuses_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*arguments) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("blazepose.runtime.session.VideoWriter", refuse)
    with pytest.raises(ValueError, match=r"seen\.mp4 cannot be written: No such file or directory$"):
        follow(Footage(noise(), 100, Fraction(30)), Told(), (), tmp_path / "seen.mp4", None)


def test_footage_without_a_frame_leaves_nothing(tmp_path):
    def nothing() -> Iterator[Frame]:
        yield from ()

    footage = Footage(nothing(), None, Fraction(30))
    with pytest.raises(ValueError, match="there was no frame to look at"):
        follow(footage, Told(), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert names(tmp_path) == []
