"""MPJPE and PA-MPJPE by hand."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from blazepose.metrics.points import finite_values
from blazepose.metrics.pose3d import aligned_joint_errors, bone_asymmetry, joint_errors, stature
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX, LEFT_HIP, MIRROR, RIGHT_HIP

NOSE, LEFT_KNEE = INDEX["nose"], INDEX["left_knee"]
VALID = np.ones((1, 33), bool)


def mean(errors: np.ndarray) -> float:
    """Return MPJPE, or PA-MPJPE of aligned errors."""
    return finite_values(errors).mean()


def people(count: int = 1) -> np.ndarray:
    """Return random poses around their mid-hip, in meters."""
    points = np.random.default_rng(0).normal(0, 0.4, (count, 33, 3))
    return points - points[:, [LEFT_HIP, RIGHT_HIP]].mean(axis=1, keepdims=True)


def transformed(points: np.ndarray) -> np.ndarray:
    turn = Rotation.from_euler("xyz", [0.4, -1.1, 2.5]).as_matrix()
    return 1.7 * points @ turn.T + [0.3, -2.0, 5.0]


def test_given_offsets_in_millimeters():
    target = people()
    predicted = target.copy()
    predicted[0, NOSE] += [0.03, 0, 0.04]  # 50 mm
    predicted[0, LEFT_KNEE] += [0, 0.016, 0]
    errors = joint_errors(predicted, target, VALID)
    assert errors[0, [NOSE, LEFT_KNEE]] == pytest.approx([50, 16])
    assert mean(errors) == pytest.approx(66 / 33)
    assert mean(errors[:, NOSE]) == pytest.approx(50)


def test_both_sides_are_centered_on_their_own_hips():
    target = people()
    assert mean(joint_errors(target + np.array([1, 2, 3]), target, VALID)) == pytest.approx(0, abs=1e-9)
    predicted = target.copy()
    predicted[0, LEFT_HIP] += [0.02, 0, 0]  # moves the center by 10 mm
    assert mean(joint_errors(predicted, target, VALID)) == pytest.approx(10)


def test_a_rotated_scaled_and_shifted_copy_is_perfect_when_aligned():
    target = people(4)
    valid = np.random.default_rng(1).random((4, 33)) < 0.5
    valid[:, :3] = True
    predicted = transformed(target)
    assert mean(joint_errors(predicted, target, np.ones((4, 33), bool))) > 100
    predicted[~valid] = 1e6
    errors = aligned_joint_errors(predicted, np.where(valid[..., None], target, np.nan), valid)
    assert np.isfinite(errors).tolist() == valid.tolist()
    assert np.nanmax(errors) == pytest.approx(0, abs=1e-9)


def test_a_mirrored_copy_is_not_perfect():
    target = people()
    for predicted in (target * [-1, 1, 1], target * [1, 1, -1], -target):
        assert mean(aligned_joint_errors(transformed(predicted), target, VALID)) > 100
    swapped = target[:, MIRROR[:33]]
    assert mean(aligned_joint_errors(swapped, target, VALID)) > 100


def test_a_flat_pose_may_be_turned_over():
    """For points in a plane, the reflection equals a rotation."""
    flat = people() * [1, 1, 0]
    assert mean(aligned_joint_errors(flat * [-1, 1, 1], flat, VALID)) == pytest.approx(0, abs=1e-9)


def test_alignment_by_hand():
    """A square whose prediction has one pair of corners 10 % too far out: the best scale is 11 / 11.05."""
    target, valid = np.zeros((1, 33, 3)), np.zeros((1, 33), bool)
    target[0, :4, :2] = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    valid[0, :4] = True
    predicted = target.copy()
    predicted[0, :2] *= 1.1
    scale = 2 * (1.1 + 1) / (2 * (1.1**2 + 1))
    expected = 1000 * np.abs([1.1 * scale - 1, 1.1 * scale - 1, scale - 1, scale - 1])
    assert aligned_joint_errors(predicted, target, valid)[0, :4] == pytest.approx(expected)


def test_alignment_is_that_of_scipy():
    target, predicted = people(2)
    predicted += 0.3 * np.random.default_rng(2).normal(size=(33, 3))
    one, other = predicted - predicted.mean(axis=0), target - target.mean(axis=0)
    turned = Rotation.align_vectors(other, one)[0].apply(one)
    fitted = turned * (turned * other).sum() / (turned**2).sum()
    expected = 1000 * np.linalg.norm(fitted - other, axis=1)
    np.testing.assert_allclose(aligned_joint_errors(predicted[None], target[None], VALID)[0], expected)


def test_invalid_points_and_people_are_nan():
    target, valid = people(3), np.ones((3, 33), bool)
    valid[0, LEFT_HIP] = False
    valid[1, 2:] = False
    valid[2] = False
    assert np.isnan(joint_errors(target, target, valid)).all()
    assert np.isnan(aligned_joint_errors(target, target, valid)[1:]).all()
    assert aligned_joint_errors(target, target, valid)[0, NOSE] == pytest.approx(0, abs=1e-9)
    assert math.isnan(mean(joint_errors(target, target, valid)))


def test_a_prediction_of_one_point_for_all():
    target = people()
    errors = aligned_joint_errors(np.zeros((1, 33, 3)), target, VALID)
    expected = 1000 * np.linalg.norm(target - target.mean(axis=1, keepdims=True), axis=-1)
    np.testing.assert_allclose(errors, expected)


def standing() -> np.ndarray:
    """Return a person of 1.6 m from heel to nose, with equal sides."""
    points = np.full((33, 3), np.nan)
    heights = {
        "shoulder": 1.4,
        "elbow": 1.1,
        "wrist": 0.85,
        "hip": 0.9,
        "knee": 0.5,
        "ankle": 0.1,
        "heel": 0.0,
    }
    for part, height in heights.items():
        for side, x in (("left", 0.2), ("right", -0.2)):
            points[INDEX[f"{side}_{part}"]] = x, -height, 0
    points[INDEX["nose"]] = 0, -1.6, 0
    return points


def test_stature_by_hand_in_any_pose():
    upright = standing()
    assert stature(upright[None]) == pytest.approx([1.6])
    sitting = upright.copy()
    for side in ("left", "right"):
        for part, place in (("knee", (0, -0.9, -0.4)), ("ankle", (0, -0.5, -0.4)), ("heel", (0, -0.4, -0.4))):
            sitting[INDEX[f"{side}_{part}"]] = place
            sitting[INDEX[f"{side}_{part}"], 0] = 0.2 if side == "left" else -0.2
    assert stature(sitting[None]) == pytest.approx([1.6])
    assert np.isnan(stature(np.full((1, 33, 3), np.nan))).all()


def test_bone_asymmetry_by_hand():
    person = standing()
    np.testing.assert_allclose(bone_asymmetry(person[None]), np.zeros((1, 4)), atol=1e-9)
    person[INDEX["left_wrist"]] = 0.2, -0.75, 0  # 35 cm instead of 25
    np.testing.assert_allclose(bone_asymmetry(person[None]), [[0, 100 * 0.1 / 0.3, 0, 0]], atol=1e-9)
    person[INDEX["left_ankle"]] = np.nan
    assert np.isnan(bone_asymmetry(person[None])[0]).tolist() == [False, False, False, True]


def test_bones_that_a_topology_lacks():
    upper_body = find_topology("upper_body")
    world = np.random.default_rng(0).normal(size=(2, 33, 3))
    above = bone_asymmetry(world[:, :25], upper_body)
    np.testing.assert_array_equal(above[:, :2], bone_asymmetry(world)[:, :2])
    assert np.isnan(above[:, 2:]).all()
    assert np.isnan(stature(world[:, :25], upper_body)).all()
