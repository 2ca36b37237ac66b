"""Pipelines of a bundle, from a frame to landmarks: our tracker and MediaPipe's own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.exceptions import InputError
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.tracker import PoseTracker

Runner = Callable[[np.ndarray, int], np.ndarray | None]
"""Function of a uint8 RGB frame and its time in milliseconds, which returns the landmarks (33, 2) of one
person in pixels, or None."""

FRAME_MS = 33
"""Interval of frames: every pipeline gets the same times, not the video's."""


def our_runner(bundle: Path, **options: Any) -> Runner:
    """Create a runner of our tracker, with options of TrackerOptions."""
    tracker = PoseTracker.load(bundle, **options)

    def run(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        poses = tracker(frame, time_ms)
        return poses[0].landmarks[:, :2] if poses else None

    return run


def has_mediapipe() -> bool:
    """Return whether MediaPipe is installed."""
    return find_spec("mediapipe") is not None


@contextmanager
def mediapipe_runner(bundle: Path, running_mode: str = "video") -> Iterator[Runner]:
    """Create a runner of MediaPipe's PoseLandmarker, in running_mode "video" or "image".

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if MediaPipe rejects the bundle.
    """
    os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")  # see evaluation.mediapipe_engine
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    video = running_mode == "video"
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
    )
    try:
        with hide_harmless_messages():
            landmarker = vision.PoseLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"MediaPipe rejects {bundle}: {error}") from error

    def detect(image: Any, time_ms: int) -> Any:
        return landmarker.detect_for_video(image, time_ms) if video else landmarker.detect(image)

    quiet = iter([hide_harmless_messages])  # the first image causes some

    def run(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        with next(quiet, nullcontext)():
            result = detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, frame), time_ms)
        if not result.pose_landmarks:
            return None
        return np.array([(p.x, p.y) for p in result.pose_landmarks[0]]) * frame.shape[1::-1]

    with landmarker:
        yield run
