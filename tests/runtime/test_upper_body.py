"""Tracking with an upper-body network: ROI around the shoulders, 25 landmarks, no world landmarks."""

from typing import Any

import numpy as np
import pytest

from blazepose.geometry import Roi, roi_from_box
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.draw import draw_poses
from blazepose.runtime.jsonl import frame_to_json
from blazepose.runtime.landmarker import run_landmarker
from blazepose.runtime.media import Frame
from blazepose.runtime.person_detector import Detection, PersonDetector
from blazepose.runtime.tracker import PoseTracker
from blazepose.runtime.tracker_options import TrackerOptions
from blazepose.topologies import find_topology
from blazepose.topology import Topology

UPPER_BODY = find_topology("upper_body")
IMAGE = np.zeros((480, 640, 3), np.uint8)
STEP = 0.05
"""Movement of the person to the right, in sides of the ROI."""


class UpperBodyEngine:
    """A network that always finds the shoulders a step to the right of the center of its ROI."""

    input_size = 256
    metadata: dict[str, Any] = {}
    topology = UPPER_BODY

    def __call__(self, images: np.ndarray) -> RawOutputs:
        landmarks = np.full((len(images), 31, 5), 9.0, np.float32)
        landmarks[..., :2] = 256 * np.array([0.5 + STEP, 0.5])
        landmarks[:, UPPER_BODY.roi_scale, 1] = 256 * (0.5 - 1 / (2 * UPPER_BODY.roi.expansion))
        masks = np.full((len(images), 128, 128, 1), 9, np.float32)
        presence = np.full((len(images), 1), 0.9)
        return RawOutputs(landmarks.reshape(len(images), -1), presence, masks, None, None)


class UpperBodyDetector(PersonDetector):
    """Detector of a person whose hips are far outside the image."""

    def __init__(self) -> None:
        pass

    def check_points(self, topology: Topology) -> None:
        pass

    def __call__(self, image: np.ndarray) -> list[Detection]:
        points = np.array([(320, 900), (320, 300), (300, 200), (300, 150)], np.float64)
        return [Detection(0.9, np.zeros(4), points)]


def tracker(detector: PersonDetector | None = None, **options: Any) -> PoseTracker:
    return PoseTracker(UpperBodyEngine(), detector, TrackerOptions(**options))


def test_the_landmarks_of_an_roi():
    result = run_landmarker(UpperBodyEngine(), IMAGE, Roi(300.0, 200.0, 100.0, 0.0))
    assert result.landmarks.shape == (25, 5)
    assert (result.world, result.topology) == (None, UPPER_BODY)
    roi = result.next_roi()
    assert vars(roi) == pytest.approx(vars(Roi(305.0, 200.0, 100.0, 0.0)), abs=1e-4)
    assert result.mask(640, 480)[200, 300] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_person_is_tracked_by_the_shoulders(smooth):
    """The detector's mid-shoulder and upper circle, 50 px above, make an ROI of 3 times 50 px."""
    track = tracker(UpperBodyDetector(), smooth_landmarks=smooth, output_segmentation_masks=True)
    (first,), (second,) = track(IMAGE, 0), track(IMAGE, 33)
    assert first.roi == Roi(300.0, 200.0, 150.0, 0.0)
    assert vars(second.roi) == pytest.approx(vars(Roi(300 + 150 * STEP, 200.0, 150.0, 0.0)), abs=1e-3)
    assert first.id == second.id
    assert (second.landmarks.shape, second.world, second.topology) == ((25, 5), None, UPPER_BODY)
    assert track.topology == UPPER_BODY


def test_a_box_is_a_guess_of_the_shoulders():
    box = (100.0, 100.0, 200.0, 300.0)
    (pose,) = tracker(running_mode="image")(IMAGE, boxes_xyxy=[box])
    guess = roi_from_box(np.array(box), around_hips=False)
    assert pose.roi.center_x == pytest.approx(guess.center_x + STEP * guess.side, abs=1e-3)


def test_poses_are_drawn_and_written():
    (pose,) = tracker(UpperBodyDetector())(IMAGE, 0)
    assert draw_poses(IMAGE, [pose])[200, round(pose.landmarks[0, 0])].any()
    (record,) = frame_to_json(0, Frame(IMAGE, 0.0), [pose])["poses"]
    assert np.shape(record["landmarks"]) == (25, 5)
    assert record["landmarks_world"] is None
