"""Intersection over union (IoU) of masks."""

from collections.abc import Mapping
from typing import Any

from pycocotools import mask as run_lengths

from blazepose.exceptions import InputError


def mask_iou(predicted: Mapping[str, Any], target: Mapping[str, Any]) -> float:
    """Compute the IoU of two masks, 0..1; NaN if the label is empty.

    Args:
        predicted: COCO's compressed run-length encoding, {"size": [height, width], "counts": text}.
        target: label in the same encoding.

    Raises:
        ValueError: if the masks have different sizes, or cannot be decoded.
    """
    if list(predicted["size"]) != list(target["size"]):
        raise InputError(f"masks of {predicted['size']} and {target['size']} pixels cannot be compared")
    # Not run_lengths.iou, which does not check the encoding and may never return.
    pixels, label = (run_lengths.decode(mask).astype(bool) for mask in (predicted, target))
    return float((pixels & label).sum() / (pixels | label).sum()) if label.any() else float("nan")
