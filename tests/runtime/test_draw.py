import numpy as np

from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR, draw_pose
from blazepose.topology import INDEX


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
