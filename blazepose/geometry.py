"""The rotated square (ROI) that every crop is taken from, and the maps between it and the image.

Spaces: `_px` pixels of the original image; `_roi` 0..1 across the crop, which may be exceeded by points
outside it; `_norm` 0..1 of the image. x right, y down.

The pixel rule: coordinate i is the center of pixel i, in the image as in the crop, and
x_norm = x_px / width. So crop pixel i of 256 shows ROI position i / 256: MediaPipe adds no half pixel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from blazepose.exceptions import InputError

ROI_EXPANSION = 1.25
"""Side of the ROI over the diameter of the circle around the person.
Source: docs/reference/mediapipe.md section 2."""

_SHOULDER_HEIGHT, _SHOULDER_SIDE = 0.25, 1.9
"""Mid-shoulder below the upper edge of a person's box, in heights of the box; side of the ROI around it, in
widths or half heights. Source: medians of 49 upright people of COCO, a fifth of them without labelled legs
(coco_mini and wholebody_sample)."""

_FRACTION_BITS = 5
"""MediaPipe's warp rounds sample positions to 1/32 pixel. Source: docs/reference/mediapipe.md section 2."""


@dataclass(frozen=True)
class Roi:
    """A rotated square in the image.

    Attributes:
        center_x: column of the center, pixels.
        center_y: row of the center, pixels.
        side: length of a side, pixels.
        rotation_rad: clockwise angle on the screen from the image's up to the ROI's up, [-pi, pi).

    Examples:
        >>> from blazepose import Roi
        >>> from blazepose.geometry import roi_to_image
        >>> import numpy as np
        >>> roi = Roi(center_x=100, center_y=50, side=40, rotation_rad=0)
        >>> roi_to_image(roi, np.array([[0, 0], [0.5, 0.5], [1, 1]]))  # top left, center, bottom right
        array([[ 80.,  30.],
               [100.,  50.],
               [120.,  70.]])
    """

    center_x: float
    center_y: float
    side: float
    rotation_rad: float


def wrap_angle(angle_rad: float) -> float:
    """Wrap an angle to [-pi, pi)."""
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi


def upright_rotation(base_px: np.ndarray, top_px: np.ndarray) -> float:
    """Return the rotation of the ROI with `top_px` (2,) straight above `base_px` (2,); radians, [-pi, pi)."""
    dx, dy = (np.asarray(top_px, dtype=np.float64) - base_px).tolist()
    return wrap_angle(math.pi / 2 - math.atan2(-dy, dx))


def roi_from_alignment(center_px: np.ndarray, scale_px: np.ndarray, expansion: float = ROI_EXPANSION) -> Roi:
    """Compute the ROI from the two alignment points that the detector and the tracker predict.

    Args:
        center_px: center (2,) of the ROI, pixels: mid-hip, or mid-shoulder for the upper body.
        scale_px: point (2,) on the circle around it that encloses the person, above the head.
        expansion: side of the ROI over the diameter of that circle (RoiRule).

    Source: docs/reference/mediapipe.md section 2.

    Examples:
        >>> import numpy as np
        >>> from blazepose.geometry import roi_from_alignment
        >>> roi = roi_from_alignment(center_px=np.array([100, 200]), scale_px=np.array([100, 120]))
        >>> roi.side, roi.rotation_rad  # 2.5 times the distance of 80 px; the person is upright
        (200.0, 0.0)
    """
    radius = math.dist(center_px, scale_px)
    return Roi(
        center_x=float(center_px[0]),
        center_y=float(center_px[1]),
        side=2 * expansion * radius,
        rotation_rad=upright_rotation(center_px, scale_px),
    )


def roi_from_keypoints(keypoints_px: np.ndarray, hips_px: np.ndarray, shoulders_px: np.ndarray) -> Roi:
    """Compute the aligned square of a labelled person: hip-centered, upright, reaching the farthest keypoint.

    Args:
        keypoints_px: every labelled keypoint of the source skeleton, (keypoints, 2) pixels.
        hips_px: left and right hip, (2, 2) pixels.
        shoulders_px: left and right shoulder, (2, 2) pixels.

    Raises:
        ValueError: if all keypoints fall on one point, or mid-hip on mid-shoulder: no size, no up.

    Source: interface.md, "Aligned crop of an annotation".

    Examples:
        >>> import numpy as np
        >>> from blazepose.geometry import roi_from_keypoints
        >>> shoulders, hips = np.array([[110, 60], [90, 60]]), np.array([[108, 100], [92, 100]])
        >>> ankles = np.array([[100, 180]])  # 80 px from the hips
        >>> roi_from_keypoints(np.vstack([shoulders, hips, ankles]), hips, shoulders)
        Roi(center_x=100.0, center_y=100.0, side=200.0, rotation_rad=0.0)
    """
    center, top = (points.astype(np.float64).mean(axis=0) for points in (hips_px, shoulders_px))
    radius = float(np.linalg.norm(keypoints_px - center, axis=1).max())
    if radius == 0 or math.dist(center, top) == 0:
        raise InputError("hips and shoulders fall on one point: the person has no size or no upright")
    return Roi(float(center[0]), float(center[1]), 2 * ROI_EXPANSION * radius, upright_rotation(center, top))


def letterbox_roi(width: int, height: int) -> Roi:
    """Return the upright square around a whole image, the input of the detector.

    Examples:
        >>> from blazepose.geometry import letterbox_roi
        >>> letterbox_roi(width=640, height=480)
        Roi(center_x=320.0, center_y=240.0, side=640.0, rotation_rad=0.0)
    """
    return Roi(width / 2, height / 2, float(max(width, height)), 0.0)


def roi_from_box(box_xyxy: np.ndarray, around_hips: bool = True) -> Roi:
    """Estimate the ROI of a person from a box (4,), pixels: a first guess, which the network refines.

    It is upright. The hips are in the middle of the box, as of a standing person; the shoulders a quarter
    below its upper edge, and the side is 1.9 times its width or half its height.

    Args:
        box_xyxy: left, top, right, bottom.
        around_hips: whether the network's ROI is around the hips; otherwise it is around the shoulders.

    Raises:
        ValueError: if the box has no area or is not finite.

    Examples:
        >>> import numpy as np
        >>> from blazepose.geometry import roi_from_box
        >>> roi_from_box(np.array([100, 100, 200, 300]))  # 1.25 times the longer side
        Roi(center_x=150.0, center_y=200.0, side=250.0, rotation_rad=0.0)
    """
    left, top, right, bottom = map(float, box_xyxy)
    if not (right > left and bottom > top and math.isfinite(right - left + bottom - top)):
        box = f"{left:g}, {top:g}, {right:g}, {bottom:g}"
        raise InputError(f"the box {box} has no area; boxes are left, top, right, bottom in pixels")
    width, height = right - left, bottom - top
    if around_hips:
        return Roi((left + right) / 2, (top + bottom) / 2, ROI_EXPANSION * max(width, height), 0.0)
    side = _SHOULDER_SIDE * max(width, height / 2)
    return Roi((left + right) / 2, top + _SHOULDER_HEIGHT * height, side, 0.0)


def roi_iou(roi: Roi, other: Roi) -> float:
    """Compute the IoU of two ROIs as if neither were rotated, as MediaPipe does.

    Examples:
        >>> from blazepose.geometry import Roi, roi_iou
        >>> roi_iou(Roi(50, 50, 100, 0), Roi(100, 50, 100, 0))  # 5,000 of 15,000 square pixels
        0.3333333333333333
    """
    reach = (roi.side + other.side) / 2
    width = min(reach - abs(roi.center_x - other.center_x), roi.side, other.side)
    height = min(reach - abs(roi.center_y - other.center_y), roi.side, other.side)
    shared = max(width, 0) * max(height, 0)
    return shared / (roi.side**2 + other.side**2 - shared)


def roi_to_image_matrix(roi: Roi) -> np.ndarray:
    """Return the affine (2, 3) float64 from ROI coordinates (0..1) to image pixels."""
    cos, sin = math.cos(roi.rotation_rad) * roi.side, math.sin(roi.rotation_rad) * roi.side
    return np.array(
        [
            [cos, -sin, roi.center_x - 0.5 * (cos - sin)],
            [sin, cos, roi.center_y - 0.5 * (sin + cos)],
        ]
    )


def invert_affine(matrix: np.ndarray) -> np.ndarray:
    """Compute the inverse (2, 3) of an affine (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def compose_affine(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the affine (2, 3) that applies `inner`, then `outer`."""
    return np.hstack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]])


def transform_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply an affine (2, 3) to points (..., 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def roi_to_image(roi: Roi, points_roi: np.ndarray) -> np.ndarray:
    """Map points (..., 2) from ROI coordinates (0..1) to image pixels.

    Examples:
        >>> import math
        >>> import numpy as np
        >>> from blazepose.geometry import Roi, roi_to_image
        >>> head_to_the_right = Roi(100, 100, 80, math.pi / 2)
        >>> roi_to_image(head_to_the_right, np.array([0.5, 0.0])).round()  # middle of the ROI's upper edge
        array([140., 100.])
    """
    return transform_points(roi_to_image_matrix(roi), points_roi)


def image_to_roi(roi: Roi, points_px: np.ndarray) -> np.ndarray:
    """Map points (..., 2) from image pixels to ROI coordinates (0..1)."""
    return transform_points(invert_affine(roi_to_image_matrix(roi)), points_px)


def images_to_rois(rois: Sequence[Roi], points_px: np.ndarray) -> np.ndarray:
    """Map points (rois, points, 2) of many images from pixels to coordinates (0..1) of one ROI in each."""
    center, side, (cos, sin) = _columns(rois)
    x, y = np.moveaxis((points_px - center) / side, -1, 0)
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1) + 0.5


def rois_to_images(rois: Sequence[Roi], points_roi: np.ndarray) -> np.ndarray:
    """Map points (rois, points, 2), or (points, 2) for all ROIs, from ROI coordinates (0..1) to pixels."""
    center, side, (cos, sin) = _columns(rois)
    x, y = np.moveaxis(points_roi - 0.5, -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) * side + center


def _columns(rois: Sequence[Roi]) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return centers (rois, 1, 2), sides (rois, 1, 1), cosine and sine (rois, 1) of the rotation."""
    table = np.array([(roi.center_x, roi.center_y, roi.side, roi.rotation_rad) for roi in rois])
    angle = table[:, 3:]
    return table[:, None, :2], table[:, None, 2:3], (np.cos(angle), np.sin(angle))


def crop_image(
    image: np.ndarray, roi_to_image: np.ndarray, size: int, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """Resample the square that `roi_to_image` maps to, exactly as MediaPipe's own warp does.

    Bilinear, at positions rounded to 1/32 pixel, rounded to uint8: heatmap refinement is discontinuous, so
    a warp that differs by a fraction of a gray value moves landmarks by pixels.

    Args:
        image: uint8 (height, width, channels).
        roi_to_image: affine (2, 3) from ROI coordinates to image pixels; may include a flip.
        size: side of the crop in pixels.
        border: OpenCV border mode for pixels outside the image. MediaPipe replicates for the landmark
            crop and takes black for the detector.

    Returns:
        uint8 (size, size, channels).

    Source: docs/reference/mediapipe.md sections 2 and 6.

    Examples:
        >>> import numpy as np
        >>> from blazepose.geometry import Roi, crop_image, roi_to_image_matrix
        >>> image = np.zeros((100, 100, 3), np.uint8)
        >>> image[:, 50:] = 255
        >>> crop = crop_image(image, roi_to_image_matrix(Roi(50, 50, 4, 0)), size=4)  # columns 48 to 51
        >>> crop[0, :, 0].tolist()
        [0, 0, 255, 255]
    """
    steps = np.arange(size) / size
    (a, b, c), (d, e, f) = roi_to_image * (1 << _FRACTION_BITS)
    whole = np.empty((size, size, 2), np.int16)
    x = _split_fixed_point(np.add.outer(b * steps + c, a * steps), whole[..., 0])
    y = _split_fixed_point(np.add.outer(e * steps + f, d * steps), whole[..., 1])
    fraction = y << np.uint16(_FRACTION_BITS) | x
    return cv2.remap(image, whole, fraction, cv2.INTER_LINEAR, borderMode=border)


def _split_fixed_point(position: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Round positions (in 1/32 px), put the whole pixels into `whole` and return the 32nds, uint16."""
    # Positions beyond 16 bits are far outside any image; clipping leaves them there.
    limit = 1 << 15 + _FRACTION_BITS
    fixed = np.rint(np.clip(position, -limit, limit - 1, out=position), out=position).astype(np.int32)
    np.right_shift(fixed, _FRACTION_BITS, out=whole, casting="unsafe")
    return (fixed & (1 << _FRACTION_BITS) - 1).astype(np.uint16)
