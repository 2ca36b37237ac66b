"""A stub tracker, and a video of a few frames."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blazepose.geometry import Roi
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from tests.runtime.scripted import UnusedEngine, at, landmarks_of

TIMES_MS = [0.0, 33.0, 66.0, 133.0, 200.0, 233.0]


class StubTracker(PoseTracker):
    """Tracker with a person in every second frame; calls `at_frame` with the number of each frame."""

    def __init__(
        self, at_frame: Callable[[int], None] = lambda number: None, running_mode: str = "video"
    ) -> None:
        super().__init__(UnusedEngine(), None, TrackerOptions(running_mode=running_mode))
        self.at_frame = at_frame
        self.rois: list[list[Roi]] = []

    def __call__(self, image: np.ndarray, timestamp_ms=None, rois=None, boxes_xyxy=None) -> list[Pose]:
        number = len(self.rois)
        self.rois.append(list(rois or ()))
        self.at_frame(number)
        result = landmarks_of(at(60, 40, 60), at(60, 40, 60))
        return [] if number % 2 else [Pose(number // 4, result.landmarks, result.world, 0.9, result.roi)]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
