"""How good masks are: intersection over union (IoU)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as run_lengths

from blazepose.metrics.pck import percent


def mask_iou(predicted: Mapping[str, Any], target: Mapping[str, Any]) -> float:
    """Pixels of both masks over pixels of either, 0..1; NaN if the label is empty.

    Args:
        predicted: COCO's compressed run-length encoding, {"size": [height, width], "counts": text}.
        target: the same of the label.

    Raises:
        ValueError: if the masks are of pictures of two sizes, or cannot be decoded.
    """
    if list(predicted["size"]) != list(target["size"]):
        raise ValueError(f"masks of {predicted['size']} and {target['size']} pixels cannot be compared")
    # Not run_lengths.iou, which does not check the encoding and may never return.
    said, truth = (run_lengths.decode(mask).astype(bool) for mask in (predicted, target))
    return float((said & truth).sum() / (said | truth).sum()) if truth.any() else float("nan")


def mean_iou(ious: np.ndarray) -> float:
    """Mean of those that are known, in per cent; NaN if none is."""
    return percent(ious, np.isfinite(ious))
