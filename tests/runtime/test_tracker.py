"""Tracking, recovery and ids, in a scripted world."""

import numpy as np
import pytest

from blazepose.geometry import Roi, roi_iou
from blazepose.runtime.tracker import PoseTracker
from tests.runtime.scripted import IMAGE, at, landmarks_of


def test_the_landmarks_before_are_the_prior_of_a_tracked_person(world):
    tracker = world.tracker(decoding="heatmap")
    world.show(tracker, anna=at(100))
    world.show(tracker, anna=at(104))
    first, second = world.decodings
    assert first == ("heatmap", None), "a new person has none"
    assert second[0] == "heatmap"
    np.testing.assert_allclose(second[1], landmarks_of(at(100), at(100)).landmarks[:, :2])


def test_an_image_has_no_landmarks_before(world):
    tracker = world.tracker(decoding="heatmap", running_mode="image")
    world.show(tracker, anna=at(100))
    world.show(tracker, anna=at(104))
    assert [previous for _, previous in world.decodings] == [None, None]


def test_the_detector_runs_only_while_fewer_people_are_tracked_than_num_poses(world):
    tracker = world.tracker()
    for k in range(5):
        assert world.show(tracker, k * 33, anna=at(100 + 5 * k)) == [("anna", 0)]
    assert world.detector_calls == 1
    world.show(tracker, 165)
    world.show(tracker, 198)
    assert world.detector_calls == 3
    pair = world.tracker(num_poses=2)
    for k in range(3):
        world.show(pair, k * 33, anna=at(100))
    assert world.detector_calls == 6
    assert world.show(pair, 99, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]
    assert world.show(pair, 132, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]
    assert world.detector_calls == 7


def test_the_landmark_network_runs_once_per_person_and_place(world):
    people = {f"p{k}": at(100 * k) for k in range(1, 6)}
    for places in (1, 3, 5, 7):
        tracker, before = world.tracker(num_poses=places), len(world.landmarker_rois)
        for k in range(3):
            assert len(world.show(tracker, k * 33, **people)) == min(places, 5)
        assert len(world.landmarker_rois) - before == 3 * min(places, 5)


def test_the_next_roi_is_the_last_pose(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=Roi(100.0, 200.0, 90.0, 0.5))
    world.show(tracker, 33, anna=Roi(110.0, 200.0, 90.0, 0.5))
    center_x, *rest = vars(world.landmarker_rois[-1]).values()
    assert (center_x, *rest) == pytest.approx((100, 200, 90, 0.5))


def test_a_lost_person_is_detected_again_in_the_same_frame(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 150, anna=at(160)) == [("anna", 0)]  # more than half a side: out of the ROI
    assert world.detector_calls == 2


def test_a_neighbor_does_not_take_the_track_of_a_person_just_lost(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, ben=at(160)) == []
    assert world.show(tracker, 66, ben=at(160), anna=at(104)) == [("anna", 0)]


def test_a_result_far_from_its_roi_loses_the_track(world):
    """In the ROI of a person who has left, the network detects another one at its edge."""
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100, side=200))
    assert world.show(tracker, 33, ben=at(190, side=100)) == []


def test_the_id_and_the_place_are_kept_during_an_occlusion(world):
    tracker = world.tracker()
    for k in range(40):
        world.show(tracker, k * 33, anna=at(100))
    for k in range(40, 60):
        assert world.show(tracker, k * 33, ben=at(400)) == []
    for k in range(60, 64):
        assert world.show(tracker, k * 33, ben=at(400), anna=at(140)) == [("anna", 0)]


def test_the_person_nearest_to_a_lost_track_recovers_it(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    world.show(tracker, 33)
    assert world.show(tracker, 66, ben=at(160), anna=at(105)) == [("anna", 0)]


def test_a_new_person_is_tracked_after_max_lost_ms(world):
    tracker = world.tracker(max_lost_ms=500)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 500, ben=at(400)) == []
    assert world.show(tracker, 501, ben=at(400)) == [("ben", 1)]
    assert world.show(tracker, 534, ben=at(400), anna=at(100)) == [("ben", 1)]


def test_with_max_lost_ms_0_a_new_person_is_tracked_at_once(world):
    tracker = world.tracker(max_lost_ms=0)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, ben=at(400)) == [("ben", 1)]
    assert world.show(tracker, 66, anna=at(100), cleo=at(600)) == [("anna", 2)]


def test_a_new_person_takes_a_free_place_but_not_a_kept_one(world):
    tracker = world.tracker(num_poses=2)
    world.show(tracker, 0, anna=at(100), ben=at(300))
    assert world.show(tracker, 33, ben=at(300), cleo=at(500)) == [("ben", 1)]
    assert world.show(tracker, 66, cleo=at(500), ben=at(300), anna=at(100)) == [("anna", 0), ("ben", 1)]
    trio = world.tracker(num_poses=3)
    world.show(trio, 0, anna=at(100), ben=at(300))
    assert world.show(trio, 33, ben=at(300), cleo=at(500)) == [("ben", 1), ("cleo", 2)]


@pytest.mark.parametrize("front", ["anna", "ben"])
@pytest.mark.parametrize("step", [4, 10, 15])
def test_people_who_cross_keep_their_ids(world, front, step):
    """While one hides the other, the network returns only that one, at both places."""
    tracker, names = world.tracker(num_poses=2), {"anna": 0, "ben": 1}
    for k in range(300 // step + 1):
        people = {"anna": at(100 + step * k), "ben": at(400 - step * k, 250)}
        hidden = abs(300 - 2 * step * k) < 30
        if hidden:
            people = {front: people[front]}
        poses = world.show(tracker, k * 33, **people)
        assert len({name for name, _ in poses}) == len(poses), f"one person twice in frame {k}"
        assert {number for _, number in poses} <= {0, 1}
    assert dict(poses) == names


def test_people_who_meet_and_part_again_keep_their_ids(world):
    """They approach slowly, and part to the sides they came from."""
    tracker = world.tracker(num_poses=2)
    for k in range(120):
        distance = 8 + (60 - k) ** 2 / 15
        people = {"anna": at(250 - distance), "ben": at(250 + distance)}
        if distance < 14:
            people = {"anna": people["anna"]}
        poses = world.show(tracker, k * 33, **people)
    assert dict(poses) == {"anna": 0, "ben": 1}


@pytest.mark.parametrize("first", ["anna", "ben"])
def test_a_hidden_person_keeps_the_id(world, first):
    """Ben passes behind Anna, whichever of them is tracked first."""
    tracker = world.tracker(num_poses=2)
    world.show(tracker, 0, **{first: at(100) if first == "anna" else at(400)})
    for k in range(1, 31):
        people = {"anna": at(100 + 10 * k), "ben": at(400 - 10 * k)}
        if roi_iou(*people.values()) > 0.3:
            del people["ben"]
        poses = world.show(tracker, k * 33, **people)
        expected = {"anna": 0, "ben": 1} if first == "anna" else {"ben": 0, "anna": 1}
        assert all(expected[name] == number for name, number in poses), f"frame {k}: {poses}"
    assert len(poses) == 2


@pytest.mark.parametrize("running_mode", ["video", "image"])
def test_people_side_by_side_are_several(world, running_mode):
    """A fifth of a side apart, the IoU of their ROIs is two thirds."""
    tracker, pair = world.tracker(num_poses=3, running_mode=running_mode), {"anna": at(100), "ben": at(120)}
    assert roi_iou(*pair.values()) > 0.6
    for k in range(3):
        assert [name for name, _ in world.show(tracker, k * 33, **pair)] == ["anna", "ben"]
    with_rois = world.tracker(num_poses=2, running_mode=running_mode)
    assert len(with_rois(IMAGE, 0, rois=list(pair.values()))) == 2
    boxes = [(x - 25, 200, x + 25, 280) for x in (100, 120)]
    assert len(world.tracker(num_poses=2, running_mode=running_mode)(IMAGE, 0, boxes_xyxy=boxes)) == 2


def test_a_new_person_near_a_tracked_one_is_detected(world):
    tracker = world.tracker(num_poses=2)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, anna=at(101), ben=at(125)) == [("anna", 0), ("ben", 1)]


def test_one_person_detected_twice_is_one(world):
    """The detector returns two boxes; in both the network finds the same person."""
    tracker = world.tracker(num_poses=2)
    for k in range(3):
        world.people = {"anna": at(100)}
        assert len(tracker(IMAGE, k * 33, boxes_xyxy=[(70, 190, 120, 260), (85, 200, 150, 270)])) == 1


def test_the_number_of_tracks_is_bounded_over_hours(world):
    def num_people(tracker: PoseTracker) -> int:
        return len(tracker._association.tracked) + len(tracker._association.lost)

    rng, tracker, with_rois, most = np.random.default_rng(0), world.tracker(num_poses=3), world.tracker(), 0
    for k in range(2000):
        if k % 40 == 0:
            world.people = {f"p{n}": at(x) for n, x in enumerate(rng.uniform(0, 1500, rng.integers(0, 5)))}
        tracker(IMAGE, k * 33)
        with_rois(IMAGE, k * 33, rois=[at(rng.uniform(0, 1500))])
        assert num_people(tracker) <= 3
        most = max(most, num_people(with_rois))
    assert most <= 32  # people lost within a second of 30 frames
    assert tracker._association._next_id > 50
