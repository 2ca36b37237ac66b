"""ROIs and boxes of the caller, in a scripted world."""

import math

import numpy as np
import pytest

from blazepose.geometry import Roi, roi_from_box, roi_iou
from tests.runtime.scripted import IMAGE, at


def test_a_given_roi_is_used_unchanged(world):
    tracker = world.tracker()
    world.people = {"ben": at(400), "anna": at(100)}
    given = Roi(110.0, 230.0, 120.0, 0.3)
    (pose,) = tracker(IMAGE, 0, rois=[given])
    assert (pose.roi, pose.id, world.landmarker_rois, world.detector_calls) == (given, 0, [given], 0)
    (pose,) = tracker(IMAGE, 33)
    assert pose.roi == at(100)
    corrected = Roi(95.0, 240.0, 90.0, 0.0)
    (pose,) = tracker(IMAGE, 66, rois=[corrected])
    assert (pose.roi, pose.id) == (corrected, 0)
    assert world.detector_calls == 0


def test_a_given_roi_elsewhere_starts_a_track(world):
    tracker = world.tracker(num_poses=2)
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, rois=[at(100)])
    poses = tracker(IMAGE, 33, rois=[at(410)])
    assert [(world.name(pose), pose.id, pose.roi) for pose in poses] == [
        ("anna", 0, at(100)),
        ("ben", 1, at(410)),
    ]
    assert world.detector_calls == 0


def test_two_rois_of_one_person_are_one_pose(world):
    tracker = world.tracker(num_poses=2)
    world.people = {"anna": at(100)}
    assert len(tracker(IMAGE, 0, rois=[at(98), at(103)])) == 1
    assert world.show(tracker, 33, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]


def test_an_roi_without_a_person_takes_no_place(world):
    world.people = {"anna": at(100)}
    assert len(world.tracker()(IMAGE, 0, rois=[at(600), at(100)])) == 1


def test_empty_rois_and_boxes_replace_the_detector(world):
    """Another detector found no person: ours does not run, and tracked people stay."""
    tracker = world.tracker(num_poses=2)
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0, boxes_xyxy=[]) == tracker(IMAGE, 33, rois=[]) == []
    assert tracker(IMAGE, 66, boxes_xyxy=np.zeros((0, 4))) == []
    assert world.detector_calls == 0
    assert len(tracker(IMAGE, 99, rois=[at(100)])) == 1
    assert len(tracker(IMAGE, 132, boxes_xyxy=[])) == 1
    assert world.detector_calls == 0


def test_boxes_take_only_free_places(world):
    tracker = world.tracker()
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, boxes_xyxy=[(70, 190, 120, 260)])
    for k in range(1, 4):
        (pose,) = tracker(IMAGE, 33 * k, boxes_xyxy=[(370, 190, 420, 260)])
        assert (world.name(pose), pose.id) == ("anna", 0)


def test_a_given_roi_replaces_a_person_without_one(world):
    tracker = world.tracker()
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, rois=[at(100)])
    (pose,) = tracker(IMAGE, 33, rois=[at(600)])
    assert world.name(pose) == "anna"  # no person is there, so she stays
    (pose,) = tracker(IMAGE, 66, rois=[at(400)])
    assert (world.name(pose), pose.id) == ("ben", 1)
    (pose,) = tracker(IMAGE, 99, rois=[at(400), at(100)])
    assert world.name(pose) == "ben"
    (pose,) = tracker(IMAGE, 132)
    assert world.name(pose) == "ben"


def test_more_rois_than_places_do_not_run_the_landmark_network(world):
    tracker = world.tracker(num_poses=2)
    world.people = {f"p{k}": at(100 * k) for k in range(1, 6)}
    for k in range(2):
        poses = tracker(IMAGE, k * 33, rois=[at(900), *world.people.values()])
        assert [pose.roi for pose in poses] == [at(100), at(200)]
    empty_first = [at(900), at(100), at(200)]
    assert world.landmarker_rois == [*empty_first, at(100), at(200)]


def test_the_landmark_network_runs_twice_on_given_boxes(world):
    tracker = world.tracker()
    world.people = {"anna": at(100)}
    box = (70, 190, 120, 260)
    (pose,) = tracker(IMAGE, 0, boxes_xyxy=[box])
    assert world.landmarker_rois == [roi_from_box(np.array(box)), at(100)]
    assert pose.roi == at(100)
    assert world.detector_calls == 0
    (pose,) = tracker(IMAGE, 33, boxes_xyxy=[box])
    assert (pose.id, world.landmarker_rois[2:]) == (0, [at(100)])
    assert tracker(IMAGE, 66, boxes_xyxy=[(500, 0, 510, 20)]) != []


def test_boxes_without_a_person_do_not_shift_the_others(world):
    tracker = world.tracker(num_poses=3)
    world.people = {"anna": at(100), "ben": at(400)}
    boxes = [(x - 30, 190, x + 20, 260) for x in (100, 250, 400)]
    poses = tracker(IMAGE, 0, boxes_xyxy=boxes)
    assert [(world.name(pose), pose.roi) for pose in poses] == [("anna", at(100)), ("ben", at(400))]
    given = [roi_from_box(np.array(box)) for box in boxes]
    assert world.landmarker_rois == [*given, at(100), at(400)]


def test_given_rois_and_boxes_without_a_person_return_none(world):
    tracker = world.tracker()
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0, boxes_xyxy=[(500, 0, 520, 20)]) == []
    assert tracker(IMAGE, 33, rois=[at(500)]) == []
    assert world.detector_calls == 0


def test_without_a_detector_only_people_at_given_rois_are_tracked(world):
    tracker = world.tracker(detector=False)
    assert not tracker.detects
    assert world.tracker().detects
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0) == []
    assert len(tracker(IMAGE, 33, rois=[at(100)])) == 1
    assert len(tracker(IMAGE, 66)) == 1


@pytest.mark.parametrize("name", ["anna", "ben"])
def test_a_given_roi_is_matched_to_the_nearest_track(world, name):
    """Of two people side by side, the other one stays, too, and no id changes."""
    tracker, people = world.tracker(num_poses=2), {"anna": at(100), "ben": at(140)}
    assert 0.2 < roi_iou(*people.values()) < 0.5
    assert world.show(tracker, 0, **people) == [("anna", 0), ("ben", 1)]
    for k in range(1, 4):
        poses = tracker(IMAGE, k * 33, rois=[people[name]])
        assert [(world.name(pose), pose.id) for pose in poses] == [("anna", 0), ("ben", 1)]


def test_a_person_with_an_roi_in_every_frame_has_a_velocity(world):
    """It distinguishes people who cross."""
    tracker = world.tracker()
    for k in range(5):
        world.people = {"anna": at(100 + 10 * k)}
        tracker(IMAGE, k * 40, rois=[at(100 + 10 * k)])
    assert tracker._association.tracked[0].track.velocity[0] == pytest.approx(
        0.25 * (1 - math.exp(-160 / 93)), abs=0.01
    )
