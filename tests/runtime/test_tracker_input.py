"""Inputs and outputs of a tracker: times, sizes, options, smoothing, masks, invalid network outputs."""

import subprocess
import sys

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.person_detector import Detection, PersonDetector
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from blazepose.topology import Topology
from tests.runtime.scripted import IMAGE, UnusedEngine, at, landmarks_of


@pytest.mark.parametrize("time_ms", [100.0, 99.0])
def test_times_must_increase(world, time_ms):
    tracker = world.tracker()
    world.show(tracker, 100, anna=at(100))
    with pytest.raises(
        ValueError,
        match=rf"^timestamps must increase \(got {time_ms:g} ms after 100 ms\)\. Call reset\(\) before",
    ):
        world.show(tracker, time_ms, anna=at(100))
    assert world.show(tracker, 133, anna=at(100)) == [("anna", 0)]


@pytest.mark.parametrize("time_ms", [float("nan"), float("-inf"), float("inf")])
def test_times_are_numbers(world, time_ms):
    tracker = world.tracker()
    for _ in range(2):
        with pytest.raises(
            ValueError, match=f"timestamp_ms={time_ms} must be a finite number of milliseconds"
        ):
            world.show(tracker, time_ms, anna=at(100))
        world.show(tracker, anna=at(100))
    assert world.show(tracker, 133, anna=at(100)) == [("anna", 0)]


def test_frames_without_times_are_a_30th_of_a_second_apart(world):
    tracker = world.tracker(max_lost_ms=1000)
    world.show(tracker, anna=at(100))
    for _ in range(29):
        assert world.show(tracker, ben=at(400)) == []
    world.show(tracker)  # a second has passed, more or less
    assert world.show(tracker, ben=at(400)) == [("ben", 1)]


def test_times_in_seconds_are_warned_of(world, caplog):
    for times, warned in (([0.0, 0.2, 0.4, 0.6], 1), ([0.0, 1.0, 34.0], 0)):
        caplog.clear()
        tracker = world.tracker()
        for time in times:
            world.show(tracker, time, anna=at(100))
        assert caplog.text.count("are these seconds?") == warned


def test_reset_starts_another_video(world):
    tracker = world.tracker()
    world.show(tracker, 100, anna=at(100))
    tracker.reset()
    assert world.show(tracker, 0, ben=at(400)) == [("ben", 0)]


def test_a_frame_of_another_size_drops_all_tracks(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    (pose,) = tracker(np.zeros((240, 320, 3), np.uint8), 33)
    assert (pose.id, world.detector_calls) == (1, 2)
    with pytest.raises(ValueError, match="timestamps must increase"):
        tracker(IMAGE, 33)


def test_images_are_independent(world):
    tracker = world.tracker(running_mode="image", smooth_landmarks=True)
    assert world.show(tracker, 50, anna=at(100)) == [("anna", 0)]
    assert world.show(tracker, 50, anna=at(110), ben=at(400)) == [("anna", 0)]
    (pose,) = tracker(IMAGE)
    np.testing.assert_array_equal(pose.landmarks, landmarks_of(at(110), at(110)).landmarks)
    assert world.show(tracker, ben=at(400)) == [("ben", 0)]
    assert world.detector_calls == 4


def test_smoothing_is_optional_and_reduces_jitter_of_the_roi(world):
    raw, smooth = world.tracker(), world.tracker(smooth_landmarks=True)
    rng = np.random.default_rng(0)
    raw_runs, smooth_runs = [], []
    for k in range(30):
        world.people = {"anna": at(200 + rng.normal(0, 2))}
        ((one,), (other,)) = raw(IMAGE, k * 33), smooth(IMAGE, k * 33)
        if k:
            raw_runs.append((one.landmarks[0, 0], one.roi.center_x))
            smooth_runs.append((other.landmarks[0, 0], other.roi.center_x))
        expected = landmarks_of(world.people["anna"], at(0))
        np.testing.assert_array_equal(one.landmarks, expected.landmarks)
        np.testing.assert_array_equal(one.world, expected.world)
    before, after = (np.diff(run, axis=0).std(axis=0) for run in (raw_runs, smooth_runs))
    assert (after < 0.6 * before).all()


def test_masks_are_optional_and_have_the_image_size(world):
    world.people = {"anna": at(100)}
    (pose,) = world.tracker()(IMAGE)
    assert pose.mask is None
    (pose,) = world.tracker(output_segmentation_masks=True)(IMAGE)
    assert pose.mask.shape == (480, 640)
    assert pose.mask.dtype == np.float32
    assert pose.mask[240, 100] == 0.5  # logits of 0
    assert pose.mask[240, 300] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_poses": 0}, "num_poses=0 must be a whole number from 1 up"),
        (
            {"min_pose_detection_confidence": 1.1},
            "min_pose_detection_confidence=1.1 must be a number from 0 to 1",
        ),
        (
            {"min_pose_presence_confidence": -0.1},
            "min_pose_presence_confidence=-0.1 must be a number from 0 to 1",
        ),
        (
            {"min_pose_presence_confidence": float("nan")},
            "min_pose_presence_confidence=nan must be a number from 0 to 1",
        ),
        ({"max_lost_ms": -1.0}, "max_lost_ms=-1.0 must be a finite number from 0 up"),
        ({"max_lost_ms": float("nan")}, "max_lost_ms=nan must be a finite number from 0 up"),
        ({"max_lost_ms": float("inf")}, "max_lost_ms=inf must be a finite number from 0 up"),
        ({"running_mode": "film"}, 'running_mode=\'film\' must be "image" or "video"'),
    ],
)
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        TrackerOptions(**options)
    with pytest.raises(ValueError, match=f"^{message}$"):
        PoseTracker.load("none.task", **options)


@pytest.mark.parametrize(
    "roi", [Roi(9.0, 9.0, 0.0, 0.0), Roi(np.nan, 9.0, 50.0, 0.0), Roi(9.0, 9.0, 50.0, np.inf)]
)
def test_invalid_rois_are_refused(world, roi):
    with pytest.raises(ValueError, match=r"^invalid Roi\(.*\): side must be > 1 px and all values finite$"):
        world.tracker()(IMAGE, 0, rois=[at(100), roi])


def test_boxes_without_area_are_refused(world):
    with pytest.raises(ValueError, match="the box 9, 9, 5, 20 has no area"):
        world.tracker()(IMAGE, 0, boxes_xyxy=[(9, 9, 5, 20)])


def test_more_rois_and_boxes_than_num_poses_are_refused_for_an_image(world):
    world.people = {"anna": at(100), "ben": at(400)}
    both = [(70, 190, 120, 260), (370, 190, 420, 260)]
    with pytest.raises(ValueError, match=r"^got 2 ROIs and boxes but num_poses=1; set num_poses=2$"):
        world.tracker(running_mode="image")(IMAGE, boxes_xyxy=both)
    with pytest.raises(ValueError, match=r"^got 2 ROIs and boxes"):
        world.tracker(running_mode="image")(IMAGE, rois=[at(100)], boxes_xyxy=both[1:])
    assert len(world.tracker(running_mode="image", num_poses=2)(IMAGE, boxes_xyxy=both)) == 2


_MISTAKES = """
from types import SimpleNamespace
import numpy as np
from blazepose.topology import Topology
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from blazepose.topologies import FULL_BODY
frame = np.zeros((9, 9, 3), np.uint8)
engine = SimpleNamespace(metadata={}, topology=FULL_BODY)
for mistake in (
    lambda: TrackerOptions(num_poses=1.5),
    lambda: TrackerOptions(num_poses="2"),
    lambda: TrackerOptions(num_poses=None),
    lambda: TrackerOptions(smooth_landmarks="no"),
    lambda: TrackerOptions(min_pose_presence_confidence="0.5"),
    lambda: PoseTracker(engine, None)(None),
    lambda: PoseTracker(engine, None)("frame.png"),
    lambda: PoseTracker(engine, None)(frame, "200"),
    lambda: PoseTracker(engine, None)(frame, rois=(1, 2)),
    lambda: PoseTracker(engine, None)(frame, boxes_xyxy=(1, 2, 3, 4)),
):
    try:
        mistake()
    except ValueError as error:
        print(error)
TrackerOptions(num_poses=np.int64(2), min_pose_presence_confidence=np.float32(0.5))
PoseTracker(engine, None)(frame, np.float32(20.0))
"""


def test_values_of_other_types_are_value_errors():
    """In a process of its own: jaxtyping, which checks types in these tests, would raise first."""
    run = subprocess.run([sys.executable, "-c", _MISTAKES], capture_output=True, text=True)
    assert run.stderr == ""
    messages = run.stdout.splitlines()
    people = "must be a whole number from 1 up"
    assert messages[:3] == [f"num_poses={value} {people}" for value in ("1.5", "'2'", "None")]
    assert messages[3] == "smooth_landmarks='no' must be True or False"
    assert messages[4] == "min_pose_presence_confidence='0.5' must be a number from 0 to 1"
    assert messages[5].endswith("not NoneType; OpenCV returns None for a file that it cannot read")
    assert messages[6].endswith("(height, width, 3), not str")
    assert messages[7] == "timestamp_ms='200' must be a finite number of milliseconds"
    assert messages[8].startswith("rois= must be a list of blazepose.runtime.Roi(")
    assert messages[9].startswith(
        "boxes_xyxy= must be a list of boxes, each left, top, right, bottom in pixels"
    )


def test_frames_must_be_uint8_images(world):
    with pytest.raises(ValueError, match="a frame must be uint8 RGB"):
        world.tracker()(np.zeros((480, 640, 3), np.float32))
    world.people = {"anna": at(100)}
    assert len(world.tracker()(IMAGE[..., 0])) == 1


class StubDetector(PersonDetector):
    """Detector that returns people with these hips and circle points."""

    def __init__(self, *points: list[list[float]]) -> None:
        self._detections = [Detection(0.9, np.zeros(4), np.array([*p, *p], float)) for p in points]

    def check_points(self, topology: Topology) -> None:
        pass

    def __call__(self, image: np.ndarray) -> list[Detection]:
        return self._detections


def test_detections_without_size_are_skipped(world):
    flat, invalid, good = [[50, 50], [50, 50]], [[np.nan, 50], [50, 10]], [[100, 240], [100, 200]]
    world.people = {"anna": at(100)}
    (pose,) = PoseTracker(UnusedEngine(), StubDetector(flat, invalid, good), TrackerOptions())(IMAGE)
    assert pose.roi == at(100)
    assert PoseTracker(UnusedEngine(), StubDetector(flat, invalid), TrackerOptions())(IMAGE) == []


def test_a_person_without_a_next_roi_is_not_tracked(world, monkeypatch):
    """The network is confident, but the two alignment points are equal."""

    def point(engine, image, roi, *decoding):
        return landmarks_of(at(100), roi)._replace(alignment_px=np.full((2, 2), 100.0))

    monkeypatch.setattr("blazepose.runtime.tracker.run_landmarker", point)
    world.people = {"anna": at(100)}
    assert world.tracker()(IMAGE) == []


class DamagedEngine(UnusedEngine):
    def __init__(self, **wrong: float) -> None:
        self.wrong = wrong

    def __call__(self, images: np.ndarray) -> RawOutputs:
        good = RawOutputs(
            np.zeros((1, 195), np.float32),
            np.ones((1, 1), np.float32),
            np.zeros((1, 256, 256, 1), np.float32),
            np.zeros((1, 64, 64, 39), np.float32),
            np.zeros((1, 117), np.float32),
        )
        wrong = {name: np.full_like(getattr(good, name), value) for name, value in self.wrong.items()}
        return good._replace(**wrong)


@pytest.mark.parametrize("wrong", [{"landmarks": np.nan}, {"world": np.inf}, {"pose_presence": np.nan}])
def test_nan_and_infinite_outputs_are_refused(wrong):
    tracker = PoseTracker(DamagedEngine(**wrong), None)
    with pytest.raises(ValueError, match="landmark network outputs NaN or infinity; choose other"):
        tracker(IMAGE, rois=[at(100)])


def test_nan_heatmaps_are_refused_where_landmarks_come_from_them():
    engine = DamagedEngine(heatmaps=np.nan)
    with pytest.raises(ValueError, match="landmark network outputs NaN or infinity; choose other"):
        PoseTracker(engine, None, TrackerOptions(decoding="heatmap"))(IMAGE, rois=[at(100)])
    PoseTracker(engine, None, TrackerOptions(decoding="mediapipe"))(IMAGE, rois=[at(100)])  # no error
