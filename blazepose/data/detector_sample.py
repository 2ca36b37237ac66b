"""The contract between data and the detector's training: one image with its people, and a batch of them."""

from typing import TypedDict

import numpy as np
from torch import Tensor

MAX_PEOPLE = 32
"""Most people of an image; the largest are used. Chosen: hardly any image of COCO has more with labels."""


class DetectorSample(TypedDict):
    """An input image of the detector and its labels, with coordinates from 0 to 1 across it.

    Shapes are of one sample; a batch has one more dimension in front.
    """

    image: np.ndarray
    """uint8 (size, size, 3) RGB."""
    boxes: np.ndarray
    """float32 (32, 3): x and y of the center, side."""
    points: np.ndarray
    """float32 (32, 4, 2): alignment points (blazepose.anchors)."""
    points_labelled: np.ndarray
    """bool (32, 4)."""
    people: np.ndarray
    """bool (32,): mask of the rows that are people."""
    ignored: np.ndarray
    """float32 (32, 4): xyxy of people and crowds without labels, which are ignored; unused rows have no
    area."""
    index: np.int64
    """Position in the dataset, so that no image counts twice under a distributed sampler."""


class DetectorBatch(TypedDict):
    """DetectorSample, collated: tensors with a leading batch dimension."""

    image: Tensor
    boxes: Tensor
    points: Tensor
    points_labelled: Tensor
    people: Tensor
    ignored: Tensor
    index: Tensor
