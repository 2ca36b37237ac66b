"""Videos with late, wrapped, joined, wrong or missing timestamps; damaged videos."""

import logging
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from blazepose.runtime import video_reader
from blazepose.runtime.media import open_source
from blazepose.runtime.video_reader import Damage, arrival_times, decode_frames

REGULAR = [k * 1000 / 30 for k in range(60)]
HOUR = 3600e3


def number_image(number: int) -> np.ndarray:
    """Return an image that shows a number of 8 bits."""
    bits = [255 * (number >> bit & 1) for bit in range(8)]
    return np.repeat(np.array(bits, np.uint8), 16)[None, :, None].repeat(64, 0).repeat(3, 2)


def numbers(images) -> list[int]:
    return [sum(int(image[32, 16 * bit + 8].mean() > 127) << bit for bit in range(8)) for image in images]


def write(path: Path, times_ms, codec="libx264", base=Fraction(1, 90_000), container=None, **options) -> Path:
    """Write a video of numbered images."""
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.options = 128, 64, "yuv420p", options
        stream.codec_context.time_base = base
        for number, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(number_image(number), format="rgb24")
            frame.time_base, frame.pts = base, round(time_ms / 1000 / base)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def read(path: Path) -> tuple[list[int], list[float]]:
    """Return the numbers of the images, and the timestamps."""
    frames = list(open_source(str(path)).frames)
    return numbers(frame.image for frame in frames), [frame.time_ms for frame in frames]


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "mpeg2video"])
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_frames_of_avi_have_their_order_and_times(tmp_path, codec, b_frames):
    """With B-frames, too; with a gap, which AVI fills with empty packets."""
    expected = [t + 500 * (k > 25) for k, t in enumerate(REGULAR)]
    shown, times = read(write(tmp_path / "a.avi", expected, codec, Fraction(1, 30), bf=b_frames))
    assert shown == list(range(60))
    assert times == pytest.approx(expected, abs=0.01)


def test_wrong_timestamps_change_no_others(tmp_path, caplog):
    path = write(tmp_path / "a.mkv", REGULAR, base=Fraction(1, 1000), bf="0")
    true = [float(round(t)) for t in REGULAR]
    with av.open(str(path)) as video:
        places = [packet.pos for packet in video.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number, time_ms in ((20, 633), (30, 400), (40, 30_000), (41, 5)):
        struct.pack_into(">h", content, places[number] + 1, time_ms)  # in the block, after its track
    path.write_bytes(content)
    shown, times = read(path)
    assert shown == list(range(60))
    for number, (time_ms, true_ms) in enumerate(zip(times, true, strict=True)):
        assert time_ms == pytest.approx(true_ms, abs=20 if number in (20, 30, 40, 41) else 0)
    assert not caplog.text


def test_a_video_without_timestamps_has_those_of_its_rate(tmp_path):
    shown, times = read(write(tmp_path / "a.h264", REGULAR))
    assert shown == list(range(60))
    assert np.diff(times) == pytest.approx(40)  # FFmpeg's default rate


@pytest.mark.parametrize("offset_s", [0, 100, 2**33 / 90_000 - 0.5])
def test_a_broadcast_may_start_at_any_time_and_wrap(tmp_path, caplog, offset_s):
    path = write(tmp_path / "a.ts", REGULAR, container={"output_ts_offset": str(offset_s)})
    with caplog.at_level(logging.WARNING):
        assert read(path) == (list(range(60)), pytest.approx(REGULAR, abs=0.1))
    assert not caplog.text


@pytest.mark.parametrize("offsets_s", [(0, 0), (100, 0), (5, 3)])
def test_joined_broadcasts_continue(tmp_path, caplog, offsets_s):
    """If the second starts earlier than the first, FFmpeg assumes a wrap, and a length of a day."""
    parts = [
        write(tmp_path / f"{k}.ts", REGULAR, container={"output_ts_offset": str(offset_s)})
        for k, offset_s in enumerate(offsets_s)
    ]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with caplog.at_level(logging.WARNING):
        shown, times = read(tmp_path / "both.ts")
    assert shown == [*range(60), *range(60)]
    assert times == pytest.approx([k * 1000 / 30 for k in range(120)], abs=0.1)
    assert not caplog.text


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "flv"])
def test_a_late_start_is_no_missing_end(tmp_path, caplog, suffix):
    """Matroska and Flash store their length from zero."""
    path = write(tmp_path / f"a.{suffix}", [t + 5000 for t in REGULAR])
    with caplog.at_level(logging.WARNING):
        assert read(path)[1] == pytest.approx(REGULAR, abs=1)
    assert not caplog.text


@pytest.mark.parametrize("start_ms", [0, 5000])
def test_a_missing_end_is_detected_for_any_start(tmp_path, caplog, start_ms):
    path = write(tmp_path / "a.mkv", [t + start_ms for t in REGULAR], g="10", crf="1")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with caplog.at_level(logging.WARNING):
        read(path)
    assert re.search(r"a\.mkv ends at 1\.\d\d of the 2\.00 s that it states", caplog.text)


def test_a_clock_set_far_ahead_is_no_missing_end(tmp_path, caplog):
    times = [t + (k > 30) * 8 * HOUR for k, t in enumerate(REGULAR)]
    with caplog.at_level(logging.WARNING):
        assert read(write(tmp_path / "a.mkv", times))[1] == pytest.approx(REGULAR, abs=2)
    assert not caplog.text


def test_damage_all_over_a_long_video_does_not_end_it(monkeypatch):
    """Only packets in a row end it."""
    monkeypatch.setattr(video_reader, "_MAX_DAMAGED_RUN", 1)

    class Packet:
        is_corrupt = False

        def __init__(self, number: int) -> None:
            self.number = number

        def decode(self) -> list[int]:
            if self.number % 2:
                raise av.error.InvalidDataError(1, "damaged")
            return [self.number]

    class Container:
        def demux(self, stream: None) -> Iterator[Packet]:
            return map(Packet, range(10))

    assert list(decode_frames(Container(), None, Damage())) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("name", ["pi.h264", "pi.m4v"])
def test_a_bare_stream_has_the_rate_that_its_codec_states(tmp_path, caplog, name):
    times_ms = [k * 1000 / 60 for k in range(20)]
    codec = "libx264" if name == "pi.h264" else "mpeg4"
    source = open_source(str(write(tmp_path / name, times_ms, codec, base=Fraction(1, 60))))
    assert float(source.fps) == pytest.approx(60, rel=0.1)
    assert [frame.time_ms for frame in source.frames] == pytest.approx(times_ms)
    assert not caplog.messages


@pytest.mark.parametrize("name", ["pi.h264", "pi.mjpeg", "pi.MJPG"])
def test_the_assumed_rate_of_a_bare_stream_is_warned_of(tmp_path, caplog, name):
    """Its encoder states 90,000 frames a second, or none."""
    path = tmp_path / name
    if name == "pi.h264":
        write(path, REGULAR)
    else:
        images = [cv2.imencode(".jpg", number_image(k))[1].tobytes() for k in range(len(REGULAR))]
        path.write_bytes(b"".join(images))
    frames = list(open_source(str(path)).frames)
    assert numbers(frame.image for frame in frames) == list(range(len(REGULAR)))
    assert [frame.time_ms for frame in frames] == pytest.approx([40 * k for k in range(len(REGULAR))])
    assert caplog.messages == [
        f"{path} has no timestamps: 25 frames a second are assumed; to set another rate, run "
        f"ffmpeg -framerate RATE -i {path} VIDEO.mp4"
    ]


def test_frames_without_timestamps_have_their_arrival_times(monkeypatch):
    clock = SimpleNamespace(monotonic=iter([7.0, 7.25, 8.0]).__next__)
    monkeypatch.setattr(video_reader, "time", clock)
    assert list(arrival_times("abc")) == [("a", 0.0), ("b", 250.0), ("c", 1000.0)]


def test_a_second_video_stream_is_warned_of(tmp_path, caplog):
    """Cameras with two lenses write them."""
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        packets = []
        for k, stream in enumerate([file.add_stream("mpeg4", rate=30) for _ in range(2)]):
            stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
            packets += stream.encode(av.VideoFrame.from_ndarray(number_image(k), format="rgb24"))
            packets += stream.encode(None)
        file.mux(packets)
    assert read(tmp_path / "a.mp4")[0] == [0]
    (warning,) = caplog.messages
    assert re.search(
        r"a\.mp4 has 2 video streams, of which one is used; .* -i \S+a\.mp4 -map 0:v:1 ", warning
    )
