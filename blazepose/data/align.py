"""Aligned square crop of an annotation. Source: paper 2.6; docs/reference/metrics.md."""

import math

import numpy as np

from blazepose.data.annotation import UNKNOWN, Annotation
from blazepose.exceptions import InputError
from blazepose.geometry import (
    ROI_EXPANSION,
    Roi,
    compose_affine,
    invert_affine,
    roi_from_keypoints,
    roi_to_image_matrix,
    transform_points,
)
from blazepose.topologies.full_body import (
    INDEX,
    LEFT_HIP,
    LEFT_SHOULDER,
    NUM_LANDMARKS,
    NUM_OUTPUTS,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    ROI_CENTER,
    ROI_SCALE,
    TORSO,
)

_FACE = slice(0, INDEX["left_shoulder"])
_FEET = [INDEX[f"{side}_{point}"] for side in ("left", "right") for point in ("heel", "foot_index")]
_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]

_ONE_POINT_PX = 1e-3
"""Distance between mid-hip and mid-shoulder up to which the upward direction is undefined."""

_HFLIP = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def alignment_error(annotation: Annotation) -> str | None:
    """Return the reason why this person has no aligned crop, or None if there is one."""
    if not annotation.labelled[list(TORSO)].all():
        return "hips or shoulders not labelled"
    left_shoulder, right_shoulder, left_hip, right_hip = annotation.landmarks_px[list(TORSO)].tolist()
    sides = zip(left_hip, right_hip, left_shoulder, right_shoulder, strict=True)  # x, then y
    if all(abs(a + b - c - d) / 2 <= _ONE_POINT_PX for a, b, c, d in sides):
        return "zero torso: hips and shoulders on one point"
    return None


def aligned_roi(annotation: Annotation) -> Roi:
    """Return the hip-centered, upright square around a person, by the labels or as given without labels.

    Raises:
        ValueError: if hips or shoulders are not labelled or coincide; the message names the person.

    Examples:
        >>> from blazepose.data.align import aligned_roi
        >>> from blazepose.data.readers import read_source
        >>> person = read_source("landmarks:mine/train.json").annotations[0]
        >>> roi = aligned_roi(person)
        >>> roi.center_x, roi.center_y, roi.rotation_rad  # the person stands, with the hips at (80, 100)
        (80.0, 100.0, 0.0)
    """
    if annotation.roi is not None:
        return annotation.roi
    if reason := alignment_error(annotation):
        raise InputError(f"{annotation.image}, person {annotation.person}: {reason}")
    points = annotation.landmarks_px
    return roi_from_keypoints(
        annotation.keypoints_px, points[[LEFT_HIP, RIGHT_HIP]], points[[LEFT_SHOULDER, RIGHT_SHOULDER]]
    )


def circle_correction(annotation: Annotation) -> float:
    """Return the radius of the circle around all 33 landmarks over that around the labelled keypoints.

    Toes reach farther than ankles and the top of the head, so the latter circle may be too small.
    """
    if annotation.labelled[_FEET].any():
        return 1.0
    # Source: the circle that Google's full predicts over the farthest of LSP's 14 keypoints, median of 139
    # people of lspet_val (quartiles 1.00 and 1.07); 1.08 for COCO's 17.
    return 1.08 if annotation.head_top_px is None else 1.04


def alignment_points(annotation: Annotation, roi: Roi) -> tuple[np.ndarray, np.ndarray]:
    """Compute the training targets of `roi_center` and `roi_scale`.

    Args:
        annotation: a person with hips and shoulders.
        roi: aligned ROI of the person.

    Returns:
        (2, 2) pixels, and (2,) bool: the scale point is not labelled where ankles or head are missing,
        since the farthest labelled point is then a poor measure of the person's size.
    """
    radius = roi.side / (2 * ROI_EXPANSION) * circle_correction(annotation)
    up = np.array([math.sin(roi.rotation_rad), -math.cos(roi.rotation_rad)])
    center = np.array([roi.center_x, roi.center_y])
    head = annotation.labelled[_FACE].any() or annotation.head_top_px is not None
    whole = bool(annotation.labelled[_ANKLES].all() and head)
    return np.stack([center, center + radius * up]), np.array([True, whole])


def crop_matrix(
    roi: Roi, scale: float, shift: tuple[float, float], rotation_rad: float, hflip: bool
) -> np.ndarray:
    """Compute the affine (2, 3) from the coordinates of a disturbed crop to image pixels.

    Args:
        roi: the aligned ROI.
        scale: factor on its side.
        shift: shift of its center, in sides, along the ROI's own axes.
        rotation_rad: added to its rotation.
        hflip: reflect left and right; the caller swaps the labels.
    """
    matrix = roi_to_image_matrix(roi)
    center = transform_points(matrix, np.array([0.5 + shift[0], 0.5 + shift[1]]))
    disturbed = Roi(center[0], center[1], roi.side * scale, roi.rotation_rad + rotation_rad)
    matrix = roi_to_image_matrix(disturbed)
    return compose_affine(matrix, _HFLIP) if hflip else matrix


def points_in_crop(
    annotation: Annotation, roi: Roi, roi_to_image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Transform the 33 landmarks and the alignment points to crop coordinates.

    Returns:
        points (39, 2) float32, 0 where not labelled, and labelled (39,) bool. Unlabelled points never pass
        through the affine: a "missing" at (0, 0) would become a target.
    """
    points_px = np.zeros((NUM_OUTPUTS, 2))
    labelled = np.zeros(NUM_OUTPUTS, bool)
    points_px[:NUM_LANDMARKS], labelled[:NUM_LANDMARKS] = annotation.landmarks_px, annotation.labelled
    if annotation.roi is None:
        alignment = [ROI_CENTER, ROI_SCALE]
        points_px[alignment], labelled[alignment] = alignment_points(annotation, roi)
    points = transform_points(invert_affine(roi_to_image), points_px)
    points[~labelled] = 0
    return points.astype(np.float32), labelled


def presence_labels(
    points_px: np.ndarray, points_roi: np.ndarray, labelled: np.ndarray, frame: np.ndarray
) -> np.ndarray:
    """Return the presence labels of the landmarks of a crop.

    Args:
        points_px: (..., 33, 2) landmarks.
        points_roi: (..., 33, 2), the same in crop coordinates.
        labelled: (..., 33) bool.
        frame: (..., 4) left, top, right and bottom of the image, pixels.

    Returns:
        (..., 33) int8: 1 inside both the crop and the image, 0 outside, UNKNOWN where not labelled.
    """
    first, last = frame[..., None, :2], frame[..., None, 2:]
    in_image = (points_px >= first) & (points_px < last)
    in_crop = (points_roi >= 0) & (points_roi < 1)
    return np.where(labelled, (in_image & in_crop).all(axis=-1), UNKNOWN).astype(np.int8)
