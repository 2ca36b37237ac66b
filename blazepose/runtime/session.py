"""track.py's work: footage through a tracker into an overlay and JSON lines."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from blazepose.geometry import Roi
from blazepose.image import PICTURE_SUFFIXES
from blazepose.runtime.draw import draw_poses
from blazepose.runtime.media import VIDEO_SUFFIXES, Footage, Frame, VideoWriter
from blazepose.runtime.record import frame_record
from blazepose.runtime.tracker import Pose, PoseTracker
from blazepose.whole_file import whole_file

Sink = Callable[[int, Frame, list[Pose]], None]
"""Takes a frame's number, the frame, and who is in it."""


class Summary(NamedTuple):
    """What was found.

    Attributes:
        frames: looked at.
        with_people: of them.
        people: different ones.
        stopped: by Ctrl-C, before the end.
    """

    frames: int
    with_people: int
    people: int
    stopped: bool


def follow(
    footage: Footage,
    tracker: PoseTracker,
    rois: Sequence[Roi] = (),
    overlay: Path | None = None,
    records: Path | None = None,
) -> Summary:
    """Look at every frame, with a progress bar; Ctrl-C ends it, and keeps what has been done.

    Args:
        footage: to look at.
        tracker: its options say whether frames follow each other.
        rois: where to look in the first frame; in each of pictures.
        overlay: picture, folder or video to write; None writes none.
        records: JSON lines to write; None writes none.

    Raises:
        ValueError: if a file cannot be written, or not of this footage.
    """
    frames = with_people = 0
    people: set[int] = set()
    with ExitStack() as stack:
        stack.enter_context(closing(footage.frames))  # type: ignore[type-var]
        sinks: list[Sink] = []
        if overlay:
            trained = tracker.metadata.get("trained")
            sinks.append(stack.enter_context(_open_overlay(overlay, footage.rate, trained)))
        if records:
            sinks.append(stack.enter_context(_open_records(records)))
        interrupted = stack.enter_context(_interruption())
        progress = stack.enter_context(tqdm(total=footage.total, unit=" frames", disable=None))
        for number, frame in enumerate(footage.frames):
            given = rois if number == 0 or footage.rate is None else ()
            poses = tracker(frame.image, frame.time_ms, given)
            for sink in sinks:
                sink(number, frame, poses)
            frames, with_people = frames + 1, with_people + bool(poses)
            people |= {pose.id for pose in poses}
            progress.update()
            if interrupted():
                break
        return Summary(frames, with_people, len(people), interrupted())


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; a second time it works as usual."""
    pressed = False

    def note(number: int, frame: Any) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _open_records(path: Path) -> Iterator[Sink]:
    _require_place(path)
    with whole_file(path) as part, part.open("w") as lines:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            lines.write(json.dumps(frame_record(number, frame, poses)) + "\n")

        yield write


@contextmanager
def _open_overlay(
    path: Path, rate: Fraction | None, trained: Mapping[str, list[str]] | None
) -> Iterator[Sink]:
    """A video of a video, a picture of a picture, a folder of pictures of a folder."""
    with _open_video(path, rate) if rate else nullcontext(partial(_write_picture, path)) as show:

        def write(number: int, frame: Frame, poses: list[Pose]) -> None:
            show(frame, draw_poses(frame.image, poses, trained))

        yield write


@contextmanager
def _open_video(path: Path, rate: Fraction) -> Iterator[Callable[[Frame, np.ndarray], None]]:
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise ValueError(f"--out {path}: an overlay video ends in {', '.join(sorted(VIDEO_SUFFIXES))}")
    _require_place(path)
    with whole_file(path) as part, VideoWriter(part, rate) as video:
        yield lambda frame, drawn: video.write(drawn, frame.time_ms or 0.0)


def _write_picture(path: Path, frame: Frame, drawn: np.ndarray) -> None:
    """As `path`, if that is a picture's name; else into the folder `path`, by the name of the original."""
    assert frame.picture
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        path = path / frame.picture.name
    _require_place(path)
    if path.exists() and path.samefile(frame.picture):
        raise ValueError(f"--out {path} is the original; name another file or folder")
    with whole_file(path) as part:
        cv2.imwrite(str(part), drawn[..., ::-1])


def _require_place(path: Path) -> None:
    """Refuse a file that could not be written in the end.

    Raises:
        ValueError: says why not.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"{path} cannot be written: no permission in {path.parent}")
