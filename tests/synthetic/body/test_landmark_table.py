"""The 33 landmarks on the average body."""

import numpy as np
import pytest

from blazepose.synthetic.body.body_model import PosedBody
from blazepose.synthetic.body.landmark_table import FLESH_M, LEFT_AND_MIDDLE
from blazepose.topology import INDEX, LANDMARKS, MIRROR, NUM_LANDMARKS, mirror_name


@pytest.fixture(scope="module")
def at(makers, average):
    """{name: where it is} of the average body standing; x left, y backwards, z up."""
    (body,) = makers.model.pose([average], [{}])
    return dict(zip(LANDMARKS, makers.table.of(body), strict=True))


def test_the_table_has_every_landmark_once():
    both = set(LEFT_AND_MIDDLE) | {mirror_name(name) for name in LEFT_AND_MIDDLE}
    assert both == set(LANDMARKS)
    assert not any("right" in name for name in LEFT_AND_MIDDLE)
    assert FLESH_M.shape == (NUM_LANDMARKS,)
    assert (FLESH_M[MIRROR[:NUM_LANDMARKS]] == FLESH_M).all()
    assert FLESH_M[INDEX["right_hip"]] == LEFT_AND_MIDDLE["left_hip"].flesh_m


def test_weights_are_averages(makers):
    table = makers.table
    np.testing.assert_allclose(table.vertices.sum(axis=1) + table.joints.sum(axis=1), 1, atol=1e-4)


def test_landmarks_move_with_the_body(makers, average):
    (body,) = makers.model.pose([average], [{"left_elbow_flexion": 70}])
    moved = PosedBody(body.vertices + 1, body.joints + 1, body.frames, body.stature)
    np.testing.assert_allclose(makers.table.of(moved), makers.table.of(body) + 1, atol=1e-4)


def test_left_and_right_mirror_each_other_on_the_template(makers):
    model = makers.model
    rest = PosedBody(model.template, model.rest_joints, np.empty(0), 1.7)
    points = makers.table.of(rest)
    np.testing.assert_allclose(points[MIRROR[:NUM_LANDMARKS]] * [-1, 1, 1], points, atol=0.001)


def test_left_is_the_persons_left(at):
    for name in LANDMARKS:
        if "left" in name:
            assert at[name][0] > 0.01, name
            assert at[mirror_name(name)][0] < -0.01, name


def test_the_face_is_in_order(at):
    assert at["nose"][1] < at["left_eye"][1] < at["left_ear"][1]
    assert at["left_eye_inner"][0] + 0.008 < at["left_eye"][0] < at["left_eye_outer"][0] - 0.008
    assert at["left_eye_outer"][0] < at["left_ear"][0]
    heights = [at[name][2] for name in ("left_eye", "nose", "mouth_left", "left_shoulder")]
    assert heights == sorted(heights, reverse=True)
    # Corners of one eye: level, and three centimetres apart.
    corners = at["left_eye_outer"] - at["left_eye_inner"]
    assert 0.02 < np.linalg.norm(corners) < 0.04
    assert abs(corners[2]) < 0.008
    assert 0.03 < at["mouth_left"][0] - at["mouth_right"][0] < 0.07


def test_hands_and_feet_are_in_order(at):
    wrist = at["left_wrist"]
    assert at["left_elbow"][2] > wrist[2] > max(at[f"left_{tip}"][2] for tip in ("pinky", "index", "thumb"))
    # Palms at the thighs: thumb in front, then index, then little finger.
    assert at["left_thumb"][1] < at["left_index"][1] < at["left_pinky"][1]
    assert at["left_foot_index"][1] < at["left_ankle"][1] < at["left_heel"][1]
    assert at["left_ankle"][2] > at["left_heel"][2]
    heights = [at[f"left_{joint}"][2] for joint in ("shoulder", "hip", "knee", "ankle")]
    assert heights == sorted(heights, reverse=True)


def test_lengths_are_human(at, makers, average):
    (body,) = makers.model.pose([average], [{}])
    thigh, shin, upper, lower = (
        np.linalg.norm(at[f"left_{a}"] - at[f"left_{b}"]) / body.stature
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    )
    # Source: Drillis and Contini (1966): 0.245, 0.246, 0.186, 0.146 of the stature.
    np.testing.assert_allclose([thigh, shin, upper, lower], [0.245, 0.246, 0.186, 0.146], atol=0.035)


def test_no_landmark_is_deeper_under_skin_and_clothes_than_it_says(makers, crowd):
    for figures in crowd.values():
        for figure in figures:
            dressed = figure.vertices[: len(figure.skin)]
            depth = np.linalg.norm(dressed - figure.landmarks[:, None], axis=2).min(axis=1)
            assert (depth < figure.depth_m).all()
            assert (figure.depth_m < 0.3).all()


def test_clothes_lay_landmarks_deeper(makers, average):
    (body,) = makers.model.pose([average], [{}])
    bare = np.zeros(len(body.vertices), np.float32)
    jumper = bare.copy()
    jumper[makers.wardrobe.regions.arm >= 0] = 0.03
    points = makers.table.of(body)
    naked, dressed = (makers.table.depth_m(points, body.vertices, cloth, 1.7) for cloth in (bare, jumper))
    deeper = dict(zip(LANDMARKS, dressed - naked, strict=True))
    assert deeper["left_elbow"] == pytest.approx(0.03, abs=1e-6)
    assert deeper["right_elbow"] == pytest.approx(0.03, abs=1e-6)
    assert deeper["left_knee"] == deeper["nose"] == 0
    assert (naked >= FLESH_M).all()
