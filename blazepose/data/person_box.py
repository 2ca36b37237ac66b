"""Detector labels of an annotated person: a box around head and shoulders, and alignment points.

Google's detector predicts a box of one size for all people, 0.2 of its input (MediaPipe's expected detection
of pose.jpg has it, too), between mid-shoulder and head: only its center is meaningful. Ours has the same
center and scales with the person, so that overlap separates people at every distance. It is computed from
landmarks for every source, also for synthetic people, whose exact face boxes are at another place.
"""

import math
from typing import NamedTuple

import numpy as np

from blazepose.anchors import NUM_ALIGNMENT_POINTS
from blazepose.data.align import aligned_roi, alignment_error, alignment_points, head_top
from blazepose.data.annotation import Annotation
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER

_WRISTS = [INDEX["left_wrist"], INDEX["right_wrist"]]
_UPPER = [*_WRISTS, INDEX["left_elbow"], INDEX["right_elbow"], LEFT_HIP, RIGHT_HIP]

_BOX_CENTER = 0.25
"""Center of the box, from mid-shoulder (0) to the head top (1). Source: Google's detector on 397 people
of lspet_val, median 0.23, quartiles 0.13 and 0.33; the median offset across this line is 0."""

_BOX_SIDE = 1.75
"""Side of the box in distances from mid-shoulder to head top. The torso's length is used where it is larger:
the two are equal for upright people, and the one that points at the camera is foreshortened."""


class PersonBox(NamedTuple):
    """Detector labels of one person, in image pixels.

    Attributes:
        center: (2,) center of the box.
        side: side of the box.
        points: (4, 2) alignment points (blazepose.anchors).
        labelled: (4,) bool, mask of the labelled points.
    """

    center: np.ndarray
    side: float
    points: np.ndarray
    labelled: np.ndarray


def person_box(annotation: Annotation) -> PersonBox | None:
    """Return the detector labels, or None if hips, shoulders or head are not labelled."""
    head = head_top(annotation)
    if head is None or alignment_error(annotation):
        return None
    landmarks = annotation.landmarks_px.astype(np.float64)
    shoulders, hips = (
        landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0),
        landmarks[[LEFT_HIP, RIGHT_HIP]].mean(0),
    )
    roi = aligned_roi(annotation)
    points, labelled = np.zeros((NUM_ALIGNMENT_POINTS, 2)), np.zeros(NUM_ALIGNMENT_POINTS, bool)
    points[:2], labelled[:2] = alignment_points(annotation, roi)
    up = np.array([math.sin(roi.rotation_rad), -math.cos(roi.rotation_rad)])
    reach = np.concatenate([landmarks[_UPPER][annotation.labelled[_UPPER]], head[None]])
    radius = np.linalg.norm(reach - shoulders, axis=1).max()
    points[2:] = shoulders, shoulders + radius * up
    labelled[2:] = True, annotation.labelled[_WRISTS].all()
    return PersonBox(
        center=shoulders + _BOX_CENTER * (head - shoulders),
        side=max(math.dist(shoulders, hips), _BOX_SIDE * math.dist(shoulders, head)),
        points=points,
        labelled=labelled,
    )


def surrounding_box(annotation: Annotation) -> np.ndarray:
    """Return the source's box around a person, or one around its keypoints: (4,) xyxy, pixels."""
    if annotation.box_xyxy is not None:
        return annotation.box_xyxy.astype(np.float64)
    points = annotation.keypoints_px.astype(np.float64)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
