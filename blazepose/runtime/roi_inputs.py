"""ROIs and boxes given by the caller, checked."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blazepose.exceptions import InputError
from blazepose.geometry import Roi, roi_from_box

_CORNERS = 4


def is_valid_roi(roi: Roi) -> bool:
    """Return whether an ROI is finite and larger than a pixel."""
    return math.isfinite(roi.center_x + roi.center_y + roi.side + roi.rotation_rad) and roi.side > 1


def parse_rois(rois: Any) -> list[Roi] | None:
    """Check the ROIs of the caller; None stays None.

    Raises:
        ValueError: if they are no list of ROIs, or if one is not finite or too small.
    """
    if rois is None:
        return None
    if not isinstance(rois, Sequence) or not all(isinstance(roi, Roi) for roi in rois):
        raise InputError(
            "rois= must be a list of blazepose.runtime.Roi(center_x, center_y, side, rotation_rad)"
        )
    for roi in rois:
        if not is_valid_roi(roi):
            raise InputError(f"invalid {roi}: side must be > 1 px and all values finite")
    return list(rois)


def rois_from_boxes(boxes_xyxy: Any, around_hips: bool = True) -> list[Roi] | None:
    """Return upright ROIs of the boxes of the caller, as geometry.roi_from_box; None stays None.

    Raises:
        ValueError: if they are no list of boxes, or if one has no area.
    """
    if boxes_xyxy is None:
        return None
    try:
        boxes = np.asarray(boxes_xyxy, np.float64)
    except (ValueError, TypeError):
        boxes = None
    if boxes is None or (boxes.size and (boxes.ndim != 2 or boxes.shape[1] != _CORNERS)):
        raise InputError(
            "boxes_xyxy= must be a list of boxes, each left, top, right, bottom in pixels, without score "
            "or class"
        )
    return [roi_from_box(box, around_hips) for box in boxes] if boxes.size else []
