"""A scripted world of people at given ROIs, to test trackers without networks."""

import math
from typing import Any

import numpy as np

from blazepose.geometry import Roi
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.person_detector import Detection, PersonDetector
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

IMAGE = np.zeros((480, 640, 3), np.uint8)


class UnusedEngine:
    """Landmark engine that must not run."""

    input_size = 256
    topology = FULL_BODY
    metadata: dict[str, Any] = {}

    def __call__(self, images: np.ndarray) -> RawOutputs:
        raise AssertionError("the scripted world replaces the landmark network")


def at(x: float, y: float = 240.0, side: float = 100.0) -> Roi:
    return Roi(float(x), float(y), float(side), 0.0)


def landmarks_of(person: Roi, roi: Roi, presence: float = 0.9) -> LandmarkResult:
    """Return the landmark network's result for a person whose exact ROI is `person`."""
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
        roi=roi,
    )


class World(PersonDetector):
    """Detector and landmark network of the people in the world.

    Attributes:
        people: {name: ROI}; the first ones have the highest detection scores, and stand in front.
        detector_calls: number of detector calls.
        landmarker_rois: ROIs of the landmark network's calls.
        decodings: decoding, and landmarks of the frame before, of these calls.
    """

    def __init__(self, monkeypatch) -> None:
        self.people: dict[str, Roi] = {}
        self.detector_calls = 0
        self.landmarker_rois: list[Roi] = []
        self.decodings: list[tuple[Any, ...]] = []
        monkeypatch.setattr("blazepose.runtime.tracker.run_landmarker", self.run_landmarker)

    def check_points(self, topology: Topology) -> None:
        pass

    def __call__(self, image: np.ndarray) -> list[Detection]:
        self.detector_calls += 1
        points = [landmarks_of(person, person).alignment_px for person in self.people.values()]
        return [Detection(0.9, np.zeros(4), np.concatenate([pair, pair])) for pair in points]

    def run_landmarker(self, engine: Any, image: np.ndarray, roi: Roi, *decoding: Any) -> LandmarkResult:
        """Return the result for the person nearest to the ROI's center, if in the ROI."""
        self.landmarker_rois.append(roi)
        self.decodings.append(decoding)
        nearest = min(self.people.values(), key=lambda person: _distance(person, roi), default=None)
        if nearest is None or _distance(nearest, roi) > roi.side / 2:
            return landmarks_of(roi, roi, presence=0.1)
        return landmarks_of(nearest, roi)

    def tracker(self, detector: bool = True, **options: Any) -> PoseTracker:
        """Create a tracker in this world; without smoothing by default."""
        tracker_options = TrackerOptions(**{"smooth_landmarks": False, **options})
        return PoseTracker(UnusedEngine(), self if detector else None, tracker_options)

    def show(
        self, tracker: PoseTracker, time_ms: float | None = None, **people: Roi
    ) -> list[tuple[str, int]]:
        """Run a tracker on a frame with these people, and return the names and ids of its poses."""
        self.people = people
        return [(self.name(pose), pose.id) for pose in tracker(IMAGE, time_ms)]

    def name(self, pose: Pose) -> str:
        """Return the name of the person of a pose."""
        center = at(*pose.landmarks[:, :2].mean(axis=0))
        return min(self.people, key=lambda name: _distance(self.people[name], center))


def _distance(roi: Roi, other: Roi) -> float:
    return math.hypot(roi.center_x - other.center_x, roi.center_y - other.center_y)
