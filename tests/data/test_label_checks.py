"""Impossible labels, and unusual ones that are valid."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.annotation import UNKNOWN, VISIBLE, Annotation, Source
from blazepose.data.label_checks import check_labels
from blazepose.topologies.full_body import INDEX, NUM_LANDMARKS

BODY = np.random.default_rng(0).uniform((250, 100), (350, 400), (NUM_LANDMARKS, 2)).astype(np.float32)
WRIST, HIP = INDEX["left_wrist"], INDEX["left_hip"]


def person(number: int, landmarks_px=BODY, image: str | None = None, **changes) -> Annotation:
    return Annotation(
        image=Path(image or f"{number}.png"),
        person=str(number),
        landmarks_px=np.array(landmarks_px, np.float32),
        labelled=np.ones(NUM_LANDMARKS, bool),
        visibility=np.full(NUM_LANDMARKS, VISIBLE, np.int8),
        **changes,
    )


def checked(*people: Annotation) -> Source:
    return check_labels(Source("landmarks:labels.json", "landmarks", list(people), ""))


def moved(point: int, place, body=BODY) -> np.ndarray:
    body = body.copy()
    body[point] = place
    return body


@pytest.mark.parametrize("corner", [(0, 0), (1, 1)])
def test_a_point_on_the_first_pixel_is_unlabelled(corner):
    source = checked(person(1), person(2, moved(WRIST, corner)))
    assert source.annotations[0].labelled.all()
    assert np.flatnonzero(~source.annotations[1].labelled).tolist() == [WRIST]
    assert source.annotations[1].visibility[WRIST] == UNKNOWN
    assert source.notes == [
        "1 points of 1 people of landmarks:labels.json are labelled at (0, 0) or (1, 1), where no body is, "
        "first left_wrist of person 2 in 2.png: they count as unlabelled"
    ]


@pytest.mark.parametrize("place", [(0, 1), (0.5, 0), (1, 0), (2, 2)])
def test_other_places_near_the_corner_are_valid(place):
    assert checked(person(1, moved(WRIST, place))).annotations[0].labelled.all()


@pytest.mark.parametrize("point", [WRIST, HIP])
@pytest.mark.parametrize("place", [(99999, 99999), (300, -4000), (-2500, 250)])
def test_points_many_body_lengths_away(point, place):
    source = checked(person(1), person(2, moved(point, place)))
    assert np.flatnonzero(~source.annotations[1].labelled).tolist() == [point]
    assert "many body lengths away" in source.notes[0]
    assert "left_" in source.notes[0]


def test_several_points_far_away_in_different_directions():
    body = moved(WRIST, (90_000, 0), moved(HIP, (-3000, 200)))
    assert np.flatnonzero(~checked(person(1, body)).annotations[0].labelled).tolist() == sorted([WRIST, HIP])


def test_an_outstretched_arm_is_not_far_away():
    """The farthest point of 4,349 people of LSP Extended was 3.3 times as far as the next."""
    distances = np.linalg.norm(BODY - np.median(BODY, axis=0), axis=1)
    reach = np.median(BODY, axis=0) + np.array([3.3 * distances.max(), 0])
    assert checked(person(1, moved(WRIST, reach))).annotations[0].labelled.all()


def test_few_points_of_a_person_in_profile():
    """Hips and shoulders coincide in pairs, so that the nearest points are much nearer than the next."""
    template = person(1)
    labelled = np.zeros(NUM_LANDMARKS, bool)
    body = BODY.copy()
    for names, place in (("hip", (100, 200)), ("shoulder", (100, 100)), ("ankle", (101, 300))):
        for side in ("left", "right"):
            labelled[INDEX[f"{side}_{names}"]] = True
            body[INDEX[f"{side}_{names}"]] = place
    source = checked(replace(template, landmarks_px=body, labelled=labelled))
    assert (source.annotations[0].labelled == labelled).all()
    assert source.notes == []


def test_a_head_top_far_away_is_removed():
    head = np.array([60_000, 10], np.float32)
    source = checked(person(1, extra_px=np.array([[300, 90], head], np.float32), head_top_px=head))
    assert source.annotations[0].head_top_px is None
    assert source.annotations[0].extra_px.tolist() == [[300, 90]]
    assert "a point besides the 33" in source.notes[0]


def test_two_kinds_of_impossible_points_of_one_person():
    extra_px = np.array([[0, 0], [300, 90], [60_000, 10]], np.float32)
    source = checked(person(1, moved(WRIST, (1, 1)), extra_px=extra_px))
    assert source.annotations[0].extra_px.tolist() == [[300, 90]]
    assert [note[:22] for note in source.notes] == ["2 points of 1 people o", "1 points of 1 people o"]


def test_a_box_that_reaches_to_an_impossible_point_is_dropped_with_its_area():
    around = np.array([250, 100, 350, 400], np.float32)
    to_corner = np.array([0, 0, 350, 400], np.float32)
    body = moved(WRIST, (0, 0))
    kept, dropped = checked(
        person(1, body, box_xyxy=around, area_px=9.0), person(2, body, box_xyxy=to_corner, area_px=9.0)
    ).annotations
    assert (kept.box_xyxy is around, kept.area_px) == (True, 9.0)
    assert (dropped.box_xyxy, dropped.area_px) == (None, None)


def across(count: int) -> list[np.ndarray]:
    """Return people of one posture, each elsewhere in the image."""
    return [BODY + np.float32([60 * k, 0]) for k in range(count)]


def test_one_place_for_people_at_different_places():
    place = (320, 240)
    people = [person(k, moved(WRIST, place, body)) for k, body in enumerate(across(8))]
    source = checked(*people)
    assert all(np.flatnonzero(~person.labelled).tolist() == [WRIST] for person in source.annotations)
    assert source.notes[0].startswith("8 points of 8 people")
    assert "at one place in many images" in source.notes[0]


def test_a_repeated_place_in_few_images_is_chance():
    people = [person(k, moved(WRIST, (320, 240), body)) for k, body in enumerate(across(4))]
    assert checked(*people).notes == []


def test_people_of_one_image_count_once():
    people = [person(k, moved(WRIST, (320, 240), body), "team.png") for k, body in enumerate(across(8))]
    assert checked(*people).notes == []


def test_a_standing_foot_of_a_moving_person_is_valid():
    """A video of a still camera: the body moves down by less than its size, the foot not at all."""
    foot = INDEX["left_foot_index"]
    people = [person(k, moved(foot, (300, 400), BODY + np.float32([0, 12 * k]))) for k in range(10)]
    assert checked(*people).notes == []


@pytest.mark.parametrize("scale", [1 / 640, 1.5 / 640])
def test_labels_from_0_to_1_are_refused(scale):
    with pytest.raises(
        ValueError, match=r"^landmarks:labels\.json: the labels are from 0 to 1, not in pixels"
    ):
        checked(person(1, BODY * scale), person(2, BODY * scale))


def write_images(folder: Path, width: int, height: int, count: int) -> list[str]:
    names = [str(folder / f"{k}.png") for k in range(count)]
    for name in names:
        cv2.imwrite(name, np.zeros((height, width, 3), np.uint8))
    return names


@pytest.mark.parametrize(("width", "height", "count"), [(640, 480, 3), (800, 600, 1)])
def test_labels_in_percent_are_refused(tmp_path, width, height, count):
    names = write_images(tmp_path, width, height, count)
    people = [person(k, BODY / [6.4, 4.8], name) for k, name in enumerate(names)]
    with pytest.raises(ValueError, match=r"in percent, not in pixels; .* divide by 100"):
        checked(*people)


@pytest.mark.parametrize(("width", "height", "count"), [(150, 120, 4), (400, 300, 1)])
def test_small_images_have_small_coordinates(tmp_path, width, height, count):
    names = write_images(tmp_path, width, height, count)
    source = checked(*(person(k, BODY / [6.4, 4.8], name) for k, name in enumerate(names)))
    assert len(source.annotations) == count


def test_people_labelled_from_0_to_1_are_left_out():
    source = checked(person(1), person(2, BODY / 640))
    assert [person.person for person in source.annotations] == ["1"]
    assert source.left_out == {"keypoints from 0 to 1, not in pixels": 1}


def test_a_person_with_no_point_left_is_left_out():
    source = checked(person(1), person(2, np.zeros_like(BODY)))
    assert [person.person for person in source.annotations] == ["1"]
    assert source.left_out == {"no possible keypoints": 1}
    with pytest.raises(ValueError, match="has no valid labels: 33 points of 1 people"):
        checked(person(2, np.zeros_like(BODY)))


def test_a_person_labelled_twice_counts_once():
    """Another annotation has the same keypoints in the same image."""
    twin, elsewhere, near = person(2, image="1.png"), person(3), person(4, BODY + 1, "1.png")
    source = checked(person(1), twin, elsewhere, near)
    assert [person.person for person in source.annotations] == ["1", "3", "4"]
    assert source.left_out == {"labelled twice": 1}
    assert source.notes == [
        "1 people of landmarks:labels.json have exactly the keypoints of another in their image, first "
        "person 2 in 1.png: they are left out"
    ]


FACE = [INDEX[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]


def partly_labelled(points: list[int], body: np.ndarray) -> Annotation:
    labelled = np.zeros(NUM_LANDMARKS, bool)
    labelled[points] = True
    return replace(person(1, body), labelled=labelled)


def test_a_wrist_far_from_a_face_is_valid():
    """COCO labels little more of people who are cut off."""
    body = moved(WRIST, (320, 400))
    body[FACE] = [(300, 100), (303, 98), (297, 98), (306, 100), (294, 100)]
    source = checked(partly_labelled([*FACE, WRIST], body))
    assert source.annotations[0].labelled.sum() == 6
    assert source.notes == []


def test_small_people_on_whole_pixels():
    """Nose and eyes on one pixel, so that any distance is many times theirs."""
    small = np.round(BODY / 60)
    small[FACE] = small[INDEX["nose"]]
    assert checked(person(1, small)).notes == []


def test_the_box_of_a_person_without_a_point_is_kept_for_the_detector():
    box = np.array([10, 20, 30, 40], np.float32)
    source = checked(person(1), person(2, np.full_like(BODY, 1), image="1.png", box_xyxy=box))
    np.testing.assert_array_equal(source.ignored_boxes[Path("1.png")], [box])
