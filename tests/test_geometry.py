"""ROI, affine maps and the crop."""

import math

import cv2
import numpy as np
import pytest

from blazepose.geometry import (
    Roi,
    compose_affine,
    crop_image,
    image_to_roi,
    images_to_rois,
    invert_affine,
    letterbox_roi,
    roi_from_alignment,
    roi_from_box,
    roi_from_keypoints,
    roi_iou,
    roi_to_image,
    roi_to_image_matrix,
    rois_to_images,
    transform_points,
    wrap_angle,
)


def test_roi_from_alignment_hand_worked():
    roi = roi_from_alignment(np.array([100.0, 200.0]), np.array([100.0, 120.0]))  # scale point straight above
    assert roi == Roi(100.0, 200.0, 2 * 1.25 * 80, 0.0)


@pytest.mark.parametrize(
    ("direction", "degrees"), [((0, -1), 0), ((1, 0), 90), ((0, 1), -180), ((-1, 0), -90), ((1, -1), 45)]
)
def test_rotation_is_clockwise_from_up(direction, degrees):
    roi = roi_from_alignment(np.zeros(2), np.array(direction, float))
    assert math.degrees(roi.rotation_rad) == pytest.approx(degrees)


def test_mediapipe_expected_rect():
    # Source: MediaPipe's own expected detection and expanded rect for its test image pose.jpg (1000x667).
    width, height = 1000, 667
    center = np.array([0.49192297 * width, 0.7013345 * height])
    scale = np.array([0.48453212 * width, 0.32265595 * height])
    roi = roi_from_alignment(center, scale)
    assert roi.side / height == pytest.approx(0.9471016, abs=2e-4)
    assert roi.rotation_rad == pytest.approx(-0.029253244, abs=2e-4)


def test_wrap_angle_half_open():
    assert wrap_angle(math.pi) == -math.pi
    assert wrap_angle(-math.pi) == -math.pi
    assert wrap_angle(3 * math.pi + 0.1) == pytest.approx(-math.pi + 0.1)


def test_roi_and_image_round_trip():
    roi = Roi(310.5, 97.25, 211.0, 0.7)
    points = np.random.default_rng(0).uniform(-1, 2, (50, 2))
    np.testing.assert_allclose(image_to_roi(roi, roi_to_image(roi, points)), points, atol=1e-12)


def test_rois_of_many_images_at_once():
    rng = np.random.default_rng(0)
    rois = [Roi(*rng.uniform(10, 300, 3), angle) for angle in (0.7, -2.9, 0.0)]
    points = rng.uniform(-1, 2, (3, 20, 2))
    pixels = rois_to_images(rois, points)
    one_by_one = [roi_to_image(roi, row) for roi, row in zip(rois, points, strict=True)]
    np.testing.assert_allclose(pixels, one_by_one, atol=1e-9)
    np.testing.assert_allclose(images_to_rois(rois, pixels), points, atol=1e-12)
    np.testing.assert_allclose(
        rois_to_images(rois, points[0]), [roi_to_image(roi, points[0]) for roi in rois], atol=1e-9
    )


def test_roi_corners():
    roi = Roi(50.0, 40.0, 20.0, math.pi / 2)  # its up points to the image's right
    np.testing.assert_allclose(
        roi_to_image(roi, np.array([[0.5, 0.5], [0.5, 0.0]])), [[50, 40], [60, 40]], atol=1e-9
    )


def test_compose_and_invert():
    rng = np.random.default_rng(1)
    a, b, points = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(5, 2))
    np.testing.assert_allclose(
        transform_points(compose_affine(a, b), points), transform_points(a, transform_points(b, points))
    )
    np.testing.assert_allclose(transform_points(invert_affine(a), transform_points(a, points)), points)


def test_roi_from_keypoints_reaches_the_farthest_and_stands_upright():
    hips, shoulders = np.array([[4.0, 10.0], [6.0, 10.0]]), np.array([[4.0, 6.0], [6.0, 6.0]])
    keypoints = np.concatenate([hips, shoulders, [[5.0, 30.0]]])
    assert roi_from_keypoints(keypoints, hips, shoulders) == Roi(5.0, 10.0, 2 * 1.25 * 20, 0.0)


def test_roi_from_keypoints_refuses_zero_torso():
    point = np.array([[3.0, 3.0], [3.0, 3.0]])
    with pytest.raises(ValueError, match="no size or no upright"):
        roi_from_keypoints(point, point, point)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (1, 1)])
def test_letterbox_is_the_square_around_the_image(width, height):
    side = max(width, height)
    assert letterbox_roi(width, height) == Roi(width / 2, height / 2, side, 0.0)
    corners = roi_to_image(letterbox_roi(width, height), np.array([[0.0, 0.0], [1.0, 1.0]]))
    margin_x, margin_y = (side - width) / 2, (side - height) / 2
    expected = [[-margin_x, -margin_y], [width + margin_x, height + margin_y]]
    np.testing.assert_allclose(corners, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("box", "roi"),
    [
        ([10, 20, 30, 100], Roi(20.0, 60.0, 100.0, 0.0)),
        ([-40, 0, 40, 20], Roi(0.0, 10.0, 100.0, 0.0)),
    ],
)
def test_roi_from_box_is_upright_around_its_center(box, roi):
    assert roi_from_box(np.array(box)) == roi


@pytest.mark.parametrize(
    "box", [[30, 20, 10, 80], [10, 20, 10, 80], [10, 80, 30, 20], [0, 0, np.inf, 9], [np.nan, 0, 9, 9]]
)
def test_roi_from_box_refuses_boxes_without_area(box):
    with pytest.raises(ValueError, match=r"the box .* has no area; boxes are left, top, right, bottom"):
        roi_from_box(np.array(box, float))


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (Roi(10.0, 10.0, 4.0, 0.0), 1),
        (Roi(10.0, 10.0, 4.0, 1.0), 1),  # rotation is ignored
        (Roi(12.0, 10.0, 4.0, 0.0), 8 / 24),
        (Roi(12.0, 8.0, 4.0, 0.0), 4 / 28),
        (Roi(14.0, 10.0, 4.0, 0.0), 0),
        (Roi(10.0, -90.0, 4.0, 0.0), 0),
        (Roi(90.0, 90.0, 4.0, 0.0), 0),
        (Roi(9.0, 9.0, 10.0, 0.0), 16 / 100),  # all inside
        (Roi(13.0, 10.0, 10.0, 0.0), 16 / 100),
        (Roi(15.0, 10.0, 10.0, 0.0), 8 / 108),
    ],
)
def test_roi_iou_by_hand(other, iou):
    roi = Roi(10.0, 10.0, 4.0, 0.0)
    assert roi_iou(roi, other) == pytest.approx(iou)
    assert roi_iou(other, roi) == pytest.approx(iou)


def test_crop_identity_has_no_half_pixel():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    crop = crop_image(image, roi_to_image_matrix(Roi(32.0, 32.0, 64.0, 0.0)), 64)
    np.testing.assert_array_equal(crop, image)


def test_crop_matches_perspective_warp_of_opencv():
    image = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8), (0, 0), 3
    )
    matrix = roi_to_image_matrix(Roi(55.3, 41.8, 70.0, 0.4))
    to_pixels = np.vstack([matrix @ np.diag([1 / 96, 1 / 96, 1]), [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpPerspective(image, to_pixels, (96, 96), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(crop_image(image, matrix, 96).astype(int) - expected).max() <= 2


def test_crop_moves_points_by_the_affine():
    image = np.zeros((200, 300, 3), np.uint8)
    roi, point = Roi(150.0, 90.0, 120.0, -0.6), np.array([171.0, 70.0])
    image[int(point[1]) - 1 : int(point[1]) + 2, int(point[0]) - 1 : int(point[0]) + 2] = 255
    crop = crop_image(image, roi_to_image_matrix(roi), 256)[..., 0].astype(float)
    rows, columns = np.mgrid[:256, :256]
    center = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
    np.testing.assert_allclose(center, image_to_roi(roi, point) * 256, atol=0.2)


def test_crop_border_replicates_or_is_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    matrix = roi_to_image_matrix(Roi(5.0, 5.0, 40.0, 0.0))
    assert crop_image(image, matrix, 32).min() == 200
    assert crop_image(image, matrix, 32, cv2.BORDER_CONSTANT)[0, 0, 0] == 0


def test_crop_far_outside_and_huge():
    image = np.full((10, 10, 3), 7, np.uint8)
    assert (crop_image(image, roi_to_image_matrix(Roi(1e7, -1e7, 1e6, 0.3)), 16) == 7).all()


def test_the_expansion_is_the_topologys():
    center, scale = np.array([100.0, 200.0]), np.array([100.0, 120.0])
    assert roi_from_alignment(center, scale, 1.5) == Roi(100.0, 200.0, 240.0, 0.0)


@pytest.mark.parametrize(
    ("box", "roi"),
    [
        ((100, 100, 200, 500), Roi(150, 200, 1.9 * 200, 0)),
        ((100, 100, 300, 300), Roi(200, 150, 1.9 * 200, 0)),
    ],
)
def test_roi_from_box_around_the_shoulders(box, roi):
    """A standing person, and one who is cut at the waist."""
    assert roi_from_box(np.array(box), around_hips=False) == roi
