"""A bundle inside Google's own runtime; tests that need it are skipped without MediaPipe."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest


class Seen(NamedTuple):
    """Of one picture: landmarks (33, 5) in pixels, world (33, 3), mask (height, width)."""

    landmarks: np.ndarray
    world: np.ndarray
    mask: np.ndarray


def look(bundle: Path, images: list[np.ndarray], video: bool) -> Iterator[Seen | None]:
    """What MediaPipe says of RGB pictures, one by one or as a video; None where it sees nobody."""
    mediapipe = pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
        output_segmentation_masks=True,
    )
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        for number, pixels in enumerate(images):
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
            found = landmarker.detect_for_video(image, number * 33) if video else landmarker.detect(image)
            yield _seen(found, pixels) if found.pose_landmarks else None


def _seen(found, pixels: np.ndarray) -> Seen:
    height, width = pixels.shape[:2]
    points = found.pose_landmarks[0]
    landmarks = [(p.x * width, p.y * height, p.z * width, p.visibility, p.presence) for p in points]
    world = [(p.x, p.y, p.z) for p in found.pose_world_landmarks[0]]
    return Seen(
        np.array(landmarks), np.array(world), found.segmentation_masks[0].numpy_view().squeeze().copy()
    )


def picture(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def frames(path: Path, count: int) -> list[np.ndarray]:
    """The first frames of a video."""
    video = cv2.VideoCapture(str(path))
    found = []
    while len(found) < count and (read := video.read())[0]:
        found.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    video.release()
    assert len(found) == count
    return found


def look_apart(bundle: Path, image: Path) -> None:
    """Let MediaPipe open a bundle and look at a picture, in a process of its own: it may abort."""
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    command = [sys.executable, "-m", "tests.mediapipe_runtime", str(bundle), str(image)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


if __name__ == "__main__":
    list(look(Path(sys.argv[1]), [picture(Path(sys.argv[2]))], video=False))
