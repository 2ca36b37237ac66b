"""Early ends of tracking: signals, errors, full disks; and the files that remain."""

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
from tests.runtime.stub_tracker import StubTracker, lines, names
from tests.small_disk import small_disk


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_sigint_and_sigterm_keep_the_frames_so_far(video, tmp_path, kind):
    def press(number: int) -> None:
        if number == 2:
            signal.raise_signal(kind)

    # A background process of a shell ignores Ctrl-C.
    before = signal.signal(kind, signal.default_int_handler)
    overlay, jsonl = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    try:
        summary = track_source(open_source(str(video)), StubTracker(press), (), overlay, jsonl)
        assert signal.getsignal(kind) is signal.default_int_handler
    finally:
        signal.signal(kind, before)
    assert summary == TrackingSummary(frames=3, with_people=2, people=1, stopped=kind)
    assert len(list(open_source(str(overlay)).frames)) == len(lines(jsonl)) == 3


def test_ctrl_c_twice_ends_at_once(video, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(number: int) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.3)  # closer signals are merged
            signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            track_source(
                open_source(str(video)),
                StubTracker(press),
                (),
                tmp_path / "out.mp4",
                tmp_path / "out.jsonl",
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == ["in.mp4"]


def test_an_error_midway_leaves_no_files(video, tmp_path):
    def fail(number: int) -> None:
        if number == 3:
            raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        track_source(
            open_source(str(video)), StubTracker(fail), (), tmp_path / "out.mp4", tmp_path / "out.jsonl"
        )
    assert names(tmp_path) == ["in.mp4"]


def noise(frames: int = 100) -> Iterator[Frame]:
    """Yield frames that do not compress."""
    rng = np.random.default_rng(0)
    for number in range(frames):
        yield Frame(rng.integers(0, 255, (80, 120, 3), np.uint8), number * 33.0)


def test_with_a_full_disk_the_other_file_is_kept(tmp_path):
    source = MediaSource(noise(200), 200, Fraction(30))
    message = r"out\.mp4 cannot be written: File too large; \S+out\.jsonl has the first \d+ frames$"
    with small_disk(400_000), pytest.raises(ValueError, match=message) as raised:
        track_source(source, StubTracker(), (), tmp_path / "out.mp4", tmp_path / "out.jsonl")
    assert names(tmp_path) == ["out.jsonl"]
    written = len(lines(tmp_path / "out.jsonl"))
    assert 1 < written < 200
    assert f"the first {written} frames" in str(raised.value)


@pytest.mark.parametrize("frames", [2, 100])
def test_json_lines_that_do_not_fit_are_removed(tmp_path, frames):
    """Two frames are buffered to the end."""
    source = MediaSource(noise(frames), frames, Fraction(30))
    with small_disk(1000), pytest.raises(ValueError, match=r"out\.jsonl cannot be written: File too large$"):
        track_source(source, StubTracker(), (), None, tmp_path / "out.jsonl")
    assert names(tmp_path) == []


def test_a_writer_that_fails_to_open_is_a_value_error(tmp_path, monkeypatch):
    def refuse(*arguments) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("blazepose.runtime.session.VideoWriter", refuse)
    with pytest.raises(ValueError, match=r"out\.mp4 cannot be written: No such file or directory$"):
        track_source(MediaSource(noise(), 100, Fraction(30)), StubTracker(), (), tmp_path / "out.mp4", None)


def test_a_source_without_frames_leaves_no_files(tmp_path):
    def no_frames() -> Iterator[Frame]:
        yield from ()

    source = MediaSource(no_frames(), None, Fraction(30))
    with pytest.raises(ValueError, match="the source has no frame"):
        track_source(source, StubTracker(), (), tmp_path / "out.mp4", tmp_path / "out.jsonl")
    assert names(tmp_path) == []


def save(path: Path, width: int = 120) -> None:
    """Write a PNG under any name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((8, width, 3), 90, np.uint8))[1])


def test_long_and_undecodable_names_get_overlays(tmp_path):
    images = ["a" * 251 + ".png", "姿" * 83 + ".jpeg", "caf\udce9.png"]
    for name in images:
        save(tmp_path / "in" / name)
    assert (
        track_source(
            open_source(str(tmp_path / "in")), StubTracker(running_mode="image"), (), tmp_path / "out"
        ).frames
        == 3
    )
    assert names(tmp_path / "out") == sorted(images)


def test_images_that_differ_only_in_their_suffix_get_separate_overlays(tmp_path):
    for name in ("a.png", "a.jpg", "a.JPG"):
        save(tmp_path / "in" / name)
    track_source(open_source(str(tmp_path / "in")), StubTracker(running_mode="image"), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["a.JPG", "a.jpg", "a.png"]


def test_an_overlay_does_not_replace_that_of_another_image(tmp_path, caplog):
    """An image whose format cannot be written gets a JPEG of a longer name."""
    save(tmp_path / "in/a.avif", width=40)
    save(tmp_path / "in/a.avif.jpg", width=80)
    track_source(open_source(str(tmp_path / "in")), StubTracker(running_mode="image"), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["a.avif.jpg"]
    assert cv2.imread(str(tmp_path / "out/a.avif.jpg")).shape[1] == 40
    assert "a.avif.jpg cannot be written: it is the overlay of another image; skipped" in caplog.text


def test_an_image_whose_overlay_cannot_be_written_does_not_end_the_run(tmp_path, caplog):
    out = tmp_path
    while len(str(out)) < 3800:
        out /= "d" * 200
    for name in ("a.png", "b" * 240 + ".png", "c/" + "c" * 240 + ".png", "d.png"):
        save(tmp_path / "in" / name)
    save(tmp_path / "in/wide.webp", width=20_000)
    with caplog.at_level(logging.WARNING):
        summary = track_source(
            open_source(str(tmp_path / "in")),
            StubTracker(running_mode="image"),
            (),
            out,
            tmp_path / "all.jsonl",
        )
    assert (summary.frames, len(lines(tmp_path / "all.jsonl"))) == (5, 5)
    assert names(out) == ["a.png", "d.png"]
    assert [record.message.rpartition("/")[2] for record in caplog.records] == [
        "b" * 240 + ".png cannot be written: File name too long; skipped",
        "c" * 240 + ".png cannot be written: File name too long; skipped",
        "wide.webp cannot be written: OpenCV writes no .webp of 20000x8 pixels; skipped",
    ]


def test_a_folder_without_any_writable_overlay_is_an_error(tmp_path):
    for name in ("a.webp", "b.webp"):
        save(tmp_path / "in" / name, width=20_000)
    with pytest.raises(ValueError, match=r"out cannot be written: OpenCV writes no \.webp of 20000x8 pixels"):
        track_source(
            open_source(str(tmp_path / "in")), StubTracker(running_mode="image"), (), tmp_path / "out"
        )


def test_a_full_disk_ends_a_folder(tmp_path):
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        save(tmp_path / "in" / name)
    with small_disk(2000), pytest.raises(ValueError, match=r"out cannot be written: File too large$"):
        track_source(
            open_source(str(tmp_path / "in")), StubTracker(running_mode="image"), (), tmp_path / "out"
        )
    assert not any((tmp_path / "out").rglob("*"))
