"""Videos written and read again, damaged and truncated videos, images, other files."""

import logging
import re
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from blazepose.image import ImageError
from blazepose.runtime.media import Frame, VideoWriter, open_source

TIMES_MS = [0, 33, 50, 133, 205, 233, 250, 300, 412, 433, 466, 500]
COLORS = [(20 * k, 255 - 20 * k, 50 * k % 256) for k in range(len(TIMES_MS))]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def write_video(path: Path, images, times_ms=TIMES_MS) -> Path:
    with VideoWriter(path, Fraction(30)) as video:
        for image, time_ms in zip(images, times_ms, strict=True):
            video.write(image, float(time_ms))
    return path


def read(path: Path) -> list[Frame]:
    return list(open_source(str(path)).frames)


def noise(frames: int = 12) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (frames, 64, 96, 3), dtype=np.uint8))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("start_ms", [0, 500])
def test_frames_keep_their_times_and_colors(tmp_path, suffix, start_ms):
    """For any start of the recorder's clock."""
    images = [np.full((21, 33, 3), color, np.uint8) for color in COLORS]
    path = write_video(tmp_path / f"a{suffix}", images, np.add(TIMES_MS, start_ms))
    source = open_source(str(path))
    frames = list(source.frames)
    assert source.total in (12, None)
    assert 15 < source.fps < 40
    assert [frame.time_ms for frame in frames] == pytest.approx(TIMES_MS, abs=1)
    assert {frame.image.shape for frame in frames} == {(22, 34, 3)}
    assert {frame.image.dtype for frame in frames} == {np.dtype(np.uint8)}
    assert {frame.path for frame in frames} == {None}
    np.testing.assert_allclose([f.image.mean(axis=(0, 1)) for f in frames], COLORS, atol=12)


def test_frames_of_another_size_are_scaled(tmp_path):
    left_red = np.zeros((80, 60, 3), np.uint8)
    left_red[:, :30] = RED
    path = write_video(tmp_path / "a.mp4", [np.zeros((40, 30, 3), np.uint8), left_red], [0, 33])
    _, second = read(path)
    assert second.image.shape == (40, 30, 3)
    np.testing.assert_allclose(second.image[20, 5], RED, atol=25)
    np.testing.assert_allclose(second.image[20, 25], 0, atol=25)


def truncate(path: Path, fraction: float) -> Path:
    """Write the beginning of a file."""
    part = path.with_stem("cut")
    part.write_bytes(path.read_bytes()[: int(fraction * path.stat().st_size)])
    return part


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.97])
def test_a_truncated_video_yields_its_frames(tmp_path, fraction):
    whole = write_video(tmp_path / "whole.mkv", noise())
    frames = read(truncate(whole, fraction))
    assert 1 <= len(frames) < 12
    for ours, original in zip(frames, read(whole), strict=False):
        assert ours.time_ms == pytest.approx(original.time_ms, abs=1)


def test_a_missing_end_is_warned_of(tmp_path, caplog):
    """A Matroska file does not store the number of frames, but its length."""
    with caplog.at_level(logging.WARNING):
        read(truncate(write_video(tmp_path / "whole.mkv", noise()), 0.5))
    assert re.search(r"cut\.mkv ends at 0\.[1-3]\d of the 0\.5\d s that it states", caplog.text)


def test_a_truncated_mp4_with_its_index_in_front_is_warned_of(tmp_path, caplog):
    whole, fast = write_video(tmp_path / "whole.mp4", noise()), tmp_path / "fast.mp4"
    with av.open(str(whole)) as source, av.open(str(fast), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert len(read(fast)) == 12
    with caplog.at_level(logging.WARNING):
        half = truncate(fast, 0.6)
        with av.open(str(half)) as container:
            whole_packets = sum(
                packet.size > 0 and not packet.is_corrupt for packet in container.demux(video=0)
            )
        assert len(read(half)) == whole_packets > 3
    assert re.search(r"cut\.mp4 ends at 0\.[1-3]\d of the 0\.5\d s that it states", caplog.text)


def test_intact_videos_cause_no_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        for suffix in (".mp4", ".mkv", ".mov"):
            read(write_video(tmp_path / f"a{suffix}", noise()))
    assert not caplog.text


@pytest.mark.parametrize("packet", [3, 7])
def test_a_damaged_packet_loses_only_its_own_frame(tmp_path, caplog, packet):
    path = write_video(tmp_path / "a.mp4", noise())
    with av.open(str(path)) as container:
        place, pts = [(p.pos, p.pts * p.time_base) for p in container.demux(video=0) if p.size][packet]
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xff" * 4  # the length of the packet
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        times_ms = [frame.time_ms for frame in read(path)]
    remaining = [time_ms for time_ms in TIMES_MS if abs(time_ms - 1000 * pts) > 1]
    assert len(remaining) == 11
    assert times_ms == pytest.approx(remaining, abs=1)
    assert "a.mp4 is damaged: 1 packets of it could not be decoded" in caplog.text
    assert "ends at" not in caplog.text


def test_a_video_truncated_before_its_first_frame_is_refused(tmp_path):
    part = truncate(write_video(tmp_path / "whole.mkv", noise()), 0.02)
    with pytest.raises(ValueError, match=r"cut\.mkv (contains no frame that can|cannot be read as a video)"):
        read(part)


def test_an_mp4_without_index_empty_and_foreign_files_are_refused(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", noise())
    cannot = "cannot be read as a video: Invalid data found when processing input: moov atom not found"
    for content, message in (
        (b"", "is empty: it has 0 bytes; copy it again, or name a video"),
        (b"<html>404</html>", "is not a video, but a web page; download the file itself"),
        (b"no video\n" * 99, f"{cannot}; it begins as text, 'no video'; compare its 891 bytes with .*"),
        (truncate(whole, 0.5).read_bytes(), rf"{cannot}; compare its [\d,]+ bytes with .*"),
    ):
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(ValueError, match=rf"^\S+a\.mp4 {message}$"):
            open_source(str(tmp_path / "a.mp4"))
    assert av.logging.get_level() is None


def test_audio_alone_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"a\.m4a contains no video, only audio, a cover image"):
        open_source(str(tmp_path / "a.m4a"))


@pytest.mark.parametrize("lines", [1, 500])
def test_text_is_refused(tmp_path, lines):
    """FFmpeg would render it as a video."""
    (tmp_path / "notes.txt").write_text("a line of text\n" * lines)
    with pytest.raises(ValueError, match=r"notes\.txt (contains no video, only|cannot be read as a video)"):
        open_source(str(tmp_path / "notes.txt"))


def test_missing_sources_are_refused(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"gone\.mp4 is missing: name an image, a folder, a video, a stream's"
    ):
        open_source(str(tmp_path / "gone.mp4"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty contains no image"):
        open_source(str(tmp_path / "empty"))
    with pytest.raises(ValueError, match="camera 97 is missing, or another program uses it"):
        open_source("97")


def test_a_damaged_image_of_a_folder_is_skipped(tmp_path, caplog):
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), np.full((9, 9, 3), 90, np.uint8))
    (tmp_path / "b.png").write_bytes(b"no image")
    frames = list(open_source(str(tmp_path)).frames)
    assert [frame.path.name for frame in frames] == ["a.png", "c.png"]
    assert "b.png" in caplog.text
    for name in ("a.png", "c.png"):
        (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"c\.png"):
        list(open_source(str(tmp_path)).frames)


def test_a_number_is_a_file_if_one_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("97.png", np.full((9, 9, 3), 90, np.uint8))
    Path("97.png").rename("97")
    assert open_source("97").total == 1


def test_a_name_with_a_colon_is_not_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(Path("12:30.mp4"), noise())
    assert len(read(Path("12:30.mp4"))) == 12


def test_images_are_in_order_and_have_their_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "in").mkdir()
    for name, color in (("b.png", GREEN), ("a.png", RED), ("c.PNG", BLUE)):
        cv2.imwrite(str(tmp_path / "in" / name), np.full((9, 9, 3), color[::-1], np.uint8))
    (tmp_path / "in/notes.txt").write_text("no image")
    source = open_source("~/in")
    assert (source.total, source.fps) == (3, None)
    frames = list(source.frames)
    assert [frame.path for frame in frames] == [
        tmp_path / "in" / name for name in ("a.png", "b.png", "c.PNG")
    ]
    assert [tuple(frame.image[0, 0].tolist()) for frame in frames] == [RED, GREEN, BLUE]
    assert {frame.time_ms for frame in frames} == {None}
    single = open_source(str(tmp_path / "in/b.png"))
    assert (single.total, single.fps) == (1, None)
    assert next(single.frames).path == tmp_path / "in/b.png"


def test_a_number_is_a_folder_if_one_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("2024").mkdir()
    cv2.imwrite("2024/a.png", np.full((9, 9, 3), 90, np.uint8))
    assert open_source("2024").total == 1
