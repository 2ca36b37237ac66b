"""The contract between data and training: one sample, and a batch of them."""

from typing import NotRequired, TypedDict

import numpy as np
from torch import Tensor

from blazepose.data.teacher_targets import TeacherTargets


class PoseSample(TypedDict):
    """A crop with its labels, as the dataset returns it.

    Shapes are of one sample; a batch has one more dimension in front. Coordinates are ROI coordinates
    (0..1 across the crop), also for points outside the crop.
    """

    image: np.ndarray
    """uint8 (256, 256, 3) RGB."""
    points: np.ndarray
    """float32 (39, 3): x, y, and z on the scale of x with its origin at the hips."""
    labelled: np.ndarray
    """bool (39,): x and y are annotated."""
    z_labelled: np.ndarray
    """bool (39,)."""
    visibility: np.ndarray
    """int8 (33,): VISIBLE, HIDDEN or UNKNOWN (data.annotation)."""
    presence: np.ndarray
    """int8 (33,): 1 inside crop and image, 0 outside, UNKNOWN where not labelled."""
    world: np.ndarray
    """float32 (33, 3) meters, hip-centered."""
    world_labelled: np.ndarray
    """bool (33,)."""
    mask: np.ndarray
    """uint8 (256, 256): the share of each pixel that shows the person, from BACKGROUND to PERSON, or IGNORE
    (data.person_mask)."""
    pose: np.float32
    """1 where the crop shows a person, 0 for negative images."""
    index: np.int64
    """Position in the dataset, so that no sample counts twice under a distributed sampler."""
    teacher: NotRequired[TeacherTargets]
    """Stored outputs of a teacher other than the initial network, in a training that has one."""


class PoseBatch(TypedDict):
    """PoseSample, collated: tensors with a leading batch dimension."""

    image: Tensor
    points: Tensor
    labelled: Tensor
    z_labelled: Tensor
    visibility: Tensor
    presence: Tensor
    world: Tensor
    world_labelled: Tensor
    mask: Tensor
    pose: Tensor
    index: Tensor
    teacher: NotRequired[dict[str, Tensor]]
