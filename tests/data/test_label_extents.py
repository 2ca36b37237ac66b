"""Boxes, areas and images that do not fit people's keypoints, and those that do."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.annotation import VISIBLE, Annotation, Source
from blazepose.data.label_extents import check_boxes, note_outside
from blazepose.topologies.full_body import NUM_LANDMARKS, TORSO
from tests.stored_images import PICTURE, encode

LOW, HIGH = (250, 100), (350, 400)
BODY = np.random.default_rng(0).uniform(LOW, HIGH, (NUM_LANDMARKS, 2)).astype(np.float32)
BODY[:2] = LOW, HIGH
BOX = np.array([*LOW, *HIGH], np.float32)
CORNERS = np.array([*LOW, *np.add(LOW, HIGH)], np.float32)
"""BOX as read from files with x1, y1, x2, y2."""


def person(number: int = 1, landmarks_px=BODY, **changes) -> Annotation:
    labelled = np.ones(NUM_LANDMARKS, bool)
    made = Annotation(
        image=Path(f"{number}.png"),
        person=str(number),
        landmarks_px=np.array(landmarks_px, np.float32),
        labelled=labelled,
        visibility=np.full(NUM_LANDMARKS, VISIBLE, np.int8),
    )
    return replace(made, **changes)


def source(*people: Annotation) -> Source:
    return Source("landmarks:labels.json", "landmarks", list(people), "")


@pytest.mark.parametrize("area", [1.0, 0.03, 140.0, 1920.0 * 1080.0])
def test_an_impossible_area_is_not_used(area):
    """A placeholder, a share of the image, an area of a small object, of the whole image."""
    valid = person(1, box_xyxy=BOX, area_px=15_000.0)
    checked = check_boxes(source(valid, person(2, box_xyxy=BOX, area_px=area)))
    assert [person.area_px for person in checked.annotations] == [15_000.0, None]
    assert all(person.box_xyxy is not None for person in checked.annotations)
    assert checked.notes == [
        "1 people of landmarks:labels.json have an area that cannot be their own, first person 2 in 2.png: "
        "their areas are not used"
    ]


def test_an_area_without_a_box_is_compared_with_the_keypoints():
    checked = check_boxes(source(person(1, area_px=1.0), person(2, area_px=15_000.0)))
    assert [person.area_px for person in checked.annotations] == [None, 15_000.0]


def few(landmarks) -> dict[str, np.ndarray]:
    """Return changes that leave only these points labelled."""
    return {"labelled": np.isin(np.arange(NUM_LANDMARKS), landmarks)}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="neither"),
        pytest.param({"box_xyxy": BOX, "area_px": 30_000.0}, id="the whole box"),
        pytest.param({"box_xyxy": BOX, "area_px": 3_000.0}, id="a tenth of it"),
        pytest.param({"box_xyxy": BOX - 60, "area_px": 15_000.0}, id="a box of what is visible"),
        pytest.param({"box_xyxy": BOX + np.float32([-200, -90, 300, 300])}, id="a wide box"),
        pytest.param({"box_xyxy": BOX + 999, **few([11, 12, 23])}, id="few points"),
        pytest.param({"box_xyxy": CORNERS, **few(range(11))}, id="a face in the corner of a box"),
        pytest.param({"area_px": 1.0, **few([0])}, id="one point"),
    ],
)
def test_unusual_boxes_and_areas_are_used(changes):
    checked = check_boxes(source(person(1, **changes), person(2), person(3)))
    assert checked.notes == []
    assert checked.annotations[0].area_px == changes.get("area_px")
    assert (checked.annotations[0].box_xyxy is None) == ("box_xyxy" not in changes)


@pytest.mark.parametrize("box", [[0.3, 0.1, 0.5, 0.4], [900, 900, 1000, 1000]])
def test_a_box_without_keypoints_is_not_used(box):
    checked = check_boxes(source(person(1, box_xyxy=BOX), person(2, box_xyxy=np.float32(box), area_px=0.06)))
    assert checked.annotations[0].box_xyxy is not None
    assert (checked.annotations[1].box_xyxy, checked.annotations[1].area_px) == (None, None)
    (note,) = checked.notes
    assert "1 people of landmarks:labels.json have a box that contains none of their keypoints" in note


def test_corners_instead_of_width_and_height_are_not_used():
    checked = check_boxes(source(*(person(k, box_xyxy=BOX) for k in range(3)), person(7, box_xyxy=CORNERS)))
    assert [person.box_xyxy is None for person in checked.annotations] == [False, False, False, True]
    (note,) = checked.notes
    assert "have a box of x1, y1, x2, y2 instead of x, y, width, height, first person 7 in 7.png" in note


def test_if_most_boxes_are_corners_all_are_removed():
    """Near the upper left corner of an image, or with a face alone, both readings fit."""
    near = person(9, BODY - [240, 90], box_xyxy=np.float32([10, 10, 120, 320]))
    face = person(8, box_xyxy=BOX, **few(range(5)))
    people = [*(person(k, box_xyxy=CORNERS, area_px=9_000.0) for k in range(3)), near, face]
    checked = check_boxes(source(*people))
    assert [person.box_xyxy for person in checked.annotations] == [None] * 5
    assert [person.area_px for person in checked.annotations] == [None] * 5
    assert check_boxes(source(near)).annotations[0].box_xyxy is not None


def test_a_source_without_people():
    assert check_boxes(source()).annotations == []


def test_a_torso_is_enough_to_detect_corners():
    torso = np.array(BODY)
    torso[list(TORSO)] = (LOW, (HIGH[0], LOW[1]), (LOW[0], HIGH[1]), HIGH)
    checked = check_boxes(source(person(1, torso, box_xyxy=CORNERS, **few(TORSO))))
    assert checked.annotations[0].box_xyxy is None


@pytest.mark.parametrize("stated", [True, False])
def test_many_points_outside_their_images_are_noted(tmp_path, stated):
    """The labels are for an image twice as large."""
    people = []
    for k, factor in enumerate((1, 2)):
        image = tmp_path / f"{k}.png"
        cv2.imwrite(str(image), np.zeros((480, 640, 3), np.uint8))
        size = (640, 480) if stated else None
        people.append(person(k, BODY * factor, image=image, image_size=size))
    outside = int((BODY * 2 > [641, 481]).any(axis=1).sum())
    assert note_outside(source(*people)).notes == [
        f"{outside} of 66 labelled points of landmarks:labels.json lie outside their images, first of "
        "person 1 in 1.png: they are used as they are; if the images were scaled or cropped after "
        "labelling, put the originals back"
    ]
    assert note_outside(source(people[0])).notes == []


def test_a_few_points_outside_are_not_noted():
    body = np.array(BODY)
    body[0] = -40, 200
    assert note_outside(source(person(1, body, image_size=(640, 480)))).notes == []


def test_turned_images_are_compared_at_their_displayed_size(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode(PICTURE, "JPEG", 6))  # displayed 32 wide and 48 high
    points = np.random.default_rng(0).uniform(0, (31, 47), BODY.shape)
    assert note_outside(source(person(1, points, image=tmp_path / "a.jpg"))).notes == []
    assert note_outside(source(person(1, points[:, ::-1], image=tmp_path / "a.jpg"))).notes


def test_an_unreadable_image_has_no_right_edge():
    assert note_outside(source(person(1, BODY - 1000))).notes != []
    assert note_outside(source(person(1, BODY + 1000))).notes == []
