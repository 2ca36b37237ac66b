"""Compare two bundles on a video of one person, tracked by MediaPipe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from blazepose.evaluation.compare.forgetting import RecordingEngine
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.mediapipe_runtime import require_bundle, track_video
from blazepose.evaluation.numbers import number
from blazepose.exceptions import InputError, MissingFileError
from blazepose.geometry import crop_image, roi_from_keypoints, roi_to_image_matrix
from blazepose.runtime.media import open_source
from blazepose.topologies.full_body import (
    LEFT_HIP,
    LEFT_SHOULDER,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    ROI_CENTER,
    ROI_SCALE,
)

_HIPS, _SHOULDERS = [LEFT_HIP, RIGHT_HIP], [LEFT_SHOULDER, RIGHT_SHOULDER]


def check_video(bundles: tuple[Path, Path], video: Path) -> None:
    """Check that MediaPipe can run the bundles, and that the video can be read.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if it is not a bundle, or if no frame can be decoded.
    """
    for bundle in bundles:
        require_bundle(bundle)
    next(_frames(video))


def measure_video(bundles: tuple[Path, Path], video: Path) -> dict[str, Any]:
    """Track a person with both bundles, and compare the alignment points on the crops of the first.

    Returns:
        `file`, `frames`; `without_pose`, the number of frames without a pose for each bundle; medians over
        frames: `hips_moved` and `circle_moved`, the shift of both alignment points in percent of the crop,
        and `crop_growth`, the change of the next crop's size in percent.

    Raises:
        ValueError: if the first bundle detects no person.
    """
    poses, poses_after = (track_video(bundle, _frames(video)) for bundle in bundles)
    if all(pose is None for pose in poses):
        raise InputError(f"--video {video}: {bundles[0]} detects no person in it")
    before, after = (_alignment_points(bundle, video, poses) for bundle in bundles)
    hips, circle = 100 * np.median(np.linalg.norm(after - before, axis=2), axis=0)
    radius, radius_after = (np.linalg.norm(points[:, 1] - points[:, 0], axis=1) for points in (before, after))
    return {
        "file": str(video),
        "frames": len(poses),
        "without_pose": [sum(pose is None for pose in tracked) for tracked in (poses, poses_after)],
        "hips_moved": number(float(hips)),
        "circle_moved": number(float(circle)),
        "crop_growth": number(float(100 * np.median(radius_after / radius - 1))),
    }


def _alignment_points(bundle: Path, video: Path, poses: list[np.ndarray | None]) -> np.ndarray:
    """Predict center and circle point (frames, 2, 2) on the crops of the frames with a pose."""
    engine = RecordingEngine(open_weights(bundle))
    frames = tqdm(_frames(video), total=len(poses), desc=bundle.name, unit=" frames", disable=None)
    for frame, pose in zip(frames, poses, strict=True):
        if pose is not None:
            roi = roi_from_keypoints(pose, pose[_HIPS], pose[_SHOULDERS])
            engine(crop_image(frame, roi_to_image_matrix(roi), engine.input_size)[None])
    return engine.outputs().points[:, [ROI_CENTER, ROI_SCALE]]


def _frames(path: Path) -> Iterator[np.ndarray]:
    """Read the RGB frames of a video.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if no frame can be decoded.
    """
    if not path.is_file():
        raise MissingFileError(f"--video {path} is missing")
    for frame in open_source(str(path)).frames:
        yield frame.image
