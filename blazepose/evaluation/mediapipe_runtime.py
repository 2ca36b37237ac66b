"""MediaPipe's PoseLandmarker on whole pictures and videos, with a bundle's own detector. Needs no torch."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from blazepose.exceptions import InputError, MissingPackageError, install_command
from blazepose.native_messages import hide_harmless_messages
from blazepose.task_bundle import LANDMARKS_ENTRY, read_tflite

FRAME_MS = 33
"""Time between two video frames: every pipeline gets the same, not the video's."""

Runner = Callable[[np.ndarray, int], np.ndarray | None]
"""Function of a uint8 RGB frame and its time in milliseconds, which returns the landmarks (33, 2) of one
person in pixels, or None."""


def require_bundle(path: Path) -> None:
    """Check that MediaPipe can run a file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a `.task` bundle of a pose landmarker.
    """
    if path.suffix != ".task":
        raise InputError(
            f"{path} is not a .task bundle, which MediaPipe needs: blazepose export --target task writes one"
        )
    read_tflite(path, LANDMARKS_ENTRY)


def import_mediapipe() -> Any:
    """Import MediaPipe.

    Raises:
        ImportError: if it is not installed; the message names the extra to install.
    """
    # MediaPipe and litert-torch may both profile the process, and then kill it by SIGPROF.
    os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")
    try:
        import mediapipe
    except ImportError as error:
        raise MissingPackageError(f"MediaPipe is not installed: {install_command('mediapipe')}") from error
    return mediapipe


def open_landmarker(path: Path, **options: Any) -> Any:
    """Create a PoseLandmarker with options of MediaPipe's; the path is for the message.

    Raises:
        ValueError: if MediaPipe rejects the bundle.
    """
    vision = import_mediapipe().tasks.vision
    try:
        with hide_harmless_messages():
            return vision.PoseLandmarker.create_from_options(vision.PoseLandmarkerOptions(**options))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"MediaPipe rejects {path}: {error}") from error


@contextmanager
def mediapipe_runner(bundle: Path, running_mode: str = "video") -> Iterator[Runner]:
    """Create a runner of MediaPipe's PoseLandmarker, in running_mode "video" or "image".

    Raises:
        ImportError: if MediaPipe is not installed.
        ValueError: if it is not a bundle, or MediaPipe rejects it.
    """
    require_bundle(bundle)
    mediapipe, video = import_mediapipe(), running_mode == "video"
    modes = mediapipe.tasks.vision.RunningMode
    landmarker = open_landmarker(
        bundle,
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(bundle)),
        running_mode=modes.VIDEO if video else modes.IMAGE,
    )

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


def track_video(path: Path, frames: Iterable[np.ndarray]) -> list[np.ndarray | None]:
    """Track one person through a video with a bundle's own detector and network, in VIDEO mode.

    Args:
        path: the bundle.
        frames: uint8 RGB frames of a video of about 30 frames per second.

    Returns:
        (33, 2) pixels for each frame, None where MediaPipe returns no pose; raises as mediapipe_runner.
    """
    with mediapipe_runner(path) as run:
        progress = tqdm(frames, desc=path.name, unit=" frames", disable=None)
        return [run(frame, number * FRAME_MS) for number, frame in enumerate(progress)]


def detect_in_images(path: Path, images: Iterable[np.ndarray]) -> list[np.ndarray | None]:
    """Detect one person in each image with a bundle's own detector and network, in IMAGE mode.

    Returns:
        (33, 2) pixels for each uint8 RGB image, None where MediaPipe returns no pose; raises as
        mediapipe_runner.
    """
    with mediapipe_runner(path, "image") as run:
        return [run(pixels, 0) for pixels in images]
