"""Frames of a video as FFmpeg decodes them, with the file's own timestamps and length."""

import logging
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

_MAX_DAMAGED_RUN = 1000
"""Damaged packets in a row after which reading of a file ends."""

_CORRUPT_IS_CUT = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""Formats of FFmpeg whose corrupt packets have no end; of a broadcast's, most can be decoded."""

_LENGTH_ESTIMATED = {"mpegts", "mpeg"}
"""Formats of FFmpeg without a stated length: FFmpeg subtracts timestamps, and a restart makes it a day."""

_LENGTH_FROM_ZERO = {"matroska,webm", "flv"}
"""Formats of FFmpeg whose length counts from zero, not from the first frame."""

_MAX_FPS = 1000
"""Frame rate above which that of a bare stream is a default of its encoder. Chosen."""

_NO_TIMESTAMPS = (
    "%s has no timestamps: %s frames a second are assumed; to set another rate, run "
    "ffmpeg -framerate RATE -i %s VIDEO.mp4"
)

_SEVERAL_VIDEOS = (
    "%s has %d video streams, of which one is used; to extract another, run "
    "ffmpeg -i %s -map 0:v:1 -c copy VIDEO.mp4"
)


def describe_open_error(address: str, error: Any) -> str:
    """Return the reason why FFmpeg does not open a file: its error, and the errors of its log."""
    import av

    # FFmpeg's log is off otherwise, since it can block threads that decode.
    level, skip = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as lines, suppress(av.error.FFmpegError, OSError):
            av.open(address).close()
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skip)
    return ": ".join(dict.fromkeys([str(error.strerror), *(text.strip() for *_, text in lines)]))


@dataclass
class Damage:
    """Number of packets that could not be decoded, and the reason why the rest cannot be read."""

    packets: int = 0
    end: str = ""


def decode_frames(container: Any, stream: Any, damage: Damage) -> Generator[Any]:
    """Yield every frame that can be decoded, and count packets that cannot."""
    import av

    packets, run = container.demux(stream), 0
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:  # a damaged container, or a stream that stopped
            damage.end = str(error.strerror)
            with suppress(av.error.FFmpegError):
                yield from stream.codec_context.decode(None)
            return
        if packet.is_corrupt and container.format.name in _CORRUPT_IS_CUT:
            damage.packets += 1  # a decoder that fails on the last packet loses the frames before it, too
            continue
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            damage.packets, run = damage.packets + 1, run + 1
            if run > _MAX_DAMAGED_RUN:
                return
            continue
        run = 0 if frames else run
        yield from frames


def count_video_streams(container: Any) -> int:
    """Count the video streams of a file, without cover images."""
    import av

    cover = av.stream.Disposition.attached_pic
    return sum(not stream.disposition & cover for stream in container.streams.video)


def has_timestamps(container: Any) -> bool:
    """Return whether a format stores timestamps: bare H.264, HEVC and MJPEG do not."""
    import av

    return not av.format.Flags(container.format.flags) & av.format.Flags.no_timestamps


def reopen_at_codec_rate(container: Any, name: str, address: str) -> Any:
    """Reopen a file without timestamps at the rate that its codec states; warn of what a file leaves open.

    Args:
        container: the opened file.
        name: name of the file in warnings.
        address: address of the file for FFmpeg.

    Returns:
        The container to read from.
    """
    import av

    if (count := count_video_streams(container)) > 1:
        log.warning(_SEVERAL_VIDEOS, name, count, name)
    if has_timestamps(container):
        return container
    stream = container.streams.best("video")
    rate = stream.codec_context.framerate
    if not rate or not 1 <= rate <= _MAX_FPS:
        log.warning(_NO_TIMESTAMPS, name, stream.average_rate, name)
        return container
    container.close()
    return av.open(address, options={"framerate": str(rate)})


def arrival_times(frames: Iterable[Any]) -> Iterator[tuple[Any, float]]:
    """Yield decoded frames with the milliseconds since the first arrived."""
    start: float | None = None
    for frame in frames:
        now = time.monotonic()
        start = now if start is None else start
        yield frame, (now - start) * 1000


def read_timestamps(frames: Iterable[Any], container: Any, stream: Any) -> Iterator[tuple[Any, float | None]]:
    """Yield decoded frames with the file's own timestamps in milliseconds since its start, or None.

    AVI does not store when a frame is shown, and B-frames scramble FFmpeg's guess (`pts`). There a frame has
    the `dts` of the packet that completed it, less the frames that the decoder holds back.
    """
    by_dts, start_ms = container.format.name == "avi", (container.start_time or 0) / 1000
    for frame in frames:
        stamp = frame.dts if by_dts or frame.pts is None else frame.pts
        if by_dts and stamp is not None:
            stamp -= stream.codec_context.reorder_depth  # a tick of AVI's clock is a frame
        # The last frames of a codec that is emptied by hand have no clock.
        time_base = frame.time_base or stream.time_base
        yield frame, None if stamp is None else float(stamp * time_base * 1000) - start_ms


def read_length(container: Any) -> float:
    """Return the length that a file states, in milliseconds from its start on; 0 if it states none."""
    if container.format.name in _LENGTH_ESTIMATED:
        return 0.0
    start = container.start_time if container.format.name in _LENGTH_FROM_ZERO else 0
    return ((container.duration or 0) - max(0, start or 0)) / 1000
