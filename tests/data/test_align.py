"""Aligned crops and their points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blazepose.data.align import (
    aligned_roi,
    alignment_error,
    alignment_points,
    circle_correction,
    crop_matrix,
    points_in_crop,
)
from blazepose.data.annotation import UNKNOWN, Annotation
from blazepose.geometry import roi_to_image_matrix
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX, NUM_LANDMARKS, ROI_CENTER, ROI_SCALE


def person(points: dict[str, tuple[float, float]], extra: tuple = ()) -> Annotation:
    landmarks = np.zeros((NUM_LANDMARKS, 2), np.float32)
    labelled = np.zeros(NUM_LANDMARKS, bool)
    for name, point in points.items():
        landmarks[INDEX[name]], labelled[INDEX[name]] = point, True
    visibility = np.full(NUM_LANDMARKS, UNKNOWN, np.int8)
    return Annotation(
        Path("image.jpg"), "7", landmarks, labelled, visibility, np.array(extra, np.float32).reshape(-1, 2)
    )


STANDING = {
    "left_hip": (110.0, 100.0),
    "right_hip": (90.0, 100.0),
    "left_shoulder": (115.0, 60.0),
    "right_shoulder": (85.0, 60.0),
    "left_ankle": (110.0, 180.0),
    "right_ankle": (90.0, 180.0),
    "nose": (100.0, 40.0),
}


def test_center_side_and_rotation():
    roi = aligned_roi(person(STANDING))
    assert (roi.center_x, roi.center_y, roi.rotation_rad) == (100, 100, 0)
    assert roi.side == pytest.approx(2.5 * np.hypot(10, 80))


def test_extra_keypoints_count_for_the_radius():
    assert aligned_roi(person(STANDING, extra=((100, 0),))).side == pytest.approx(2.5 * 100)


def test_upside_down_is_turned_by_180_degrees():
    turned = {name: (200 - x, 200 - y) for name, (x, y) in STANDING.items()}
    assert abs(aligned_roi(person(turned)).rotation_rad) == pytest.approx(np.pi)


def test_missing_hip_and_zero_torso_have_reasons():
    without = {name: p for name, p in STANDING.items() if name != "left_hip"}
    assert alignment_error(person(without)) == "hips or shoulders not labelled"
    flat = {**STANDING, "left_shoulder": (110.0, 100.0), "right_shoulder": (90.0, 100.0)}
    assert "zero torso" in alignment_error(person(flat))
    with pytest.raises(ValueError, match=r"image.jpg, person 7: zero torso"):
        aligned_roi(person(flat))


def test_scale_point_is_on_the_circle_above_the_hips():
    points, labelled = alignment_points(person(STANDING), aligned_roi(person(STANDING)))
    assert labelled.all()
    np.testing.assert_allclose(points, [[100, 100], [100, 100 - 1.08 * np.hypot(10, 80)]])


def test_circle_is_corrected_for_missing_keypoints():
    """The same person with the labels of COCO, LSP and WholeBody has one circle, whatever the reader."""
    assert circle_correction(person(STANDING)) == 1.08
    assert circle_correction(replace(person(STANDING), head_top_px=np.zeros(2, np.float32))) == 1.04
    assert circle_correction(person({**STANDING, "left_foot_index": (95.0, 185.0)})) == 1.0


@pytest.mark.parametrize("missing", ["left_ankle", "nose"])
def test_scale_point_is_masked_without_ankles_or_head(missing):
    partial = person({name: p for name, p in STANDING.items() if name != missing})
    assert alignment_points(partial, aligned_roi(partial))[1].tolist() == [True, False]


def test_head_top_counts_as_head():
    faceless = person({name: p for name, p in STANDING.items() if name != "nose"}, extra=((100, 30),))
    roi = aligned_roi(faceless)
    assert not alignment_points(faceless, roi)[1].all()  # the extra point may be a neck or a hand
    assert alignment_points(replace(faceless, head_top_px=np.zeros(2, np.float32)), roi)[1].all()


def test_undisturbed_crop_is_the_roi():
    roi = aligned_roi(person(STANDING))
    np.testing.assert_allclose(crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, False), roi_to_image_matrix(roi))


def test_unlabelled_points_stay_unlabelled():
    roi = aligned_roi(person(STANDING))
    points, labelled = points_in_crop(person(STANDING), roi, crop_matrix(roi, 1.05, (0.1, 0.0), 0.2, False))
    assert labelled[ROI_CENTER]
    assert labelled[ROI_SCALE]
    assert not labelled[INDEX["left_knee"]]
    assert (points[INDEX["left_knee"]] == 0).all()


def test_hflip_reflects_across_the_middle_of_the_crop():
    roi = aligned_roi(person(STANDING))
    plain, _ = points_in_crop(person(STANDING), roi, crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, False))
    flipped, labelled = points_in_crop(person(STANDING), roi, crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, True))
    np.testing.assert_allclose(flipped[labelled][:, 0], 1 - plain[labelled][:, 0], atol=1e-6)
    np.testing.assert_allclose(flipped[labelled][:, 1], plain[labelled][:, 1], atol=1e-6)


def test_shift_is_in_sides_along_the_rois_own_axes():
    turned = {name: (200 - x, 200 - y) for name, (x, y) in STANDING.items()}
    roi = aligned_roi(person(turned))
    points, _ = points_in_crop(person(turned), roi, crop_matrix(roi, 1.0, (0.1, 0.05), 0.0, False))
    np.testing.assert_allclose(points[ROI_CENTER], [0.4, 0.45], atol=1e-6)


UPPER_BODY = find_topology("upper_body")
DESK = {
    "left_shoulder": (130.0, 100.0),
    "right_shoulder": (70.0, 100.0),
    "left_ear": (110.0, 60.0),
    "right_ear": (90.0, 60.0),
}
"""In front of a camera, head up; the head top is 58 px above the shoulders, the hips 1.8 times that below."""


def upper_body(points: dict[str, tuple[float, float]]) -> Annotation:
    landmarks = np.zeros((UPPER_BODY.num_landmarks, 2), np.float32)
    labelled = np.zeros(UPPER_BODY.num_landmarks, bool)
    for name, point in points.items():
        landmarks[UPPER_BODY.index[name]], labelled[UPPER_BODY.index[name]] = point, True
    visibility = np.full(UPPER_BODY.num_landmarks, UNKNOWN, np.int8)
    return Annotation(Path("image.jpg"), "7", landmarks, labelled, visibility, topology=UPPER_BODY)


def test_shoulders_and_face_place_the_upper_body():
    roi = aligned_roi(upper_body(DESK))
    assert (roi.center_x, roi.center_y) == (100, 100)
    assert roi.rotation_rad == pytest.approx(0)
    assert roi.side == pytest.approx(3 * 1.8 * 58)


def test_the_upper_body_is_upright_by_its_hips_if_they_are_labelled():
    hips = {"left_hip": (30.0, 220.0), "right_hip": (-30.0, 220.0)}
    roi = aligned_roi(upper_body({**DESK, **hips}))
    assert np.degrees(roi.rotation_rad) == pytest.approx(np.degrees(np.arctan2(100, 120)))
    assert roi.side == pytest.approx(3 * np.hypot(130, 120))  # the right hip is farthest


def test_the_upper_body_reaches_to_wrists_and_not_to_other_keypoints():
    far = upper_body({**DESK, "left_wrist": (300.0, 100.0), "left_index": (400.0, 100.0)})
    legs = replace(far, extra_px=np.array([[100.0, 900.0]], np.float32))
    assert aligned_roi(legs).side == aligned_roi(far).side == pytest.approx(3 * 200)


def test_a_bowed_head_is_corrected_by_the_shoulders():
    bowed = upper_body({**DESK, "left_ear": (150.0, 80.0), "right_ear": (130.0, 80.0)})
    head_alone = np.degrees(np.arctan2(40, 20))
    assert 0 < np.degrees(aligned_roi(bowed).rotation_rad) < 0.6 * head_alone


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (["left_shoulder"], "shoulders not labelled"),
        (["left_ear", "right_ear"], "neither hips nor head labelled"),
    ],
)
def test_why_an_upper_body_has_no_crop(missing, reason):
    annotation = upper_body({name: point for name, point in DESK.items() if name not in missing})
    assert alignment_error(annotation) == reason
    with pytest.raises(ValueError, match=rf"image.jpg, person 7: {reason}"):
        aligned_roi(annotation)


def test_the_scale_point_of_an_upper_body_needs_wrists():
    annotation = upper_body(DESK)
    points, labelled = alignment_points(annotation, aligned_roi(annotation))
    assert labelled.tolist() == [True, False]
    assert points[0].tolist() == [100, 100]
    wrists = {"left_wrist": (140.0, 180.0), "right_wrist": (60.0, 180.0)}
    annotation = upper_body({**DESK, **wrists})
    roi = aligned_roi(annotation)
    points, labelled = alignment_points(annotation, roi)
    assert labelled.all()
    assert points[1] == pytest.approx([100, 100 - roi.side / 3])
    crop, known = points_in_crop(annotation, roi, roi_to_image_matrix(roi))
    assert (crop.shape, known.sum()) == ((31, 2), 8)
    assert crop[UPPER_BODY.roi_center] == pytest.approx([0.5, 0.5])
