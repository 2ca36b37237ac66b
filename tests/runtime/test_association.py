"""Candidates and made-up results of frames, duplicates, and id swaps."""

from typing import Any

import pytest

from blazepose.geometry import Roi
from blazepose.runtime.association import (
    Association,
    Candidate,
    TrackedPerson,
    detect_id_swap,
    drop_tracked_rois,
    find_duplicate,
    match_greedy,
)
from blazepose.runtime.smoothing import PoseSmoother, keep_unsmoothed
from blazepose.runtime.track import Track
from blazepose.runtime.tracker_options import TrackerOptions
from tests.runtime.scripted import at, landmarks_of


def track(number: int, x: float, velocity: float = 0.0) -> Track:
    return Track(number, at(x), 0.0, keep_unsmoothed, (velocity, 0.0))


def with_people(*xs: float, num_poses: int = 3, **options: Any) -> Association:
    """Create an association with people at these places, found at 0 ms."""
    association = Association(TrackerOptions(num_poses=num_poses, **options))
    association.propose_tracked([], 0.0)
    rois = [at(x) for x in xs]
    association.resolve([Candidate(roi) for roi in rois], [landmarks_of(roi, roi) for roi in rois])
    return association


def resolve(association: Association, candidates: list[Candidate], found: dict[Roi, Roi]) -> None:
    """Resolve candidates with the people found at their ROIs."""
    results = [landmarks_of(found[c.roi], c.roi) if c.roi in found else None for c in candidates]
    association.resolve(candidates, results)


def ids(association: Association) -> list[int]:
    return [person.track.id for person in association.tracked]


def lost_ids(association: Association) -> list[int]:
    return [person.id for person in association.lost]


def test_candidates_are_the_tracks_at_given_rois_or_where_they_were_then_the_other_given_rois():
    association = with_people(100, 300)
    first, second = (person.track for person in association.tracked)
    assert association.propose_tracked([at(500), at(310)], 33.0) == [
        Candidate(at(100), first),
        Candidate(at(310), second, given=True),
        Candidate(at(500), given=True),
    ]


def test_new_candidates_are_where_no_person_is_tracked_those_near_lost_people_first():
    association = with_people(100, 300)
    candidates = association.propose_tracked([], 33.0)
    resolve(association, candidates, {at(100): at(100)})
    assert association.propose_new([at(500), at(330), at(103), at(310)]) == [
        Candidate(at(310)),
        Candidate(at(330)),
        Candidate(at(500)),
    ]


def test_a_batch_has_as_many_new_people_as_places():
    association = with_people(100)
    candidates = [Candidate(at(x)) for x in (300, 400, 500)]
    assert association.take_batch(candidates) == [Candidate(at(300)), Candidate(at(400))]
    assert candidates == [Candidate(at(500))]
    assert with_people(100, num_poses=1).take_batch(candidates) == []
    assert candidates == [Candidate(at(500))]


def test_a_batch_of_given_rois_leaves_places_only_to_people_with_given_rois():
    association = with_people(100, 200, 300)
    candidates = association.propose_tracked([at(105), at(500), at(600), at(700)], 33.0)
    batch = association.take_batch(candidates)
    assert [candidate.roi for candidate in batch] == [at(105), at(200), at(300), at(500), at(600)]
    resolve(association, batch, {roi: roi for roi in (at(105), at(200), at(300), at(500))})
    assert ids(association) == [0, 1, 3]  # person 2 is replaced
    resolve(association, association.take_batch(candidates), {at(700): at(700)})
    assert candidates == []
    assert ids(association) == [0, 3, 4]
    assert lost_ids(association) == []


def test_a_person_with_a_given_roi_is_not_replaced_even_if_its_id_was_swapped():
    """Person 0 moves right and person 1 left; where they meet, the network returns one of them twice."""
    association = with_people(150, 250, num_poses=2)
    for person, velocity in zip(association.tracked, (0.5, -0.5), strict=True):
        person.track.velocity = (velocity, 0.0)
    resolve(association, association.propose_tracked([], 100.0), {at(150): at(200), at(250): at(200)})
    association.tracked[0].track.update(at(200), 100.0)
    assert (ids(association), lost_ids(association)) == ([0], [1])
    rois = [at(150), at(250), at(600)]
    candidates = association.propose_tracked(rois, 200.0)
    while batch := association.take_batch(candidates):
        resolve(association, batch, {roi: roi for roi in rois})
    assert [(person.track.id, person.result.roi) for person in association.tracked] == [
        (1, at(150)),
        (0, at(250)),
    ]
    assert candidates == [Candidate(at(600), given=True)]


def test_while_people_are_lost_new_ones_take_only_places_that_are_not_kept():
    association = with_people(100, 300)
    resolve(association, association.propose_tracked([], 33.0), {at(100): at(100)})
    candidates = [Candidate(at(x)) for x in (310, 500, 600)]
    assert association.take_batch(candidates) == [Candidate(at(310))]
    association.resolve([Candidate(at(310))], [None])
    assert association.take_batch(candidates) == [Candidate(at(500))]
    resolve(association, [Candidate(at(500))], {at(500): at(500)})
    assert ids(association) == [0, 2]
    assert association.take_batch(candidates) == []  # the third place is the lost person's
    assert candidates == []


def test_a_lost_person_is_recovered_with_id_and_a_new_filter():
    association = with_people(100)
    before = association.tracked[0].track.smoother
    association.resolve(association.propose_tracked([], 33.0), [None])
    assert (ids(association), lost_ids(association)) == ([], [0])
    resolve(association, [Candidate(at(110)), Candidate(at(400))], {at(110): at(110), at(400): at(400)})
    assert (ids(association), lost_ids(association)) == ([0, 1], [])
    assert isinstance(before, PoseSmoother)
    assert association.tracked[0].track.smoother is not before


def test_lost_people_are_dropped_after_max_lost_ms():
    association = with_people(100, max_lost_ms=50)
    association.resolve(association.propose_tracked([], 50.0), [None])
    association.propose_new([])
    assert lost_ids(association) == [0]
    association.propose_tracked([], 50.1)
    association.propose_new([])
    assert lost_ids(association) == []


def test_of_two_tracks_with_one_person_the_one_that_fits_better_stays():
    association = with_people(100, 140)
    resolve(association, association.propose_tracked([], 33.0), {at(100): at(135), at(140): at(135)})
    assert (ids(association), lost_ids(association)) == ([1], [0])
    assert association.lost[0].merged_with is not None
    assert association.lost[0].merged_with.id == 1


def test_a_result_far_from_the_roi_of_its_track_loses_the_track():
    association = with_people(100)
    resolve(association, association.propose_tracked([], 33.0), {at(100): at(190)})
    assert (ids(association), lost_ids(association)) == ([], [0])
    resolve(association, [Candidate(at(300))], {at(300): at(390)})
    assert ids(association) == [1]  # a new person is accepted anywhere


def test_a_duplicate_of_a_tracked_person_starts_no_track():
    association = with_people(100)
    resolve(association, [Candidate(at(130))], {at(130): at(101)})
    assert (ids(association), lost_ids(association)) == ([0], [])


def test_cleared_people_are_not_recovered():
    association = with_people(100)
    association.clear()
    assert association.propose_tracked([], 33.0) == []
    resolve(association, [Candidate(at(100))], {at(100): at(100)})
    assert ids(association) == [1]


def test_pairs_with_the_highest_iou_are_matched_first():
    assert match_greedy([at(120), at(104), at(500)], [at(100), at(150)], 0.2) == {0: 1, 1: 0}
    assert match_greedy([at(120), at(104)], [at(100)], 0.2) == {0: 1}
    assert match_greedy([at(190)], [at(100)], 0.2) == {}


def test_each_tracked_person_drops_only_the_nearest_roi():
    tracked = [TrackedPerson(track(0, 100), landmarks_of(at(100), at(100)))]
    assert drop_tracked_rois([at(120), at(103), at(400)], tracked) == [at(120), at(400)]
    assert drop_tracked_rois([at(180)], tracked) == [at(180)]
    assert drop_tracked_rois([], tracked) == []


def test_equal_landmarks_are_duplicates():
    first = track(0, 100)
    tracked = [TrackedPerson(first, landmarks_of(at(100), at(100)))]
    assert find_duplicate(landmarks_of(at(112), at(150)), tracked) is first
    assert find_duplicate(landmarks_of(at(118), at(100)), tracked) is None
    assert find_duplicate(landmarks_of(at(100), at(100)), []) is None


@pytest.mark.parametrize(
    ("lost_x", "stayed_x", "swapped"), [(150, 250, False), (250, 150, True), (199, 201, False)]
)
def test_ids_follow_the_predicted_motion_after_an_occlusion(lost_x, stayed_x, swapped):
    """Both were at 200, the lost person moving left and the other one right, 0.5 px a millisecond."""
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    lost.merge_with(stayed)
    stayed.update(at(stayed_x), 100.0)
    tracked = [TrackedPerson(stayed, landmarks_of(at(stayed_x), at(stayed_x)))]
    result = detect_id_swap(lost, at(lost_x), tracked, 100.0)
    assert result is (stayed if swapped else None)


def test_no_swap_without_a_merge_or_without_the_other_track():
    lost, stayed = track(0, 200, -0.5), track(1, 200, 0.5)
    tracked = [TrackedPerson(stayed, landmarks_of(at(150), at(150)))]
    assert detect_id_swap(lost, at(250), tracked, 100.0) is None
    lost.merge_with(stayed)
    assert detect_id_swap(lost, at(250), tracked, 100.0) is stayed
    assert detect_id_swap(lost, at(250), [], 100.0) is None
