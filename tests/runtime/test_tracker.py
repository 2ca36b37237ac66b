"""Who is followed, searched and recognised, in a scripted world."""

import numpy as np
import pytest

from blazepose.geometry import Roi, roi_iou
from tests.runtime.scripted import IMAGE, at


def test_the_detector_is_asked_only_while_somebody_is_missing(world):
    tracker = world.tracker()
    for k in range(5):
        assert world.show(tracker, k * 33, anna=at(100 + 5 * k)) == [("anna", 0)]
    assert world.asked == 1
    world.show(tracker, 165)
    world.show(tracker, 198)
    assert world.asked == 3
    pair = world.tracker(people=2)
    for k in range(3):
        world.show(pair, k * 33, anna=at(100))
    assert world.asked == 6
    assert world.show(pair, 99, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]
    assert world.show(pair, 132, anna=at(100), ben=at(400)) == [("anna", 0), ("ben", 1)]
    assert world.asked == 7


def test_the_next_frame_is_looked_at_where_the_person_was(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=Roi(100.0, 200.0, 90.0, 0.5))
    world.show(tracker, 33, anna=Roi(110.0, 200.0, 90.0, 0.5))
    center_x, *rest = vars(world.looked[-1]).values()
    assert (center_x, *rest) == pytest.approx((100, 200, 90, 0.5))


def test_who_is_lost_is_searched_in_the_same_frame(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 150, anna=at(160)) == [("anna", 0)]  # more than half a side: out of the ROI
    assert world.asked == 2


def test_the_neighbour_of_somebody_just_lost_is_not_taken_for_them(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, ben=at(160)) == []
    assert world.show(tracker, 66, ben=at(160), anna=at(104)) == [("anna", 0)]


def test_a_look_that_ends_at_somebody_far_away_is_a_loss(world):
    """Through the ROI of somebody who has gone, the network sees the one at its edge."""
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100, side=200))
    assert world.show(tracker, 33, ben=at(190, side=100)) == []


def test_an_occlusion_costs_neither_the_id_nor_the_place(world):
    tracker = world.tracker()
    for k in range(40):
        world.show(tracker, k * 33, anna=at(100))
    for k in range(40, 60):
        assert world.show(tracker, k * 33, ben=at(400)) == []
    for k in range(60, 64):
        assert world.show(tracker, k * 33, ben=at(400), anna=at(140)) == [("anna", 0)]


def test_of_two_near_the_lost_place_the_nearer_is_the_lost_one(world):
    tracker = world.tracker()
    world.show(tracker, 0, anna=at(100))
    world.show(tracker, 33)
    assert world.show(tracker, 66, ben=at(160), anna=at(105)) == [("anna", 0)]


def test_after_the_memory_somebody_new_is_welcome(world):
    tracker = world.tracker(memory_ms=500)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 500, ben=at(400)) == []
    assert world.show(tracker, 501, ben=at(400)) == [("ben", 1)]
    assert world.show(tracker, 534, ben=at(400), anna=at(100)) == [("ben", 1)]


def test_no_memory_lets_somebody_else_in_at_once(world):
    tracker = world.tracker(memory_ms=0)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, ben=at(400)) == [("ben", 1)]
    assert world.show(tracker, 66, anna=at(100), cleo=at(600)) == [("anna", 2)]


def test_a_free_place_goes_to_somebody_new_and_a_kept_one_does_not(world):
    tracker = world.tracker(people=2)
    world.show(tracker, 0, anna=at(100), ben=at(300))
    assert world.show(tracker, 33, ben=at(300), cleo=at(500)) == [("ben", 1)]
    assert world.show(tracker, 66, cleo=at(500), ben=at(300), anna=at(100)) == [("anna", 0), ("ben", 1)]
    trio = world.tracker(people=3)
    world.show(trio, 0, anna=at(100), ben=at(300))
    assert world.show(trio, 33, ben=at(300), cleo=at(500)) == [("ben", 1), ("cleo", 2)]


@pytest.mark.parametrize("front", ["anna", "ben"])
@pytest.mark.parametrize("step", [4, 10, 15])
def test_two_who_cross_keep_their_ids(world, front, step):
    """While one is before the other, the network sees only that one, in both places."""
    tracker, names = world.tracker(people=2), {"anna": 0, "ben": 1}
    for k in range(300 // step + 1):
        people = {"anna": at(100 + step * k), "ben": at(400 - step * k, 250)}
        hidden = abs(300 - 2 * step * k) < 30
        if hidden:
            people = {front: people[front]}
        found = world.show(tracker, k * 33, **people)
        assert len({name for name, _ in found}) == len(found), f"one person twice in frame {k}"
        assert {number for _, number in found} <= {0, 1}
    assert dict(found) == names


def test_two_who_meet_and_stay_keep_their_ids(world):
    """They come together slowly, and part as they came."""
    tracker = world.tracker(people=2)
    for k in range(120):
        apart = 8 + (60 - k) ** 2 / 15
        people = {"anna": at(250 - apart), "ben": at(250 + apart)}
        if apart < 14:
            people = {"anna": people["anna"]}
        found = world.show(tracker, k * 33, **people)
    assert dict(found) == {"anna": 0, "ben": 1}


@pytest.mark.parametrize("first", ["anna", "ben"])
def test_who_is_hidden_by_somebody_does_not_become_that_one(world, first):
    """Ben passes behind Anna, whichever of them was there first."""
    tracker = world.tracker(people=2)
    world.show(tracker, 0, **{first: at(100) if first == "anna" else at(400)})
    for k in range(1, 31):
        people = {"anna": at(100 + 10 * k), "ben": at(400 - 10 * k)}
        if roi_iou(*people.values()) > 0.3:
            del people["ben"]
        found = world.show(tracker, k * 33, **people)
        expected = {"anna": 0, "ben": 1} if first == "anna" else {"ben": 0, "anna": 1}
        assert all(expected[name] == number for name, number in found), f"frame {k}: {found}"
    assert len(found) == 2


@pytest.mark.parametrize("video", [True, False])
def test_people_side_by_side_are_several(world, video):
    """A fifth of a side apart, their ROIs overlap by two thirds."""
    tracker, pair = world.tracker(people=3, video=video), {"anna": at(100), "ben": at(120)}
    assert roi_iou(*pair.values()) > 0.6
    for k in range(3):
        assert [name for name, _ in world.show(tracker, k * 33, **pair)] == ["anna", "ben"]
    pointed = world.tracker(people=2, video=video)
    assert len(pointed(IMAGE, 0, rois=list(pair.values()))) == 2
    boxes = [(x - 25, 200, x + 25, 280) for x in (100, 120)]
    assert len(world.tracker(people=2, video=video)(IMAGE, 0, boxes_xyxy=boxes)) == 2


def test_who_comes_near_somebody_who_is_followed_is_found(world):
    tracker = world.tracker(people=2)
    world.show(tracker, 0, anna=at(100))
    assert world.show(tracker, 33, anna=at(101), ben=at(125)) == [("anna", 0), ("ben", 1)]


def test_one_person_seen_twice_is_one(world):
    """The detector says two places; through both the network sees the same person."""
    tracker = world.tracker(people=2)
    for k in range(3):
        world.people = {"anna": at(100)}
        assert len(tracker(IMAGE, k * 33, boxes_xyxy=[(70, 190, 120, 260), (85, 200, 150, 270)])) == 1


def test_hours_of_people_coming_and_going_cost_no_memory(world):
    rng, tracker, free, most = np.random.default_rng(0), world.tracker(people=3), world.tracker(), 0
    for k in range(2000):
        if k % 40 == 0:
            world.people = {f"p{n}": at(x) for n, x in enumerate(rng.uniform(0, 1500, rng.integers(0, 5)))}
        tracker(IMAGE, k * 33)
        free(IMAGE, k * 33, rois=[at(rng.uniform(0, 1500))])
        assert len(tracker._tracks) + len(tracker._lost) <= 3
        most = max(most, len(free._tracks) + len(free._lost))
    assert most <= 32  # who was lost within a second of 30 frames
    assert tracker._next_id > 50
