from dataclasses import replace

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR, draw_pose, draw_poses
from blazepose.runtime.pose import Pose
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX, LANDMARKS


def pose(**points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    landmarks, shown = np.zeros((33, 2)), np.zeros(33, bool)
    for name, point in points.items():
        landmarks[INDEX[name]], shown[INDEX[name]] = point, True
    return landmarks, shown


def test_sides_have_their_colors_and_the_image_is_unchanged():
    image = np.full((200, 200, 3), 127, np.uint8)
    landmarks, shown = pose(
        left_knee=(150, 50), left_ankle=(150, 150), right_knee=(50, 50), right_ankle=(50, 150)
    )
    drawn = draw_pose(image, landmarks, shown)
    assert (image == 127).all()
    assert tuple(drawn[100, 150]) == LEFT_COLOR
    assert tuple(drawn[100, 50]) == RIGHT_COLOR
    assert (drawn[100, 100] == 127).all()


def test_edges_of_hidden_points_are_not_drawn():
    image = np.full((200, 200, 3), 127, np.uint8)
    landmarks, shown = pose(left_knee=(150, 50), left_ankle=(150, 150))
    shown[INDEX["left_ankle"]] = False
    drawn = draw_pose(image, landmarks, shown)
    assert (drawn[100, 150] == 127).all()
    assert tuple(drawn[50, 150]) == LEFT_COLOR


def test_points_far_outside_or_not_finite_are_not_drawn():
    image = np.full((64, 64, 3), 127, np.uint8)
    landmarks, shown = pose(left_knee=(1e30, 5), left_ankle=(np.nan, 3), nose=(np.inf, -np.inf))
    np.testing.assert_array_equal(draw_pose(image, landmarks, shown), image)
    assert (draw_pose(image, landmarks, np.zeros(33, bool)) == image).all()


GRAY = np.full((200, 200, 3), 127, np.uint8)


def make_pose(number: int = 0, mask: np.ndarray | None = None, **points: tuple[float, float, float]) -> Pose:
    """Create a pose of a few points, each x, y and visibility; the others are hidden, far from the image."""
    landmarks = np.full((33, 5), -500.0)
    landmarks[:, 3:] = 0
    for name, (x, y, visibility) in points.items():
        landmarks[INDEX[name], :4] = x, y, 0, visibility
    return Pose(number, landmarks, np.zeros((33, 3)), 0.9, Roi(100.0, 100.0, 200.0, 0.0), mask)


LEG = {"left_knee": (150, 50, 0.9), "left_ankle": (150, 150, 0.5)}


def test_without_people_or_supervised_landmarks_the_image_is_unchanged():
    np.testing.assert_array_equal(draw_poses(GRAY, []), GRAY)
    supervised = SupervisedOutputs()
    np.testing.assert_array_equal(draw_poses(GRAY, [make_pose(**LEG)], supervised), GRAY)


def test_the_image_is_copied():
    drawn = draw_poses(GRAY, [make_pose(mask=np.ones((200, 200), np.float32), **LEG), make_pose(1, **LEG)])
    assert (GRAY == 127).all()
    assert not (drawn == 127).all()


def test_only_visible_landmarks_are_drawn():
    drawn = draw_poses(GRAY, [make_pose(**LEG, right_knee=(50, 50, 0.9), right_ankle=(50, 150, 0.49))])
    assert tuple(drawn[100, 150]) == LEFT_COLOR
    assert (drawn[100, 50] == 127).all()
    assert tuple(drawn[50, 50]) == RIGHT_COLOR


def test_unsupervised_landmarks_are_not_drawn():
    supervised = SupervisedOutputs(("left_knee", "left_hip"), LANDMARKS)
    drawn = draw_poses(GRAY, [make_pose(**LEG, left_hip=(150, 10, 0.9))], supervised)
    assert tuple(drawn[30, 150]) == LEFT_COLOR
    assert (drawn[100, 150] == 127).all()
    assert (drawn[150, 150] == 127).all()


def test_unsupervised_visibility_is_ignored():
    hidden = make_pose(left_knee=(150, 50, 0.0), left_ankle=(150, 150, 0.0))
    assert (draw_poses(GRAY, [hidden]) == 127).all()
    supervised = SupervisedOutputs(landmarks=LANDMARKS)
    assert tuple(draw_poses(GRAY, [hidden], supervised)[100, 150]) == LEFT_COLOR


def test_the_mask_is_a_tint():
    mask = np.zeros((200, 200), np.float32)
    mask[:100], mask[100:150] = 1, 0.5
    drawn = draw_poses(GRAY, [make_pose(mask=mask)]).astype(int)
    full, half, none = drawn[50, 50], drawn[120, 50], drawn[180, 50]
    assert (none == 127).all()
    assert full[1] > half[1] > 127, "greener"
    assert 0 < 127 - full[0] < 20, "and still the image"


@pytest.mark.parametrize("people", [1, 2])
def test_ids_are_written_for_several_people_only(people):
    poses = [make_pose(3, nose=(60, 150, 0.9)), make_pose(8, nose=(140, 150, 0.9))][:people]
    for pose in poses:
        pose.landmarks[:, :2] = pose.landmarks[INDEX["nose"], :2]
        pose.landmarks[INDEX["left_ear"], 1] = 100  # hidden, but at the head
    above = draw_poses(GRAY, poses)[:140]
    assert (above == 127).all() == (people == 1)
    if people == 2:
        assert (above[80:101, 55:75] > 250).any()
        assert (above[80:101, 135:155] > 250).any()


def test_ids_of_people_outside_the_image_are_not_drawn():
    far = make_pose(1, **LEG)
    far.landmarks[:, :2] = 1e7, -1e7
    assert draw_poses(GRAY, [make_pose(**LEG), far]).shape == GRAY.shape


def test_an_unsupervised_mask_is_not_drawn():
    supervised = replace(SupervisedOutputs.everything(), outputs=("presence",))
    masked = make_pose(mask=np.ones((200, 200), np.float32))
    assert (draw_poses(GRAY, [masked], supervised) == 127).all()
    assert (draw_poses(GRAY, [masked], replace(supervised, outputs=("segmentation",))) != 127).any()


def test_the_edges_are_those_of_the_topology():
    """Of the first 25 landmarks, an arm is drawn as of all 33."""
    topology = find_topology("upper_body")
    landmarks, shown = pose(
        left_elbow=(150, 50), left_wrist=(150, 150), left_hip=(20, 20), left_knee=(20, 180)
    )
    drawn = draw_pose(GRAY, landmarks[:25], shown[:25], topology)
    assert tuple(drawn[100, 150]) == LEFT_COLOR
    assert (drawn[100, 20] == 127).all()
    assert tuple(draw_pose(GRAY, landmarks, shown)[100, 20]) == LEFT_COLOR
