"""Assignment of people to anchors, and the box targets.

Google's detector was designed as an SSD, with six anchors per coarse cell and two per finer one, but all
anchors have the same box size, and only one anchor of each fine and of each middle cell ever fires. The same
ones are trained here: in its weights the scores of the others stay low, and their boxes are noise.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.anchors import ANCHORS_PER_CELL, FEATURE_MAP_SIZES, NUM_COORDINATES, anchor_centers

_CANDIDATES = (1, 0, -1)
"""Index of the anchor in each cell of a level that may fire, -1 for none. Source: Google's detector, measured
on 200 people of lspet_val: no other anchor has a score above 0.5."""

_NEAR, _FAR = 0.75, 2.0
"""Distance of box and anchor, cells, the larger of x and y: up to the first the anchor is positive; up to the
second it is ignored in the score, but regresses the box, since detections of one person are merged by their
boxes. Source: Google's detector on 400 images of lspet_train; nine tenths of its anchors that fire are nearer
than 1.8 fine or 1.0 middle cells. Making those negative lowers all its scores."""


class AnchorTargets(NamedTuple):
    """Targets of the anchors of a batch.

    Attributes:
        positive: (batch, 2254) bool, anchors with a person.
        negative: (batch, 2254) bool, anchors without one; those that are neither are ignored.
        regressed: (batch, 2254) bool, anchors with a box target: the positive ones, and more.
        person: (batch, 2254) int64, row of the person of a regressed anchor.
    """

    positive: Bool[Tensor, "batch anchors"]
    negative: Bool[Tensor, "batch anchors"]
    regressed: Bool[Tensor, "batch anchors"]
    person: Tensor


@cache
def candidate_anchors() -> np.ndarray:
    """Return a mask of the anchors that may be positive, bool (2254,), in the order of anchor_centers."""
    levels = zip(FEATURE_MAP_SIZES, ANCHORS_PER_CELL, _CANDIDATES, strict=True)
    return np.concatenate([np.tile(np.arange(count) == slot, side * side) for side, count, slot in levels])


def assign_anchors(
    boxes: Float[Tensor, "batch people 3"],
    people: Bool[Tensor, "batch people"],
    ignored: Float[Tensor, "batch ignored 4"],
) -> AnchorTargets:
    """Assign people to anchors.

    Args:
        boxes: center and side, 0..1 of the image.
        people: mask of the rows that are people.
        ignored: xyxy; candidate anchors in these boxes are never negative.

    Examples:
        >>> import torch
        >>> from blazepose.targets.anchor_targets import assign_anchors
        >>> face = torch.tensor([[[0.5, 0.5, 0.2]]])  # center and side of a face box
        >>> targets = assign_anchors(face, torch.tensor([[True]]), ignored=torch.zeros(1, 0, 4))
        >>> targets.positive.shape, int(targets.positive.sum())  # 4 fine cells, and 4 of the middle level
        (torch.Size([1, 2254]), 8)
    """
    device = boxes.device
    centers = torch.tensor(anchor_centers(), dtype=torch.float32, device=device)
    candidates = torch.tensor(candidate_anchors(), device=device)
    counts = [count * side**2 for count, side in zip(ANCHORS_PER_CELL, FEATURE_MAP_SIZES, strict=True)]
    cell = torch.tensor(
        np.repeat(1 / np.array(FEATURE_MAP_SIZES), counts), dtype=torch.float32, device=device
    )
    distance = (centers - boxes[..., None, :2]).abs().amax(dim=-1) / cell
    distance = torch.where(people[..., None], distance, math.inf)
    nearest, person = distance.min(dim=1)
    x, y = centers.T
    left, top, right, bottom = ignored[..., None].unbind(dim=2)
    in_ignored = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    regressed = candidates & (nearest <= _FAR)
    return AnchorTargets(
        positive=candidates & (nearest <= _NEAR),
        negative=~candidates | ~(regressed | in_ignored.any(dim=1)),
        regressed=regressed,
        person=person,
    )


def encode_boxes(
    boxes: Float[Tensor, "batch people 3"],
    points: Float[Tensor, "batch people 4 2"],
    person: Tensor,
) -> Float[Tensor, "batch anchors 12"]:
    """Encode the box and points of each anchor's person, relative to its center, in 0..1 of the image.

    Args:
        boxes: center and side.
        points: alignment points.
        person: (batch, anchors) row of each anchor's person.
    """
    centers = torch.tensor(anchor_centers(), dtype=torch.float32, device=boxes.device)
    rows = person[..., None]
    box = boxes.gather(1, rows.expand(-1, -1, 3))
    matched = points.flatten(2).gather(1, rows.expand(-1, -1, NUM_COORDINATES - 4))
    relative = matched - centers.repeat(1, matched.shape[2] // 2)
    return torch.cat([box[..., :2] - centers, box[..., 2:].expand(-1, -1, 2), relative], dim=2)
