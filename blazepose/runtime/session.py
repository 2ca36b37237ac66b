"""Tracking of a source into an overlay and JSON lines, for blazepose track."""

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from blazepose.atomic import atomic_path
from blazepose.errors import on_signals
from blazepose.exceptions import ExistingFileError, InputError
from blazepose.geometry import Roi
from blazepose.image import IMAGE_SUFFIXES, WRITABLE_SUFFIXES, write_image
from blazepose.runtime.draw import draw_poses
from blazepose.runtime.jsonl import frame_to_json
from blazepose.runtime.media import VIDEO_SUFFIXES, Frame, MediaSource, VideoWriter
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker
from blazepose.supervised_outputs import SupervisedOutputs

log = logging.getLogger(__name__)

Sink = Callable[[int, Frame, list[Pose]], None]
"""Writer of a frame's number, the frame, and its poses."""

OverlayWriter = Callable[[Frame, np.ndarray], None]
"""Writer of a frame and its overlay."""

_SINGLE_FILE_ERRORS = {errno.EEXIST, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}
"""Errors of one file, after which the next can be written: a long path, an invalid character."""


class TrackingSummary(NamedTuple):
    """Counts of a tracked source.

    Attributes:
        frames: number of processed frames.
        with_people: number of frames with people.
        people: number of different people.
        stopped: number of the signal that ended it; 0 at the end of the source.
    """

    frames: int
    with_people: int
    people: int
    stopped: int


def track_source(
    source: MediaSource,
    tracker: PoseTracker,
    rois: Sequence[Roi] = (),
    overlay: Path | None = None,
    jsonl: Path | None = None,
) -> TrackingSummary:
    """Process every frame, with a progress bar; Ctrl-C and SIGTERM end it, and keep the frames so far.

    Args:
        source: frames to process.
        tracker: a tracker in the running mode of the source.
        rois: ROIs of people in the first frame, or in every image.
        overlay: image, folder or video to write; None writes none.
        jsonl: JSON lines to write; None writes none.

    Raises:
        FileExistsError: if a file exists already.
        ValueError: if a file cannot be written, or not from this kind of source.
    """
    if overlay and jsonl and overlay.resolve() == jsonl.resolve():
        raise InputError(f"{overlay} cannot be both the overlay and the JSON lines; name two files")
    frames = with_people = 0
    ids: set[int] = set()
    with ExitStack() as stack:
        stack.enter_context(closing(source.frames))
        outputs: list[_Output] = []
        if overlay:
            supervised = SupervisedOutputs.from_metadata(tracker.metadata.get("trained"), tracker.topology)
            outputs.append(stack.enter_context(_Output(overlay, _open_overlay(overlay, source, supervised))))
        if jsonl:
            outputs.append(stack.enter_context(_Output(jsonl, _open_jsonl(jsonl))))
        interrupted = stack.enter_context(_interruption())
        progress = stack.enter_context(tqdm(total=source.total, unit=" frames", disable=None))
        for number, frame in enumerate(source.frames):
            frame_rois = (rois or None) if number == 0 or source.fps is None else None
            poses = tracker(frame.image, frame.time_ms, frame_rois)
            if frame_rois and source.fps and len(poses) < len(frame_rois):
                log.warning("%s", _describe_missed(len(frame_rois) - len(poses), len(rois), tracker.detects))
            for output in outputs:
                output.write(number, frame, poses)
            frames, with_people = frames + 1, with_people + bool(poses)
            ids |= {pose.id for pose in poses}
            progress.update()
            if interrupted() or any(output.error for output in outputs):
                break
        if not frames:
            raise InputError("the source has no frame, so nothing was written")
    if failed := [f"{output.path} cannot be written: {output.error}" for output in outputs if output.error]:
        saved = [f"; {output.path} has the first {frames} frames" for output in outputs if not output.error]
        raise InputError("; ".join(failed) + "".join(saved))
    return TrackingSummary(frames, with_people, len(ids), interrupted())


def _describe_missed(missed: int, num_rois: int, detects: bool) -> str:
    """Return the warning of ROIs without a person."""
    where = "the given ROI" if num_rois == 1 else f"{missed} of the {num_rois} given ROIs"
    subject = "it" if missed == 1 else "they"
    consequence = "the detector starts at the second frame" if detects else f"{subject} will not be tracked"
    return f"no person found at {where} in the first frame; {consequence}"


class _Output:
    """A file that is written until it fails; the others then keep their frames.

    Attributes:
        path: file, for messages.
        error: reason why it could not be written; None if there is none.
    """

    def __init__(self, path: Path, opened: AbstractContextManager[Sink]) -> None:
        self.path = path
        self.error: str | None = None
        self._opened = opened

    def __enter__(self) -> "_Output":
        try:
            self._sink = self._opened.__enter__()
        except FileExistsError:
            raise
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {_reason(error)}") from error
        return self

    def write(self, number: int, frame: Frame, poses: list[Pose]) -> None:
        """Add a frame."""
        try:
            self._sink(number, frame, poses)
        except OSError as error:
            self.error = _reason(error)
            with suppress(OSError):
                self._opened.__exit__(type(error), error, error.__traceback__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.error:
            return
        try:
            self._opened.__exit__(kind, error, trace)
        except OSError as failure:  # the buffer did not fit
            self.error = _reason(failure)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


@contextmanager
def _interruption() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the received signal, 0 before; a second signal ends at once."""
    received = 0

    def note(number: int) -> None:
        nonlocal received
        if received:
            raise KeyboardInterrupt(number)
        received = number

    with on_signals(note):
        yield lambda: received


@contextmanager
def _open_jsonl(path: Path) -> Iterator[Sink]:
    _check_writable(path)
    with atomic_path(path) as part, part.open("w") as lines:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            lines.write(json.dumps(frame_to_json(number, frame, poses)) + "\n")

        yield write


@contextmanager
def _open_overlay(path: Path, source: MediaSource, supervised: SupervisedOutputs) -> Iterator[Sink]:
    """Open an overlay of the kind of its source: a video, an image, or a folder of images."""
    with _open_video(path, source.fps) if source.fps else _open_images(path, source.folder) as write_overlay:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            write_overlay(frame, draw_poses(frame.image, poses, supervised))

        yield write


@contextmanager
def _open_video(path: Path, fps: Fraction) -> Iterator[OverlayWriter]:
    _check_suffix(path, VIDEO_SUFFIXES, "an overlay of a video")
    _check_writable(path)
    with atomic_path(path) as part, VideoWriter(part, fps) as video:
        yield lambda frame, drawn: video.write(drawn, frame.time_ms or 0.0)


@contextmanager
def _open_images(path: Path, folder: Path | None) -> Iterator[OverlayWriter]:
    if folder is None:
        _check_suffix(path, WRITABLE_SUFFIXES, "an overlay of an image")
        _check_writable(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        raise InputError(f"--out {path}: overlays of a folder go into a folder")
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ExistingFileError(f"{path} exists and is not empty; name another folder")
    else:
        _check_writable(path / "image")

    written, failures = 0, list[OSError]()

    def write(frame: Frame, drawn: np.ndarray) -> None:
        nonlocal written
        assert frame.path
        file = path if folder is None else path / _overlay_name(frame.path.relative_to(folder))
        try:
            if file.exists():
                raise ExistingFileError(errno.EEXIST, "it is the overlay of another image")
            write_image(file, drawn)
            written += 1
        except OSError as error:
            if folder is None or error.errno not in _SINGLE_FILE_ERRORS:
                raise
            failures.append(error)
            log.warning("%s cannot be written: %s; skipped", file, _reason(error))

    yield write
    if failures and not written:
        raise failures[0]


def _overlay_name(image: Path) -> Path:
    """Return the name of an image, with .jpg appended where its format cannot be written."""
    writable = image.suffix.lower() in WRITABLE_SUFFIXES
    return image if writable else image.with_name(f"{image.name}.jpg")


def _check_suffix(path: Path, suffixes: set[str], kind: str) -> None:
    if path.suffix.lower() not in suffixes:
        raise InputError(f"--out {path}: {kind} ends in {', '.join(sorted(suffixes))}")


def _check_writable(path: Path) -> None:
    """Refuse a file that could not be written in the end, or that exists: it may be an original.

    Raises:
        FileExistsError: if it exists.
        ValueError: if it could not be written; states the reason.
    """
    if path.exists():
        raise ExistingFileError(f"{path} exists; choose another name, or delete it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: no permission in {path.parent}")
