"""The contract between data and the detector's training: one picture with its people, and a batch of them."""

from typing import TypedDict

import numpy as np
from torch import Tensor

MAX_PEOPLE = 32
"""Of a picture; of more, the largest. Chosen: hardly any picture of COCO has more with labels."""


class DetectorSample(TypedDict):
    """A picture as the detector sees it, coordinates in 0..1 of it.

    Shapes are of one sample; a batch has one more dimension in front.
    """

    image: np.ndarray
    """uint8 (224, 224, 3) RGB."""
    boxes: np.ndarray
    """float32 (32, 3): x and y of the centre, side."""
    points: np.ndarray
    """float32 (32, 4, 2): alignment points (blazepose.anchors)."""
    points_labelled: np.ndarray
    """bool (32, 4)."""
    people: np.ndarray
    """bool (32,): which rows are people."""
    ignored: np.ndarray
    """float32 (32, 4): xyxy of people and crowds without labels, neither right nor wrong to find; without
    area where there is none."""
    index: np.int64
    """Position in the dataset, to count no picture twice under a distributed sampler."""


class DetectorBatch(TypedDict):
    """DetectorSample, collated: tensors with a leading batch dimension."""

    image: Tensor
    boxes: Tensor
    points: Tensor
    points_labelled: Tensor
    people: Tensor
    ignored: Tensor
    index: Tensor
