"""Jitter: how far the landmarks of a person who does not move differ from frame to frame."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from blazepose.benchmark.frame_rate import Name
from blazepose.evaluation.mediapipe_runtime import FRAME_MS, Runner
from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_HIP

_NOISE, _SHIFT_PX = 4.0, 0.5
"""Noise of a still image: standard deviation of the sensor's in gray values, largest shift. Chosen: a phone
indoors on a tripod."""


class Jitter(NamedTuple):
    """Standard deviation of the landmarks over the frames, in % of the torso.

    Attributes:
        mean: over landmarks.
        worst: of the landmark with the largest one.
    """

    mean: float
    worst: float


def measure_jitter(
    runners: Mapping[Name, Runner], picture: np.ndarray, count: int
) -> dict[Name, Jitter | None]:
    """Run pipelines on a still image with noise and sub-pixel shifts; the shift is subtracted.

    Args:
        runners: pipelines that have seen no frame.
        picture: uint8 RGB (height, width, 3) with one person.
        count: number of frames; the first quarter, in which filters start, is left out.

    Returns:
        The jitter of each pipeline; None for one that returns no person in a frame.
    """
    poses: dict[Name, list[np.ndarray | None]] = {name: [] for name in runners}
    frames = tqdm(_noisy_frames(picture, count), total=count, desc="jitter", unit=" frames", disable=None)
    for number, (frame, shift) in enumerate(frames):
        for name, run in runners.items():
            pose = run(frame, number * FRAME_MS)
            poses[name].append(None if pose is None else pose - shift)
    return {name: _spread(points) for name, points in poses.items()}


def _spread(poses: list[np.ndarray | None]) -> Jitter | None:
    complete = [pose for pose in poses if pose is not None]
    if len(complete) < len(poses):
        return None
    points = np.stack(complete)
    deviation = np.linalg.norm(points[len(points) // 4 :].std(axis=0), axis=1)
    torso = np.linalg.norm(points[:, LEFT_SHOULDER] - points[:, RIGHT_HIP], axis=1).mean()
    return Jitter(float(100 * deviation.mean() / torso), float(100 * deviation.max() / torso))


def _noisy_frames(picture: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield noisy frames, and the shift of each in pixels."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        shift = rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2)
        moved = cv2.warpAffine(
            picture,
            np.array([[1, 0, shift[0]], [0, 1, shift[1]]]),
            picture.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        noisy = moved + rng.normal(0, _NOISE, picture.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8), shift
