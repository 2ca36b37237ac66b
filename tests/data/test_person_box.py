"""Detector labels of people, computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.anchors import CIRCLE, HIPS, SHOULDERS, UPPER_CIRCLE
from blazepose.data.person_box import person_box, surrounding_box
from tests.data.test_align import STANDING, person

# Mid-hip (100, 100), mid-shoulder 40 above it.
HEADLESS = {name: point for name, point in STANDING.items() if name != "nose"}
ARMS = {"left_wrist": (130.0, 100.0), "right_wrist": (80.0, 100.0), "left_elbow": (120.0, 80.0)}


def headed(points: dict[str, tuple[float, float]], head_top: tuple[float, float]):
    return replace(person(points), head_top_px=np.array(head_top, np.float32))


@pytest.mark.parametrize(
    ("head_top_y", "middle_y", "side"),
    [
        (40, 55, 40),  # 20 above the shoulders: 1.75 of them are less than the torso
        (30, 52.5, 52.5),
    ],
)
def test_the_box_is_between_shoulders_and_head_top(head_top_y, middle_y, side):
    box = person_box(headed(HEADLESS, (100, head_top_y)))
    assert box.center == pytest.approx((100, middle_y))
    assert box.side == pytest.approx(side)


def test_the_box_of_a_bent_person_has_the_size_of_the_head():
    bent = {**HEADLESS, "left_hip": (110.0, 62.0), "right_hip": (90.0, 62.0)}
    assert person_box(headed(bent, (100, 40))).side == pytest.approx(1.75 * 20)


@pytest.mark.parametrize(
    ("face", "head_top"),
    [
        ({"nose": (100.0, 50.0), "left_ear": (104.0, 46.0), "right_ear": (96.0, 46.0)}, (100, 39.7)),
        ({"nose": (100.0, 50.0), "left_ear": (104.0, 46.0)}, (102.9, 42.6)),
        ({"nose": (100.0, 40.0)}, (100, 31)),
    ],
)
def test_the_head_top_follows_the_ears_or_the_labelled_face(face, head_top):
    box = person_box(person({**HEADLESS, **face}))
    shoulders = np.array([100, 60])
    assert box.center == pytest.approx(shoulders + 0.25 * (head_top - shoulders))


def test_a_labelled_head_top_precedes_the_face():
    assert person_box(headed(STANDING, (100, 40))).center == pytest.approx((100, 55))


def test_alignment_points():
    box = person_box(headed({**HEADLESS, **ARMS}, (100, 40)))
    assert box.points[HIPS] == pytest.approx((100, 100))
    assert box.points[CIRCLE] == pytest.approx((100, 100 - 1.04 * np.hypot(10, 80)))  # the ankles
    assert box.points[SHOULDERS] == pytest.approx((100, 60))
    assert box.points[UPPER_CIRCLE] == pytest.approx((100, 60 - 50))  # the left wrist
    assert box.labelled.tolist() == [True, True, True, True]


@pytest.mark.parametrize(
    ("missing", "labelled"),
    [
        ("left_ankle", [True, False, True, True]),
        ("left_wrist", [True, True, True, False]),
        ("left_elbow", [True, True, True, True]),
    ],
)
def test_circles_are_labelled_if_the_farthest_limbs_are(missing, labelled):
    points = {name: point for name, point in {**STANDING, **ARMS}.items() if name != missing}
    assert person_box(person(points)).labelled.tolist() == labelled


def test_raised_hands_reach_beyond_the_head():
    raised = {"left_wrist": (115.0, -20.0), "right_wrist": (85.0, -20.0)}
    box = person_box(headed({**HEADLESS, **raised}, (100, 40)))
    assert box.points[UPPER_CIRCLE] == pytest.approx((100, 60 - np.hypot(15, 80)))


def test_the_box_of_a_lying_person_is_beside_the_shoulders():
    """The head is on the right: up is (1, 0)."""
    lying = {name: (200 - y, x) for name, (x, y) in {**HEADLESS, **ARMS}.items()}
    box = person_box(headed(lying, (160, 100)))
    assert box.center == pytest.approx((145, 100))
    assert box.side == pytest.approx(40)
    assert box.points[SHOULDERS] == pytest.approx((140, 100))
    assert box.points[UPPER_CIRCLE] == pytest.approx((190, 100))
    assert box.points[CIRCLE] == pytest.approx((100 + 1.04 * np.hypot(10, 80), 100))


def test_without_hips_shoulders_or_head_there_is_no_box():
    assert person_box(person(HEADLESS)) is None
    for missing in ("left_hip", "right_shoulder"):
        assert person_box(person({k: v for k, v in STANDING.items() if k != missing})) is None
    hips_on_shoulders = {"left_hip": (115.0, 60.0), "right_hip": (85.0, 60.0)}
    assert person_box(person({**STANDING, **hips_on_shoulders})) is None


def test_the_surrounding_box_is_the_sources_or_that_of_the_keypoints():
    extended = person(STANDING, extra=((60.0, 30.0),))
    assert surrounding_box(extended).tolist() == [60, 30, 115, 180]
    assert surrounding_box(person(STANDING)).tolist() == [85, 40, 115, 180]
    boxed = replace(extended, box_xyxy=np.array([1, 2, 3, 4], np.float32))
    assert surrounding_box(boxed).tolist() == [1, 2, 3, 4]
