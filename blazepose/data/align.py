"""Aligned square crop of an annotation. Source: paper 2.6; docs/reference/metrics.md.

The rule is that of the annotation's topology: around the hips for the whole body, around the shoulders for
the upper body.
"""

import math

import numpy as np

from blazepose.data.annotation import UNKNOWN, Annotation
from blazepose.exceptions import InputError
from blazepose.geometry import (
    Roi,
    compose_affine,
    invert_affine,
    roi_to_image_matrix,
    transform_points,
    upright_rotation,
)
from blazepose.topology import SHOULDERS, RoiRule

_EARS = ("left_ear", "right_ear")
_FACE = (
    "nose",
    *(f"{side}_eye{part}" for side in ("left", "right") for part in ("", "_inner", "_outer")),
    *_EARS,
    "mouth_left",
    "mouth_right",
)
_FEET = tuple(f"{side}_{point}" for side in ("left", "right") for point in ("heel", "foot_index"))
_ANKLES = ("left_ankle", "right_ankle")
_WRISTS = ("left_wrist", "right_wrist")

_ONE_POINT_PX = 1e-3
"""Distance between mid-hip and mid-shoulder up to which the upward direction is undefined."""

_HEAD_TOP = 1.45
"""Distance of the head top from mid-shoulder, in distances to the middle of the face. Source: medians of
torso lengths, 0.40 to the ears of coco_mini, 0.57 to the head top of lspet_val."""

_TORSO = 1.8
"""Length of the torso in distances from mid-shoulder to the head top, where the hips are not labelled.
Source: median of 1,280 people of lspet_train, quartiles 1.47 and 2.27."""

_HFLIP = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def alignment_error(annotation: Annotation) -> str | None:
    """Return the reason why this person has no aligned crop, or None if there is one."""
    rule = annotation.topology.roi
    if not _are_labelled(annotation, rule.center):
        return f"{_description(rule)} not labelled"
    if _are_labelled(annotation, (*rule.upward[0], *rule.upward[1])):
        base, top = (annotation.landmarks_px[annotation.topology.indices(names)] for names in rule.upward)
        sides = zip(*base.tolist(), *top.tolist(), strict=True)  # x, then y
        if all(abs(a + b - c - d) / 2 <= _ONE_POINT_PX for a, b, c, d in sides):
            return "zero torso: hips and shoulders on one point"
        return None
    if not rule.upward_by_head:
        return f"{_description(rule)} not labelled"
    head = head_top(annotation)
    if head is None:
        return "neither hips nor head labelled"
    if math.dist(head, _middle(annotation, SHOULDERS)) <= _ONE_POINT_PX:
        return "head and shoulders on one point"
    return None


def _description(rule: RoiRule) -> str:
    return "shoulders" if rule.upward_by_head else "hips or shoulders"


def _are_labelled(annotation: Annotation, names: tuple[str, ...]) -> bool:
    return len(_labelled(annotation, names)) == len(names)


def _labelled(annotation: Annotation, names: tuple[str, ...]) -> list[int]:
    """Return the indices of those landmarks that the topology has and that are labelled."""
    index = annotation.topology.index
    return [index[name] for name in names if name in index and annotation.labelled[index[name]]]


def _middle(annotation: Annotation, names: tuple[str, ...]) -> np.ndarray:
    return annotation.landmarks_px[annotation.topology.indices(names)].astype(np.float64).mean(axis=0)


def aligned_roi(annotation: Annotation) -> Roi:
    """Return the upright square around a person, by the labels or as given without labels.

    Raises:
        ValueError: if the labels that it needs are missing or coincide; the message names the person.

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
    rule = annotation.topology.roi
    center = _middle(annotation, rule.center)
    radius = _enclosing_radius(annotation, center)
    if _are_labelled(annotation, rule.upward[0]):
        base, top = (_middle(annotation, names) for names in rule.upward)
    else:
        base, top = np.zeros(2), _upward_by_head(annotation)
    return Roi(float(center[0]), float(center[1]), 2 * rule.expansion * radius, upright_rotation(base, top))


def _enclosing_radius(annotation: Annotation, center: np.ndarray) -> float:
    """Return the radius of the circle around the center that encloses what the rule names."""
    enclosed = annotation.topology.roi.enclosed
    if enclosed is None:
        return float(np.linalg.norm(annotation.keypoints_px - center, axis=1).max())
    points = annotation.landmarks_px[_labelled(annotation, enclosed)].astype(np.float64)
    distances, head = [math.dist(point, center) for point in points], head_top(annotation)
    if head is not None:
        distances.append(math.dist(head, center))
    if head is not None and not _are_labelled(annotation, annotation.topology.roi.upward[0]):
        distances.append(_TORSO * math.dist(head, center))
    return max(distances)


def _upward_by_head(annotation: Annotation) -> np.ndarray:
    """Return the upward direction (2,) by head and shoulders.

    It is the sum of the way to the head and of that across the shoulders, as long as they are apart: seen
    from the side these have no direction, and a head may be bowed. Source: on 1,280 people of lspet_train,
    8.0 degrees from Google's detector of 2021, median; by the head alone 11.2, by the shoulders alone 9.7, by
    the hips 4.7.
    """
    head = head_top(annotation)
    assert head is not None
    left, right = annotation.landmarks_px[annotation.topology.indices(SHOULDERS)].astype(np.float64)
    upward = head - (left + right) / 2
    across = np.array([(left - right)[1], (right - left)[0]])
    return upward + (across if across @ upward > 0 else -across)


def head_top(annotation: Annotation) -> np.ndarray | None:
    """Return the top of the head (2,), pixels, labelled or by face and shoulders; None without labels."""
    if annotation.head_top_px is not None:
        return annotation.head_top_px.astype(np.float64)
    face = _labelled(annotation, _EARS if _are_labelled(annotation, _EARS) else _FACE)
    if not face:
        return None
    shoulders = _middle(annotation, SHOULDERS)
    middle = annotation.landmarks_px[sorted(face)].astype(np.float64).mean(axis=0)
    return shoulders + _HEAD_TOP * (middle - shoulders)


def circle_correction(annotation: Annotation) -> float:
    """Return the radius of the circle around all landmarks over that around the labelled keypoints.

    Toes reach farther than ankles and the top of the head, so the latter circle may be too small.
    """
    if annotation.topology.roi.enclosed is not None:
        # Source: Google's detector of 2021 over this rule, median of 1,280 people of lspet_train 1.02.
        return 1.0
    if _labelled(annotation, _FEET):
        return 1.0
    # Source: the circle that Google's full predicts over the farthest of LSP's 14 keypoints, median of 139
    # people of lspet_val (quartiles 1.00 and 1.07); 1.08 for COCO's 17.
    return 1.08 if annotation.head_top_px is None else 1.04


def alignment_points(annotation: Annotation, roi: Roi) -> tuple[np.ndarray, np.ndarray]:
    """Compute the training targets of `roi_center` and `roi_scale`.

    Args:
        annotation: a person with an aligned crop.
        roi: aligned ROI of the person.

    Returns:
        (2, 2) pixels, and (2,) bool: the scale point is not labelled where the limbs that reach the circle
        (ankles, or wrists) or the head are missing, since the farthest labelled point is then a poor measure
        of the person's size.
    """
    rule = annotation.topology.roi
    radius = roi.side / (2 * rule.expansion) * circle_correction(annotation)
    up = np.array([math.sin(roi.rotation_rad), -math.cos(roi.rotation_rad)])
    center = np.array([roi.center_x, roi.center_y])
    limbs = _ANKLES if rule.enclosed is None else _WRISTS
    whole = _are_labelled(annotation, limbs) and head_top(annotation) is not None
    return np.stack([center, center + radius * up]), np.array([True, whole])


def body_and_torso(annotation: Annotation) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that a cut of the picture may leave outside, and those of the torso.

    Returns:
        (points, 2) and (points, 2) pixels: labelled keypoints, of the upper body its landmarks, and the
        labelled ones of shoulders and hips.
    """
    topology, labelled = annotation.topology, annotation.labelled
    whole = topology.roi.enclosed is None
    body = annotation.keypoints_px if whole else annotation.landmarks_px[labelled]
    return body, annotation.landmarks_px[[k for k in topology.torso if labelled[k]]]


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
    """Transform the landmarks and the alignment points to crop coordinates.

    Returns:
        points (outputs, 2) float32, 0 where not labelled, and labelled (outputs,) bool. Unlabelled points
        never pass through the affine: a "missing" at (0, 0) would become a target.
    """
    topology = annotation.topology
    count = topology.num_landmarks
    points_px = np.zeros((topology.num_outputs, 2))
    labelled = np.zeros(topology.num_outputs, bool)
    points_px[:count], labelled[:count] = annotation.landmarks_px, annotation.labelled
    if annotation.roi is None:
        alignment = [topology.roi_center, topology.roi_scale]
        points_px[alignment], labelled[alignment] = alignment_points(annotation, roi)
    points = transform_points(invert_affine(roi_to_image), points_px)
    points[~labelled] = 0
    return points.astype(np.float32), labelled


def presence_labels(
    points_px: np.ndarray, points_roi: np.ndarray, labelled: np.ndarray, frame: np.ndarray
) -> np.ndarray:
    """Return the presence labels of the landmarks of a crop.

    Args:
        points_px: (..., landmarks, 2) landmarks.
        points_roi: (..., landmarks, 2), the same in crop coordinates.
        labelled: (..., landmarks) bool.
        frame: (..., 4) left, top, right and bottom of the image, pixels.

    Returns:
        (..., landmarks) int8: 1 inside both the crop and the image, 0 outside, UNKNOWN where not labelled.
    """
    first, last = frame[..., None, :2], frame[..., None, 2:]
    in_image = (points_px >= first) & (points_px < last)
    in_crop = (points_roi >= 0) & (points_roi < 1)
    return np.where(labelled, (in_image & in_crop).all(axis=-1), UNKNOWN).astype(np.int8)
