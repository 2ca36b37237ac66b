import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR, draw_pose, draw_poses
from blazepose.runtime.pose import Pose
from blazepose.topology import INDEX, LANDMARKS


def pose(**points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    landmarks, shown = np.zeros((33, 2)), np.zeros(33, bool)
    for name, point in points.items():
        landmarks[INDEX[name]], shown[INDEX[name]] = point, True
    return landmarks, shown


def test_sides_have_their_colours_and_the_picture_is_kept():
    image = np.full((200, 200, 3), 127, np.uint8)
    landmarks, shown = pose(
        left_knee=(150, 50), left_ankle=(150, 150), right_knee=(50, 50), right_ankle=(50, 150)
    )
    drawn = draw_pose(image, landmarks, shown)
    assert (image == 127).all()
    assert tuple(drawn[100, 150]) == LEFT_COLOR
    assert tuple(drawn[100, 50]) == RIGHT_COLOR
    assert (drawn[100, 100] == 127).all()


def test_hidden_points_take_their_edges_with_them():
    image = np.full((200, 200, 3), 127, np.uint8)
    landmarks, shown = pose(left_knee=(150, 50), left_ankle=(150, 150))
    shown[INDEX["left_ankle"]] = False
    drawn = draw_pose(image, landmarks, shown)
    assert (drawn[100, 150] == 127).all()
    assert tuple(drawn[50, 150]) == LEFT_COLOR


def test_points_far_outside_or_not_finite_do_no_harm():
    image = np.full((64, 64, 3), 127, np.uint8)
    landmarks, shown = pose(left_knee=(1e30, 5), left_ankle=(np.nan, 3), nose=(np.inf, -np.inf))
    np.testing.assert_array_equal(draw_pose(image, landmarks, shown), image)
    assert (draw_pose(image, landmarks, np.zeros(33, bool)) == image).all()


GREY = np.full((200, 200, 3), 127, np.uint8)


def seen(number: int = 0, mask: np.ndarray | None = None, **points: tuple[float, float, float]) -> Pose:
    """A pose of a few points, each x, y and visibility; the others are hidden, far from the picture."""
    landmarks = np.full((33, 5), -500.0)
    landmarks[:, 3:] = 0
    for name, (x, y, visibility) in points.items():
        landmarks[INDEX[name], :4] = x, y, 0, visibility
    return Pose(number, landmarks, np.zeros((33, 3)), 0.9, Roi(100.0, 100.0, 200.0, 0.0), mask)


LEG = {"left_knee": (150, 50, 0.9), "left_ankle": (150, 150, 0.5)}


def test_nobody_and_nothing_trained_is_the_picture_as_it_was():
    np.testing.assert_array_equal(draw_poses(GREY, []), GREY)
    nothing = {"landmarks": [], "visibility": []}
    np.testing.assert_array_equal(draw_poses(GREY, [seen(**LEG)], nothing), GREY)


def test_the_picture_is_copied():
    drawn = draw_poses(GREY, [seen(mask=np.ones((200, 200), np.float32), **LEG), seen(1, **LEG)])
    assert (GREY == 127).all()
    assert not (drawn == 127).all()


def test_what_is_seen_is_drawn_and_what_is_hidden_is_not():
    drawn = draw_poses(GREY, [seen(**LEG, right_knee=(50, 50, 0.9), right_ankle=(50, 150, 0.49))])
    assert tuple(drawn[100, 150]) == LEFT_COLOR
    assert (drawn[100, 50] == 127).all()
    assert tuple(drawn[50, 50]) == RIGHT_COLOR


def test_untrained_landmarks_are_left_out():
    trained = {"landmarks": ["left_knee", "left_hip"], "visibility": LANDMARKS}
    drawn = draw_poses(GREY, [seen(**LEG, left_hip=(150, 10, 0.9))], trained)
    assert tuple(drawn[30, 150]) == LEFT_COLOR
    assert (drawn[100, 150] == 127).all()
    assert (drawn[150, 150] == 127).all()


def test_untrained_visibility_hides_nothing():
    hidden = seen(left_knee=(150, 50, 0.0), left_ankle=(150, 150, 0.0))
    assert (draw_poses(GREY, [hidden]) == 127).all()
    trained = {"landmarks": LANDMARKS, "visibility": []}
    assert tuple(draw_poses(GREY, [hidden], trained)[100, 150]) == LEFT_COLOR


def test_the_mask_is_a_tint():
    mask = np.zeros((200, 200), np.float32)
    mask[:100], mask[100:150] = 1, 0.5
    drawn = draw_poses(GREY, [seen(mask=mask)]).astype(int)
    full, half, none = drawn[50, 50], drawn[120, 50], drawn[180, 50]
    assert (none == 127).all()
    assert full[1] > half[1] > 127, "greener"
    assert 0 < 127 - full[0] < 20, "and still the picture"


@pytest.mark.parametrize("people", [1, 2])
def test_ids_are_written_for_several_people_only(people):
    poses = [seen(3, nose=(60, 150, 0.9)), seen(8, nose=(140, 150, 0.9))][:people]
    for pose in poses:
        pose.landmarks[:, :2] = pose.landmarks[INDEX["nose"], :2]
        pose.landmarks[INDEX["left_ear"], 1] = 100  # hidden, but it is where the head is
    above = draw_poses(GREY, poses)[:140]
    assert (above == 127).all() == (people == 1)
    if people == 2:
        assert (above[80:101, 55:75] > 250).any()
        assert (above[80:101, 135:155] > 250).any()


def test_ids_of_people_outside_the_picture_do_no_harm():
    far = seen(1, **LEG)
    far.landmarks[:, :2] = 1e7, -1e7
    assert draw_poses(GREY, [seen(**LEG), far]).shape == GREY.shape


def test_a_mask_that_was_never_trained_is_left_out():
    trained = {"landmarks": LANDMARKS, "visibility": LANDMARKS, "outputs": ["presence"]}
    masked = seen(mask=np.ones((200, 200), np.float32))
    assert (draw_poses(GREY, [masked], trained) == 127).all()
    assert (draw_poses(GREY, [masked], {**trained, "outputs": ["segmentation"]}) != 127).any()
