"""A world in which people stand where they are told to: trackers are tested in it without networks."""

import math
from typing import Any

import numpy as np

from blazepose.geometry import Roi
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.person_detector import Detection, PersonDetector
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker, TrackerOptions

IMAGE = np.zeros((480, 640, 3), np.uint8)


class Unused:
    """An engine that nobody runs."""

    input_size = 256
    metadata: dict[str, Any] = {}

    def __call__(self, images: np.ndarray) -> RawOutputs:
        raise AssertionError("the scripted world looks by itself")


def at(x: float, y: float = 240.0, side: float = 100.0) -> Roi:
    return Roi(float(x), float(y), float(side), 0.0)


def look_at(person: Roi, through: Roi, presence: float = 0.9) -> LandmarkResult:
    """What the landmark network says of somebody whose ROI is `person`."""
    hips = np.array([person.center_x, person.center_y])
    up = np.array([math.sin(person.rotation_rad), -math.cos(person.rotation_rad)])
    landmarks = np.ones((33, 5))
    landmarks[:, :2] = hips + np.linspace(-0.4, 0.4, 33)[:, None] * person.side * up
    return LandmarkResult(
        landmarks=landmarks,
        alignment_px=np.stack([hips, hips + up * person.side / 2.5]),
        world=np.full((33, 3), person.side / 1000),
        pose_presence=presence,
        segmentation=np.zeros((8, 8), np.float32),
        roi=through,
    )


class World(PersonDetector):
    """The detector and the landmark network of those who are there.

    Attributes:
        people: {name: ROI}; the detector likes the first ones best, and they stand in front.
        asked: how often the detector was.
        looked: through which ROIs.
    """

    def __init__(self, monkeypatch) -> None:
        self.people: dict[str, Roi] = {}
        self.asked = 0
        self.looked: list[Roi] = []
        monkeypatch.setattr("blazepose.runtime.tracker.run_landmarker", self.look)

    def __call__(self, image: np.ndarray) -> list[Detection]:
        self.asked += 1
        points = [look_at(person, person).alignment_px for person in self.people.values()]
        return [Detection(0.9, np.zeros(4), np.concatenate([seen, seen])) for seen in points]

    def look(self, engine: Any, image: np.ndarray, roi: Roi) -> LandmarkResult:
        """The person nearest to the ROI's centre, if it lies in the ROI."""
        self.looked.append(roi)
        nearest = min(self.people.values(), key=lambda person: _apart(person, roi), default=None)
        if nearest is None or _apart(nearest, roi) > roi.side / 2:
            return look_at(roi, roi, presence=0.1)
        return look_at(nearest, roi)

    def tracker(self, detector: bool = True, **options: Any) -> PoseTracker:
        """A tracker in this world; unsmoothed, if nothing else is said."""
        chosen = TrackerOptions(**{"smooth": False, **options})
        return PoseTracker(Unused(), self if detector else None, chosen)

    def show(
        self, tracker: PoseTracker, time_ms: float | None = None, **people: Roi
    ) -> list[tuple[str, int]]:
        """The names and ids of those whom a tracker finds in a frame with these people."""
        self.people = people
        return [(self.name(pose), pose.id) for pose in tracker(IMAGE, time_ms)]

    def name(self, pose: Pose) -> str:
        """Whose pose it is."""
        here = at(*pose.landmarks[:, :2].mean(axis=0))
        return min(self.people, key=lambda name: _apart(self.people[name], here))


def _apart(one: Roi, other: Roi) -> float:
    return math.hypot(one.center_x - other.center_x, one.center_y - other.center_y)
