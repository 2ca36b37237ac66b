"""track.py's work: footage through a tracker into an overlay and JSON lines."""

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from blazepose.atomic import atomic_path
from blazepose.errors import on_signals
from blazepose.geometry import Roi
from blazepose.image import IMAGE_SUFFIXES, WRITABLE_SUFFIXES, write_image
from blazepose.runtime.draw import draw_poses
from blazepose.runtime.jsonl import frame_to_json
from blazepose.runtime.media import VIDEO_SUFFIXES, Frame, MediaSource, VideoWriter
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker

log = logging.getLogger(__name__)

Sink = Callable[[int, Frame, list[Pose]], None]
"""Takes a frame's number, the frame, and who is in it."""

Show = Callable[[Frame, np.ndarray], None]
"""Takes a frame, and the picture of it that is to be seen."""

_OF_ONE_PICTURE = {errno.EEXIST, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}
"""Errors of one name or picture, after which a disk takes the next: a long path, a letter that it lacks."""


class TrackingSummary(NamedTuple):
    """What was found.

    Attributes:
        frames: looked at.
        with_people: of them.
        people: different ones.
        stopped: number of the signal that ended it; 0 at the end of the footage.
    """

    frames: int
    with_people: int
    people: int
    stopped: int


def track_source(
    footage: MediaSource,
    tracker: PoseTracker,
    rois: Sequence[Roi] = (),
    overlay: Path | None = None,
    records: Path | None = None,
) -> TrackingSummary:
    """Look at every frame, with a progress bar; Ctrl-C and SIGTERM end it, and keep what has been done.

    Args:
        footage: to look at.
        tracker: its options say whether frames follow each other.
        rois: where to look in the first frame; in each of pictures.
        overlay: picture, folder or video to write; None writes none.
        records: JSON lines to write; None writes none.

    Raises:
        FileExistsError: if a file is there already.
        ValueError: if a file cannot be written, or not of this footage.
    """
    if overlay and records and overlay.resolve() == records.resolve():
        raise ValueError(f"{overlay} cannot be both the overlay and the JSON lines; name two files")
    frames = with_people = 0
    people: set[int] = set()
    with ExitStack() as stack:
        stack.enter_context(closing(footage.frames))
        outputs: list[_Output] = []
        if overlay:
            trained = tracker.metadata.get("trained")
            outputs.append(stack.enter_context(_Output(overlay, _open_overlay(overlay, footage, trained))))
        if records:
            outputs.append(stack.enter_context(_Output(records, _open_records(records))))
        interrupted = stack.enter_context(_interruption())
        progress = stack.enter_context(tqdm(total=footage.total, unit=" frames", disable=None))
        for number, frame in enumerate(footage.frames):
            given = (rois or None) if number == 0 or footage.rate is None else None
            poses = tracker(frame.image, frame.time_ms, given)
            if given and footage.rate and len(poses) < len(given):
                log.warning("%s", _unseen(len(given) - len(poses), len(given), tracker.detects))
            for output in outputs:
                output.write(number, frame, poses)
            frames, with_people = frames + 1, with_people + bool(poses)
            people |= {pose.id for pose in poses}
            progress.update()
            if interrupted() or any(output.error for output in outputs):
                break
        if not frames:
            raise ValueError("there was no frame to look at, so nothing was written")
    if failed := [f"{output.path} cannot be written: {output.error}" for output in outputs if output.error]:
        kept = [f"; {output.path} has the first {frames} frames" for output in outputs if not output.error]
        raise ValueError("; ".join(failed) + "".join(kept))
    return TrackingSummary(frames, with_people, len(people), interrupted())


def _unseen(missed: int, given: int, detects: bool) -> str:
    """What the caller should know who pointed to where nobody is seen."""
    who = "at it" if given == 1 else f"at {missed} of the {given} ROIs"
    then = (
        "the detector looks for people from the second frame on" if detects else "so nobody is followed there"
    )
    return f"the first frame shows nobody {who}: {then}"


class _Output:
    """A file that is written to until it fails; the others then keep what they have.

    Attributes:
        path: of the file, for messages.
        error: why it could not be written; None while all is well.
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
            raise ValueError(f"{self.path} cannot be written: {_reason(error)}") from error
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
        except OSError as failure:  # what was buffered did not fit
            self.error = _reason(failure)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


@contextmanager
def _interruption() -> Iterator[Callable[[], int]]:
    """The number of the signal that asks to end, 0 before; a second one ends at once."""
    received = 0

    def note(number: int) -> None:
        nonlocal received
        if received:
            raise KeyboardInterrupt(number)
        received = number

    with on_signals(note):
        yield lambda: received


@contextmanager
def _open_records(path: Path) -> Iterator[Sink]:
    _require_place(path)
    with atomic_path(path) as part, part.open("w") as lines:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            lines.write(json.dumps(frame_to_json(number, frame, poses)) + "\n")

        yield write


@contextmanager
def _open_overlay(
    path: Path, footage: MediaSource, trained: Mapping[str, list[str]] | None
) -> Iterator[Sink]:
    """A video of a video, a picture of a picture, a folder of pictures of a folder."""
    with _open_video(path, footage.rate) if footage.rate else _open_pictures(path, footage.folder) as show:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            show(frame, draw_poses(frame.image, poses, trained))

        yield write


@contextmanager
def _open_video(path: Path, rate: Fraction) -> Iterator[Show]:
    _require_suffix(path, VIDEO_SUFFIXES, "an overlay of a video")
    _require_place(path)
    with atomic_path(path) as part, VideoWriter(part, rate) as video:
        yield lambda frame, drawn: video.write(drawn, frame.time_ms or 0.0)


@contextmanager
def _open_pictures(path: Path, folder: Path | None) -> Iterator[Show]:
    if folder is None:
        _require_suffix(path, WRITABLE_SUFFIXES, "an overlay of a picture")
        _require_place(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        raise ValueError(f"--out {path}: pictures of a folder go into a folder")
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not empty; name another folder")
    else:
        _require_place(path / "picture")

    written, failures = 0, list[OSError]()

    def write(frame: Frame, drawn: np.ndarray) -> None:
        nonlocal written
        assert frame.picture
        file = path if folder is None else path / _overlay_name(frame.picture.relative_to(folder))
        try:
            if file.exists():
                raise FileExistsError(errno.EEXIST, "it is the overlay of another picture")
            write_image(file, drawn)
            written += 1
        except OSError as error:
            if folder is None or error.errno not in _OF_ONE_PICTURE:
                raise
            failures.append(error)
            log.warning("%s cannot be written: %s; left out", file, _reason(error))

    yield write
    if failures and not written:
        raise failures[0]


def _overlay_name(picture: Path) -> Path:
    """Keep the name of a picture, and append .jpg where its format cannot be written."""
    writable = picture.suffix.lower() in WRITABLE_SUFFIXES
    return picture if writable else picture.with_name(f"{picture.name}.jpg")


def _require_suffix(path: Path, suffixes: set[str], kind: str) -> None:
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"--out {path}: {kind} ends in {', '.join(sorted(suffixes))}")


def _require_place(path: Path) -> None:
    """Refuse a file that could not be written in the end, or that is there: it may be an original.

    Raises:
        FileExistsError: if it is there.
        ValueError: says why it could not be written.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists; choose another name, or delete it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"{path} cannot be written: no permission in {path.parent}")
