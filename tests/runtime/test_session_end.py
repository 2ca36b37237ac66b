"""How following ends early: interrupted, failed, with a full disk; and what is left then."""

import logging
import signal
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.runtime.media import Frame, MediaSource, open_source
from blazepose.runtime.session import TrackingSummary, track_source
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
        found = track_source(open_source(str(video)), Told(press), (), overlay, records)
        assert signal.getsignal(kind) is signal.default_int_handler
    finally:
        signal.signal(kind, before)
    assert found == TrackingSummary(frames=3, with_people=2, people=1, stopped=kind)
    assert len(list(open_source(str(overlay)).frames)) == len(lines(records)) == 3


def test_ctrl_c_twice_ends_at_once(video, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(number: int) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.3)  # signals that are closer are one
            signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            track_source(
                open_source(str(video)), Told(press), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl"
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == ["in.mp4"]


def test_an_error_midway_leaves_no_files(video, tmp_path):
    def stumble(number: int) -> None:
        if number == 3:
            raise RuntimeError("stumbled")

    with pytest.raises(RuntimeError, match="stumbled"):
        track_source(
            open_source(str(video)), Told(stumble), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl"
        )
    assert names(tmp_path) == ["in.mp4"]


def noise(frames: int = 100) -> Iterator[Frame]:
    """Frames that no codec makes small."""
    rng = np.random.default_rng(0)
    for number in range(frames):
        yield Frame(rng.integers(0, 255, (80, 120, 3), np.uint8), number * 33.0)


def test_a_full_disk_is_one_sentence_and_the_other_file_is_kept(tmp_path):
    footage = MediaSource(noise(200), 200, Fraction(30))
    sentence = r"seen\.mp4 cannot be written: File too large; \S+seen\.jsonl has the first \d+ frames$"
    with small_disk(400_000), pytest.raises(ValueError, match=sentence) as raised:
        track_source(footage, Told(), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert names(tmp_path) == ["seen.jsonl"]
    written = len(lines(tmp_path / "seen.jsonl"))
    assert 1 < written < 200
    assert f"the first {written} frames" in str(raised.value)


@pytest.mark.parametrize("frames", [2, 100])
def test_json_lines_that_do_not_fit_are_none(tmp_path, frames):
    """Of two frames only what is buffered to the end."""
    footage = MediaSource(noise(frames), frames, Fraction(30))
    with small_disk(1000), pytest.raises(ValueError, match=r"seen\.jsonl cannot be written: File too large$"):
        track_source(footage, Told(), (), None, tmp_path / "seen.jsonl")
    assert names(tmp_path) == []


def test_a_place_that_refuses_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*arguments) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("blazepose.runtime.session.VideoWriter", refuse)
    with pytest.raises(ValueError, match=r"seen\.mp4 cannot be written: No such file or directory$"):
        track_source(MediaSource(noise(), 100, Fraction(30)), Told(), (), tmp_path / "seen.mp4", None)


def test_footage_without_a_frame_leaves_nothing(tmp_path):
    def nothing() -> Iterator[Frame]:
        yield from ()

    footage = MediaSource(nothing(), None, Fraction(30))
    with pytest.raises(ValueError, match="there was no frame to look at"):
        track_source(footage, Told(), (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert names(tmp_path) == []


def save(path: Path, width: int = 120) -> None:
    """Write a PNG under any name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((8, width, 3), 90, np.uint8))[1])


def test_the_longest_names_and_those_that_are_no_text_get_overlays(tmp_path):
    pictures = ["a" * 251 + ".png", "姿" * 83 + ".jpeg", "caf\udce9.png"]
    for name in pictures:
        save(tmp_path / "in" / name)
    assert (
        track_source(open_source(str(tmp_path / "in")), Told(video=False), (), tmp_path / "out").frames == 3
    )
    assert names(tmp_path / "out") == sorted(pictures)


def test_pictures_that_differ_in_their_suffix_alone_get_two_overlays(tmp_path):
    for name in ("a.png", "a.jpg", "a.JPG"):
        save(tmp_path / "in" / name)
    track_source(open_source(str(tmp_path / "in")), Told(video=False), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["a.JPG", "a.jpg", "a.png"]


def test_an_overlay_is_not_written_over_that_of_another_picture(tmp_path, caplog):
    """What cannot be written in its own format becomes a JPEG of a longer name."""
    save(tmp_path / "in/a.avif", width=40)
    save(tmp_path / "in/a.avif.jpg", width=80)
    track_source(open_source(str(tmp_path / "in")), Told(video=False), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["a.avif.jpg"]
    assert cv2.imread(str(tmp_path / "out/a.avif.jpg")).shape[1] == 40
    assert "a.avif.jpg cannot be written: it is the overlay of another picture; left out" in caplog.text


def test_a_picture_whose_overlay_cannot_be_written_does_not_end_the_run(tmp_path, caplog):
    out = tmp_path
    while len(str(out)) < 3800:
        out /= "d" * 200
    for name in ("a.png", "b" * 240 + ".png", "c/" + "c" * 240 + ".png", "d.png"):
        save(tmp_path / "in" / name)
    save(tmp_path / "in/wide.webp", width=20_000)
    with caplog.at_level(logging.WARNING):
        found = track_source(
            open_source(str(tmp_path / "in")), Told(video=False), (), out, tmp_path / "all.jsonl"
        )
    assert (found.frames, len(lines(tmp_path / "all.jsonl"))) == (5, 5)
    assert names(out) == ["a.png", "d.png"]
    assert [record.message.rpartition("/")[2] for record in caplog.records] == [
        "b" * 240 + ".png cannot be written: File name too long; left out",
        "c" * 240 + ".png cannot be written: File name too long; left out",
        "wide.webp cannot be written: OpenCV writes no .webp of 20000x8 pixels; left out",
    ]


def test_a_folder_of_which_no_overlay_can_be_written_is_an_error(tmp_path):
    for name in ("a.webp", "b.webp"):
        save(tmp_path / "in" / name, width=20_000)
    with pytest.raises(ValueError, match=r"out cannot be written: OpenCV writes no \.webp of 20000x8 pixels"):
        track_source(open_source(str(tmp_path / "in")), Told(video=False), (), tmp_path / "out")


def test_a_full_disk_ends_a_folder(tmp_path):
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        save(tmp_path / "in" / name)
    with small_disk(2000), pytest.raises(ValueError, match=r"out cannot be written: File too large$"):
        track_source(open_source(str(tmp_path / "in")), Told(video=False), (), tmp_path / "out")
    assert not any((tmp_path / "out").rglob("*"))
