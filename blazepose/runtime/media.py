"""Sources of frames (images, videos, streams, cameras), and the writer of videos."""

import logging
import math
import re
import time
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import cv2
import numpy as np

from blazepose.exceptions import InputError, MissingFileError
from blazepose.file_content import check_file, unreadable
from blazepose.image import IMAGE_SUFFIXES, ImageError, files_below, find_images, read_image
from blazepose.image_header import count_images, is_still_image
from blazepose.orientation import UPRIGHT, image_upright, nearest_orientation
from blazepose.runtime.clock import Clock
from blazepose.runtime.video_reader import (
    Damage,
    arrival_times,
    count_video_streams,
    decode_frames,
    describe_open_error,
    has_timestamps,
    read_length,
    read_timestamps,
    reopen_at_codec_rate,
)

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov"}
"""Suffixes of videos that are written."""

_DEFAULT_FPS = Fraction(30)
"""Frames a second of a source that states none."""

_ADDRESS = re.compile(r"[a-z]+://")
"""Address of a stream: rtsp://, http:// and the others that FFmpeg reads."""

_TIMEOUT_S = 10.0
"""Longest silence of a stream."""

_TEXT_FORMATS = {"tty"}
"""Formats of FFmpeg that render any text as a video."""

_AUDIO_SLACK_MS = 1000
"""Time by which audio may be longer than its video without loss."""

_TIME_BASE = Fraction(1, 90_000)
"""Time base of written videos. Source: MPEG's clock, which divides all usual rates."""


class Frame(NamedTuple):
    """An image, and its time or file.

    Attributes:
        image: uint8 RGB (height, width, 3).
        time_ms: time since the start; None for an image file.
        path: image file; None for a video or camera.
    """

    image: np.ndarray
    time_ms: float | None = None
    path: Path | None = None


@dataclass(frozen=True)
class MediaSource:
    """Frames of images, a video, a stream or a camera.

    Attributes:
        frames: generator of the frames.
        total: number of frames; None if unknown.
        fps: frames a second; None for images.
        folder: folder of the images; None for a single one.
    """

    frames: Generator[Frame]
    total: int | None
    fps: Fraction | None
    folder: Path | None = None


def open_source(name: str) -> MediaSource:
    """Open an image, a folder of images, a video, a stream by its address, or a camera by its number.

    Raises:
        FileNotFoundError: if there is no such file or folder, or no image in it.
        ImportError: if it is a video and PyAV is not installed.
        ValueError: if it is no video, or if there is no such camera or stream.

    Examples:
        >>> from blazepose import open_source
        >>> video = open_source("squats.mp4")
        >>> video.total, float(video.fps)
        (3, 30.0)
        >>> [round(frame.time_ms) for frame in video.frames]
        [0, 33, 67]
    """
    path = Path(name).expanduser()
    if name.isdecimal() and not path.exists():
        return _open_camera(int(name))
    if _ADDRESS.match(name):
        return _open_video(name, name)
    if path.is_dir():
        images = find_images(path)
        if not images:
            raise MissingFileError(f"{path} contains no image")
        if others := sum(1 for _ in files_below(path)) - len(images):
            log.info("%s: %d files are no images and are skipped", path, others)
        return MediaSource(_read_images(images), len(images), None, path)
    if not path.is_file():
        raise MissingFileError(
            f"{path} is missing: name an image, a folder, a video, a stream's address or a camera's number"
        )
    if path.suffix.lower() in IMAGE_SUFFIXES or is_still_image(path):
        return MediaSource(_read_images([path]), 1, None)
    return _open_video(str(path), str(path.resolve()))  # FFmpeg takes "12:30.mp4" for an address


def _read_images(paths: list[Path]) -> Generator[Frame]:
    """Yield the images that can be read."""
    unreadable: list[ImageError] = []
    for path in paths:
        try:
            yield Frame(read_image(path), path=path)
            if (count := count_images(path)) > 1:
                log.warning("%s has %d images, of which the first is used; save it as a video", path, count)
        except ImageError as error:
            unreadable.append(error)
            if len(unreadable) == len(paths):
                raise
            log.warning("%s; skipped", error)


def _open_video(name: str, address: str) -> MediaSource:
    """Open a video with FFmpeg at an address; messages use its name."""
    import av

    stream = bool(_ADDRESS.match(name))
    if not stream:
        check_file(Path(name), "a video", "name a video")
    try:
        container = av.open(address, timeout=_TIMEOUT_S)
    except (av.error.FFmpegError, OSError) as error:
        if stream:
            raise InputError(f"{name} cannot be opened as a stream: {error.strerror}") from error
        raise unreadable(Path(name), "a video", describe_open_error(address, error)) from error
    if container.format.name in _TEXT_FORMATS or not count_video_streams(container):
        container.close()
        raise InputError(f"{name} contains no video, only audio, a cover image, text or data")
    if not stream:
        container = reopen_at_codec_rate(container, name, address)
    video: Any = container.streams.best("video")  # the video rather than a cover image
    video.thread_type = "AUTO"
    return MediaSource(
        _video_frames(name, container), video.frames or None, video.average_rate or _DEFAULT_FPS
    )


def _video_frames(name: str, container: Any) -> Generator[Frame]:
    """Yield upright frames with rising times, as many as a damaged file still has."""
    stream, time_ms, count, damage = container.streams.best("video"), 0.0, 0, Damage()
    step_ms = float(1000 / (stream.average_rate or _DEFAULT_FPS))
    clock = Clock(step_ms)
    with container:
        frames = decode_frames(container, stream, damage)
        live = _ADDRESS.match(name) and not has_timestamps(container)
        timed = arrival_times(frames) if live else clock.rise(read_timestamps(frames, container, stream))
        for frame, time_ms in timed:
            count += 1
            image = _square_pixels(frame.to_ndarray(format="rgb24"), stream.sample_aspect_ratio)
            yield Frame(image_upright(image, _orientation(frame)), time_ms)
        length_ms = read_length(container)
        slack_ms = _AUDIO_SLACK_MS if len(container.streams) > 1 else step_ms
    if not count:
        raise InputError(f"{name} contains no frame that can be decoded")
    if damage.packets:
        log.warning("%s is damaged: %d packets of it could not be decoded", name, damage.packets)
    end_ms = time_ms + step_ms
    if damage.end:
        log.warning("%s cannot be read beyond %.2f s: %s", name, end_ms / 1000, damage.end)
    if end_ms - min(0.0, clock.shift_ms) + slack_ms < length_ms:  # the file's clock may have been set later
        log.warning("%s ends at %.2f of the %.2f s that it states", name, end_ms / 1000, length_ms / 1000)


def _square_pixels(image: np.ndarray, aspect: Fraction | None) -> np.ndarray:
    """Scale a frame whose pixels are `aspect` times as wide as high; 0 and None are unknown."""
    if not aspect or aspect == 1:
        return image
    height, width = image.shape[:2]
    return cv2.resize(image, (max(1, round(width * aspect)), height), interpolation=cv2.INTER_LINEAR)


def _orientation(frame: Any) -> int:
    """Read the orientation of a frame; phones store frames as their sensor records them.

    Source: FFmpeg's display matrix, rows (a, b, u), (c, d, v), (x, y, w) with x' = ax + cy, y' = bx + dy.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    return nearest_orientation(np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2].T)


def _open_camera(number: int) -> MediaSource:
    camera = cv2.VideoCapture(number)
    if not camera.isOpened():
        raise InputError(f"camera {number} is missing, or another program uses it")
    return MediaSource(_camera_frames(number, camera), None, camera_fps(camera.get(cv2.CAP_PROP_FPS)))


def camera_fps(reported: float) -> Fraction:
    """Return a camera's frame rate, or a default if the driver reports an implausible one."""
    plausible = math.isfinite(reported) and reported > 0
    return Fraction(reported).limit_denominator(1001) if plausible else _DEFAULT_FPS


def _camera_frames(number: int, camera: cv2.VideoCapture) -> Generator[Frame]:
    start, count = time.monotonic(), 0
    try:
        while True:
            success, image = camera.read()
            if not success and not count:
                raise InputError(f"camera {number} sends no image")
            if not success:
                log.warning("camera %d sends no more images", number)
                return
            count += 1
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (time.monotonic() - start) * 1000)
    finally:
        camera.release()


class VideoWriter:
    """Writer of an H.264 video whose frames keep their times.

    Args:
        path: file to write; its suffix, one of VIDEO_SUFFIXES, selects the container.
        fps: approximate frames a second.
    """

    def __init__(self, path: Path, fps: Fraction) -> None:
        import av

        self._av = av
        self._container = av.open(str(path.resolve()), "w")
        self._stream: Any = self._container.add_stream("libx264", rate=fps)
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "20", "preset": "veryfast"}
        self._stream.codec_context.time_base = _TIME_BASE
        self._size: tuple[int, int] | None = None
        self._pts = -1

    def write(self, image: np.ndarray, time_ms: float) -> None:
        """Add a frame, uint8 RGB (height, width, 3), later than the last one.

        H.264 has even sizes: an odd side is extended by a pixel. Frames of another size than the first are
        scaled to it.
        """
        height, width = image.shape[:2]
        if self._size is None:
            self._size = width + width % 2, height + height % 2
            self._stream.width, self._stream.height = self._size
        if (width, height) != self._size:
            fill = self._size[0] - width, self._size[1] - height
            if fill in ((0, 1), (1, 0), (1, 1)):
                image = cv2.copyMakeBorder(image, 0, fill[1], 0, fill[0], cv2.BORDER_REPLICATE)
            else:
                image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        frame = self._av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.time_base = _TIME_BASE
        self._pts = frame.pts = max(self._pts + 1, round(time_ms / 1000 / _TIME_BASE))
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._size is not None and kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()
