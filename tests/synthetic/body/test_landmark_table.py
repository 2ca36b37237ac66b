"""The 33 landmarks on the average body."""

import numpy as np
import pytest

from blazepose.synthetic.body.body_model import PosedBody
from blazepose.synthetic.body.landmark_table import LEFT_AND_MIDLINE, SKIN_DEPTH_M
from blazepose.topologies.full_body import INDEX, LANDMARKS, MIRROR, NUM_LANDMARKS
from blazepose.topology import mirror_name


@pytest.fixture(scope="module")
def at(builder, average):
    """Return {name: position} on the average body standing; x left, y backwards, z up."""
    (body,) = builder.model.pose([average], [{}])
    return dict(zip(LANDMARKS, builder.landmark_table.landmarks(body), strict=True))


def test_the_table_has_every_landmark_once():
    both = set(LEFT_AND_MIDLINE) | {mirror_name(name) for name in LEFT_AND_MIDLINE}
    assert both == set(LANDMARKS)
    assert not any("right" in name for name in LEFT_AND_MIDLINE)
    assert SKIN_DEPTH_M.shape == (NUM_LANDMARKS,)
    assert (SKIN_DEPTH_M[MIRROR[:NUM_LANDMARKS]] == SKIN_DEPTH_M).all()
    assert SKIN_DEPTH_M[INDEX["right_hip"]] == LEFT_AND_MIDLINE["left_hip"].skin_depth_m


def test_weights_are_averages(builder):
    table = builder.landmark_table
    np.testing.assert_allclose(table.vertices.sum(axis=1) + table.joints.sum(axis=1), 1, atol=1e-4)


def test_landmarks_move_with_the_body(builder, average):
    (body,) = builder.model.pose([average], [{"left_elbow_flexion": 70}])
    moved = PosedBody(body.vertices + 1, body.joints + 1, body.bone_rotations, body.stature)
    np.testing.assert_allclose(
        builder.landmark_table.landmarks(moved), builder.landmark_table.landmarks(body) + 1, atol=1e-4
    )


def test_left_and_right_mirror_each_other_on_the_template(builder):
    model = builder.model
    rest = PosedBody(model.template, model.rest_joints, np.empty(0), 1.7)
    points = builder.landmark_table.landmarks(rest)
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


def test_lengths_are_human(at, builder, average):
    (body,) = builder.model.pose([average], [{}])
    thigh, shin, upper, lower = (
        np.linalg.norm(at[f"left_{a}"] - at[f"left_{b}"]) / body.stature
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    )
    # Source: Drillis and Contini (1966): 0.245, 0.246, 0.186, 0.146 of the stature.
    np.testing.assert_allclose([thigh, shin, upper, lower], [0.245, 0.246, 0.186, 0.146], atol=0.035)


def test_no_landmark_is_deeper_under_skin_and_clothes_than_its_limit(builder, crowd):
    for figures in crowd.values():
        for figure in figures:
            dressed = figure.vertices[: len(figure.skin)]
            depth = np.linalg.norm(dressed - figure.landmarks[:, None], axis=2).min(axis=1)
            assert (depth < figure.depth_m).all()
            assert (figure.depth_m < 0.3).all()


def test_clothes_increase_the_depth(builder, average):
    (body,) = builder.model.pose([average], [{}])
    bare = np.zeros(len(body.vertices), np.float32)
    jumper = bare.copy()
    jumper[builder.appearance_sampler.regions.arm >= 0] = 0.03
    points = builder.landmark_table.landmarks(body)
    undressed, dressed = (
        builder.landmark_table.max_depth_m(points, body.vertices, cloth, 1.7) for cloth in (bare, jumper)
    )
    deeper = dict(zip(LANDMARKS, dressed - undressed, strict=True))
    assert deeper["left_elbow"] == pytest.approx(0.03, abs=1e-6)
    assert deeper["right_elbow"] == pytest.approx(0.03, abs=1e-6)
    assert deeper["left_knee"] == deeper["nose"] == 0
    assert (undressed >= SKIN_DEPTH_M).all()
