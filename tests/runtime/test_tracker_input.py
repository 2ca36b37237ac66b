"""What a tracker takes and gives: times, sizes, options, smoothing, masks, damaged answers."""

import subprocess
import sys

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.person_detector import Detection, PersonDetector
from blazepose.runtime.tracker import PoseTracker, TrackerOptions
from tests.runtime.scripted import IMAGE, Unused, at, look_at


@pytest.mark.parametrize("time_ms", [100.0, 99.0])
def test_times_have_to_rise(world, time_ms):
    tracker = world.tracker()
    world.show(tracker, 100, anna=at(100))
    with pytest.raises(ValueError, match=rf"a frame at {time_ms:g} ms cannot follow one at 100 ms.*reset"):
        world.show(tracker, time_ms, anna=at(100))
    assert world.show(tracker, 133, anna=at(100)) == [("anna", 0)]


@pytest.mark.parametrize("time_ms", [float("nan"), float("-inf"), float("inf")])
def test_times_are_numbers(world, time_ms):
    tracker = world.tracker()
    for _ in range(2):
        with pytest.raises(ValueError, match=f"timestamp_ms={time_ms} is no time: a number of milliseconds"):
            world.show(tracker, time_ms, anna=at(100))
        world.show(tracker, anna=at(100))
    assert world.show(tracker, 133, anna=at(100)) == [("anna", 0)]


def test_frames_without_times_are_a_30th_of_a_second_apart(world):
    tracker = world.tracker(memory_ms=1000)
    world.show(tracker, anna=at(100))
    for _ in range(29):
        assert world.show(tracker, ben=at(400)) == []
    world.show(tracker)  # a second has passed, more or less
    assert world.show(tracker, ben=at(400)) == [("ben", 1)]


def test_seconds_are_noticed(world, caplog):
    for times, warned in (([0.0, 0.2, 0.4, 0.6], 1), ([0.0, 1.0, 34.0], 0)):
        caplog.clear()
        tracker = world.tracker()
        for time in times:
            world.show(tracker, time, anna=at(100))
        assert caplog.text.count("are these seconds?") == warned


def test_reset_begins_another_video(world):
    tracker = world.tracker()
    world.show(tracker, 100, anna=at(100))
    tracker.reset()
    assert world.show(tracker, 0, ben=at(400)) == [("ben", 0)]


def test_a_frame_of_another_size_is_looked_at_anew(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    (pose,) = tracker(np.zeros((240, 320, 3), np.uint8), 33)
    assert (pose.id, world.asked) == (1, 2)
    with pytest.raises(ValueError, match="times have to rise"):
        tracker(IMAGE, 33)


def test_pictures_have_nothing_to_do_with_each_other(world):
    tracker = world.tracker(video=False, smooth=True)
    assert world.show(tracker, 50, anna=at(100)) == [("anna", 0)]
    assert world.show(tracker, 50, anna=at(110), ben=at(400)) == [("anna", 0)]
    (pose,) = tracker(IMAGE)
    np.testing.assert_array_equal(pose.landmarks, look_at(at(110), at(110)).landmarks)
    assert world.show(tracker, ben=at(400)) == [("ben", 0)]
    assert world.asked == 4


def test_smoothing_is_a_choice_and_steadies_the_roi(world):
    rough, smooth = world.tracker(), world.tracker(smooth=True)
    rng = np.random.default_rng(0)
    roughly, smoothly = [], []
    for k in range(30):
        world.people = {"anna": at(200 + rng.normal(0, 2))}
        ((one,), (other,)) = rough(IMAGE, k * 33), smooth(IMAGE, k * 33)
        if k:
            roughly.append((one.landmarks[0, 0], one.roi.center_x))
            smoothly.append((other.landmarks[0, 0], other.roi.center_x))
        expected = look_at(world.people["anna"], at(0))
        np.testing.assert_array_equal(one.landmarks, expected.landmarks)
        np.testing.assert_array_equal(one.world, expected.world)
    before, after = (np.diff(run, axis=0).std(axis=0) for run in (roughly, smoothly))
    assert (after < 0.6 * before).all()


def test_masks_come_when_asked_for_and_have_the_pictures_size(world):
    world.people = {"anna": at(100)}
    (pose,) = world.tracker()(IMAGE)
    assert pose.mask is None
    (pose,) = world.tracker(mask=True)(IMAGE)
    assert pose.mask.shape == (480, 640)
    assert pose.mask.dtype == np.float32
    assert pose.mask[240, 100] == 0.5  # logits of 0
    assert pose.mask[240, 300] == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"people": 0}, "people=0: follow one person or more, a whole number"),
        ({"min_detection": 1.1}, "min_detection=1.1: a number from 0 to 1"),
        ({"min_presence": -0.1}, "min_presence=-0.1: a number from 0 to 1"),
        ({"min_presence": float("nan")}, "min_presence=nan: a number from 0 to 1"),
        ({"memory_ms": -1.0}, "memory_ms=-1.0: a number from 0 up"),
        ({"memory_ms": float("nan")}, "memory_ms=nan: a number from 0 up"),
        ({"memory_ms": float("inf")}, "memory_ms=inf: a number from 0 up"),
    ],
)
def test_options_out_of_range_are_named(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        TrackerOptions(**options)
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        PoseTracker.load("none.task", **options)


@pytest.mark.parametrize(
    "roi", [Roi(9.0, 9.0, 0.0, 0.0), Roi(np.nan, 9.0, 50.0, 0.0), Roi(9.0, 9.0, 50.0, np.inf)]
)
def test_given_rois_have_to_be_somewhere(world, roi):
    with pytest.raises(ValueError, match=r"Roi\(.* is nowhere: a side has to be above 1 pixel"):
        world.tracker()(IMAGE, 0, rois=[at(100), roi])


def test_given_boxes_have_to_have_an_area(world):
    with pytest.raises(ValueError, match="the box 9, 9, 5, 20 has no area"):
        world.tracker()(IMAGE, 0, boxes_xyxy=[(9, 9, 5, 20)])


def test_of_a_picture_nobody_named_is_left_out(world):
    world.people = {"anna": at(100), "ben": at(400)}
    both = [(70, 190, 120, 260), (370, 190, 420, 260)]
    with pytest.raises(ValueError, match=r"^2 ROIs and boxes, but people=1; people=2 looks at all of them$"):
        world.tracker(video=False)(IMAGE, boxes_xyxy=both)
    with pytest.raises(ValueError, match=r"^2 ROIs and boxes"):
        world.tracker(video=False)(IMAGE, rois=[at(100)], boxes_xyxy=both[1:])
    assert len(world.tracker(video=False, people=2)(IMAGE, boxes_xyxy=both)) == 2


_MISTAKES = """
import numpy as np
from blazepose.runtime.tracker import PoseTracker, Tracking
frame = np.zeros((9, 9, 3), np.uint8)
for mistake in (
    lambda: Tracking(people=1.5),
    lambda: Tracking(people="2"),
    lambda: Tracking(people=None),
    lambda: Tracking(smooth="no"),
    lambda: Tracking(min_presence="0.5"),
    lambda: PoseTracker(None, None)(None),
    lambda: PoseTracker(None, None)("frame.png"),
    lambda: PoseTracker(None, None)(frame, "200"),
    lambda: PoseTracker(None, None)(frame, rois=(1, 2)),
    lambda: PoseTracker(None, None)(frame, boxes_xyxy=(1, 2, 3, 4)),
):
    try:
        mistake()
    except ValueError as error:
        print(error)
Tracking(people=np.int64(2), min_presence=np.float32(0.5))
PoseTracker(None, None)(frame, np.float32(20.0))
"""


def test_values_of_other_types_are_one_sentence():
    """In a process of its own: jaxtyping, which checks types in these tests, would be first."""
    run = subprocess.run([sys.executable, "-c", _MISTAKES], capture_output=True, text=True)
    assert run.stderr == ""
    said = run.stdout.splitlines()
    people = "follow one person or more, a whole number"
    assert said[:3] == [f"people={value}: {people}" for value in ("1.5", "'2'", "None")]
    assert said[3] == "smooth='no': True or False"
    assert said[4] == "min_presence='0.5': a number from 0 to 1"
    assert said[5].endswith("this one is NoneType; OpenCV says None of a file that it cannot read")
    assert said[6].endswith("(height, width, 3); this one is str")
    assert said[7] == "timestamp_ms='200' is no time: a number of milliseconds"
    assert said[8].startswith("rois= is a list of blazepose.runtime.Roi(")
    assert said[9].startswith("boxes_xyxy= is a list of boxes, each left, top, right, bottom in pixels")


def test_frames_have_to_be_pictures(world):
    with pytest.raises(ValueError, match="a frame is uint8 RGB"):
        world.tracker()(np.zeros((480, 640, 3), np.float32))
    world.people = {"anna": at(100)}
    assert len(world.tracker()(IMAGE[..., 0])) == 1


class Says(PersonDetector):
    """Finds people with these hips and circle points."""

    def __init__(self, *points: list[list[float]]) -> None:
        self._found = [Detection(0.9, np.zeros(4), np.array([*p, *p], float)) for p in points]

    def __call__(self, image: np.ndarray) -> list[Detection]:
        return self._found


def test_answers_of_the_detector_without_size_are_skipped(world):
    flat, lost, good = [[50, 50], [50, 50]], [[np.nan, 50], [50, 10]], [[100, 240], [100, 200]]
    world.people = {"anna": at(100)}
    (pose,) = PoseTracker(Unused(), Says(flat, lost, good), TrackerOptions())(IMAGE)
    assert pose.roi == at(100)
    assert PoseTracker(Unused(), Says(flat, lost), TrackerOptions())(IMAGE) == []


def test_who_cannot_be_followed_is_nobody(world, monkeypatch):
    """The network is sure of somebody whose alignment points fall on one."""

    def point(engine, image, roi):
        return look_at(at(100), roi)._replace(alignment_px=np.full((2, 2), 100.0))

    monkeypatch.setattr("blazepose.runtime.tracker.run_landmarker", point)
    world.people = {"anna": at(100)}
    assert world.tracker()(IMAGE) == []


class Damaged(Unused):
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
def test_no_numbers_from_the_network_are_one_sentence(wrong):
    tracker = PoseTracker(Damaged(**wrong), None)
    with pytest.raises(ValueError, match="landmark network returns NaN or infinity; name other"):
        tracker(IMAGE, rois=[at(100)])
