"""A tracker that says what it is told to, in footage of a few frames."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blazepose.geometry import Roi
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from tests.runtime.scripted import Unused, at, look_at

TIMES_MS = [0.0, 33.0, 66.0, 133.0, 200.0, 233.0]


class Told(PoseTracker):
    """Sees somebody in every second frame, and calls `at_frame` with the number of each."""

    def __init__(self, at_frame: Callable[[int], None] = lambda number: None, video: bool = True) -> None:
        super().__init__(Unused(), None, TrackerOptions(video=video))
        self.at_frame = at_frame
        self.given: list[list[Roi]] = []

    def __call__(self, image: np.ndarray, timestamp_ms=None, rois=None, boxes_xyxy=None) -> list[Pose]:
        number = len(self.given)
        self.given.append(list(rois or ()))
        self.at_frame(number)
        seen = look_at(at(60, 40, 60), at(60, 40, 60))
        return [] if number % 2 else [Pose(number // 4, seen.landmarks, seen.world, 0.9, seen.roi)]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
