"""Intersection over union by hand."""

import math

import numpy as np
import pytest
from pycocotools import mask as run_lengths

from blazepose.metrics.mask_iou import mask_iou


def box(left: int, right: int, width: int = 20) -> dict:
    pixels = np.zeros((10, width), np.uint8, order="F")
    pixels[2:8, left:right] = 1
    encoded = run_lengths.encode(pixels)
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}


def test_by_hand():
    assert mask_iou(box(0, 10), box(5, 15)) == pytest.approx(1 / 3)
    assert mask_iou(box(5, 15), box(5, 15)) == 1
    assert mask_iou(box(0, 5), box(5, 15)) == mask_iou(box(0, 0), box(5, 15)) == 0


def test_an_empty_label_is_nan():
    assert math.isnan(mask_iou(box(0, 10), box(0, 0)))


def test_masks_of_two_sizes():
    with pytest.raises(ValueError, match=r"masks of \[10, 20\] and \[10, 30\] pixels"):
        mask_iou(box(0, 5), box(0, 5, width=30))


def test_a_damaged_mask():
    with pytest.raises(ValueError, match="RLE"):
        mask_iou(box(0, 5, width=30) | {"size": [10, 20]}, box(0, 5))
