"""People whom the caller points to, in a scripted world."""

import math

import numpy as np
import pytest

from blazepose.geometry import Roi, roi_from_box, roi_iou
from tests.runtime.scripted import IMAGE, at


def test_a_given_roi_is_looked_through_as_it_is(world):
    tracker = world.tracker()
    world.people = {"ben": at(400), "anna": at(100)}
    given = Roi(110.0, 230.0, 120.0, 0.3)
    (pose,) = tracker(IMAGE, 0, rois=[given])
    assert (pose.roi, pose.id, world.looked, world.asked) == (given, 0, [given], 0)
    (pose,) = tracker(IMAGE, 33)
    assert pose.roi == at(100)
    corrected = Roi(95.0, 240.0, 90.0, 0.0)
    (pose,) = tracker(IMAGE, 66, rois=[corrected])
    assert (pose.roi, pose.id) == (corrected, 0)
    assert world.asked == 0


def test_a_given_roi_elsewhere_is_somebody_else(world):
    tracker = world.tracker(people=2)
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, rois=[at(100)])
    poses = tracker(IMAGE, 33, rois=[at(410)])
    assert [(world.name(pose), pose.id, pose.roi) for pose in poses] == [
        ("anna", 0, at(100)),
        ("ben", 1, at(410)),
    ]
    assert world.asked == 0


def test_two_rois_on_one_person_are_one_person(world):
    tracker = world.tracker(people=2)
    world.people = {"anna": at(100)}
    assert len(tracker(IMAGE, 0, rois=[at(98), at(103)])) == 1
    assert world.show(tracker, 33, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]


def test_an_empty_roi_costs_no_place(world):
    world.people = {"anna": at(100)}
    assert len(world.tracker()(IMAGE, 0, rois=[at(600), at(100)])) == 1


def test_no_rois_and_no_boxes_are_an_answer(world):
    """Another detector found nobody: ours has nothing to say, and who is followed stays."""
    tracker = world.tracker(people=2)
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0, boxes_xyxy=[]) == tracker(IMAGE, 33, rois=[]) == []
    assert tracker(IMAGE, 66, boxes_xyxy=np.zeros((0, 4))) == []
    assert world.asked == 0
    assert len(tracker(IMAGE, 99, rois=[at(100)])) == 1
    assert len(tracker(IMAGE, 132, boxes_xyxy=[])) == 1
    assert world.asked == 0


def test_boxes_take_only_free_places(world):
    tracker = world.tracker()
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, boxes_xyxy=[(70, 190, 120, 260)])
    for k in range(1, 4):
        (pose,) = tracker(IMAGE, 33 * k, boxes_xyxy=[(370, 190, 420, 260)])
        assert (world.name(pose), pose.id) == ("anna", 0)


def test_a_given_roi_takes_the_place_of_somebody_to_whom_none_points(world):
    tracker = world.tracker()
    world.people = {"anna": at(100), "ben": at(400)}
    tracker(IMAGE, 0, rois=[at(100)])
    (pose,) = tracker(IMAGE, 33, rois=[at(600)])
    assert world.name(pose) == "anna"  # nobody is there, so she stays
    (pose,) = tracker(IMAGE, 66, rois=[at(400)])
    assert (world.name(pose), pose.id) == ("ben", 1)
    (pose,) = tracker(IMAGE, 99, rois=[at(400), at(100)])
    assert world.name(pose) == "ben"
    (pose,) = tracker(IMAGE, 132)
    assert world.name(pose) == "ben"


def test_given_boxes_are_looked_at_twice(world):
    tracker = world.tracker()
    world.people = {"anna": at(100)}
    box = (70, 190, 120, 260)
    (pose,) = tracker(IMAGE, 0, boxes_xyxy=[box])
    assert world.looked == [roi_from_box(np.array(box)), at(100)]
    assert pose.roi == at(100)
    assert world.asked == 0
    (pose,) = tracker(IMAGE, 33, boxes_xyxy=[box])
    assert (pose.id, world.looked[2:]) == (0, [at(100)])
    assert tracker(IMAGE, 66, boxes_xyxy=[(500, 0, 510, 20)]) != []


def test_nobody_in_a_given_place_is_nobody(world):
    tracker = world.tracker()
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0, boxes_xyxy=[(500, 0, 520, 20)]) == []
    assert tracker(IMAGE, 33, rois=[at(500)]) == []
    assert world.asked == 0


def test_without_a_detector_only_given_people_are_followed(world):
    tracker = world.tracker(detector=False)
    assert not tracker.detects
    assert world.tracker().detects
    world.people = {"anna": at(100)}
    assert tracker(IMAGE, 0) == []
    assert len(tracker(IMAGE, 33, rois=[at(100)])) == 1
    assert len(tracker(IMAGE, 66)) == 1


@pytest.mark.parametrize("pointed", ["anna", "ben"])
def test_a_given_roi_is_of_whom_it_fits_best(world, pointed):
    """Of two who stand side by side, the other one stays, too, and nobody's id changes."""
    tracker, people = world.tracker(people=2), {"anna": at(100), "ben": at(140)}
    assert 0.2 < roi_iou(*people.values()) < 0.5
    assert world.show(tracker, 0, **people) == [("anna", 0), ("ben", 1)]
    for k in range(1, 4):
        poses = tracker(IMAGE, k * 33, rois=[people[pointed]])
        assert [(world.name(pose), pose.id) for pose in poses] == [("anna", 0), ("ben", 1)]


def test_who_is_pointed_to_in_every_frame_has_a_velocity(world):
    """By which two who cross are told apart."""
    tracker = world.tracker()
    for k in range(5):
        world.people = {"anna": at(100 + 10 * k)}
        tracker(IMAGE, k * 40, rois=[at(100 + 10 * k)])
    assert tracker._tracks[0].velocity[0] == pytest.approx(0.25 * (1 - math.exp(-160 / 93)), abs=0.01)
