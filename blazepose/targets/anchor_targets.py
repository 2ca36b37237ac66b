"""Assignment of people to anchors, and the box targets.

Google's detector was designed as an SSD, with six anchors per coarse cell and two per finer one, but all
anchors have the same box size, and only one anchor of each fine and of each middle cell ever fires. The same
ones are trained here: in its weights the scores of the others stay low, and their boxes are noise. In the
detector of 2021 every anchor of a cell fires, each for boxes of some sizes (AnchorLevel.box_sides).
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.anchors import DETECTOR_ANCHORS, NUM_COORDINATES, AnchorLayout

_NEAR, _FAR = 0.75, 2.0
"""Distance of box and anchor, cells, the larger of x and y: up to the first the anchor is positive; up to the
second it is ignored in the score, but regresses the box, since detections of one person are merged by their
boxes. Source: Google's detector on 400 images of lspet_train; nine tenths of its anchors that fire are nearer
than 1.8 fine or 1.0 middle cells. Making those negative lowers all its scores. In the detector of 2021,
nine tenths are nearer than 2.0 fine or 1.3 coarse cells (400 people of lspet_val)."""

_SIDE_MARGIN = 2.0
"""Factor by which a box may be outside the sides of an anchor that is ignored, not negative. Source: the
detector of 2021 on 200 people of lspet_val. Of its anchors with a score from 0.5 up, 8 % are then negative,
most of them because no person is near; with 1.25, 15 % are."""


class AnchorTargets(NamedTuple):
    """Targets of the anchors of a batch.

    Attributes:
        positive: (batch, anchors) bool, anchors with a person.
        negative: (batch, anchors) bool, anchors without one; those that are neither are ignored.
        regressed: (batch, anchors) bool, anchors with a box target: the positive ones, and more.
        person: (batch, anchors) int64, row of the person of a regressed anchor.
    """

    positive: Bool[Tensor, "batch anchors"]
    negative: Bool[Tensor, "batch anchors"]
    regressed: Bool[Tensor, "batch anchors"]
    person: Tensor


@cache
def box_sides(anchors: AnchorLayout) -> np.ndarray:
    """Return smallest and largest side of the boxes of each anchor, (anchors, 2), NaN for none, in order."""
    levels = [
        np.tile(np.array([sides or (np.nan, np.nan) for sides in level.box_sides]), (level.cells**2, 1))
        for level in anchors.levels
    ]
    return np.concatenate(levels)


@cache
def cell_sides(anchors: AnchorLayout) -> np.ndarray:
    """Return the side of each anchor's cell, (anchors,), in sides of the image."""
    cells = [np.full(level.cells**2 * level.per_cell, 1 / level.cells) for level in anchors.levels]
    return np.concatenate(cells)


def assign_anchors(
    boxes: Float[Tensor, "batch people 3"],
    people: Bool[Tensor, "batch people"],
    ignored: Float[Tensor, "batch ignored 4"],
    anchors: AnchorLayout = DETECTOR_ANCHORS,
) -> AnchorTargets:
    """Assign people to anchors.

    Args:
        boxes: center and side, 0..1 of the image.
        people: mask of the rows that are people.
        ignored: xyxy; anchors that detect people are never negative in these boxes.
        anchors: the anchors of the network.

    Examples:
        >>> import torch
        >>> from blazepose.targets.anchor_targets import assign_anchors
        >>> face = torch.tensor([[[0.5, 0.5, 0.2]]])  # center and side of a face box
        >>> targets = assign_anchors(face, torch.tensor([[True]]), ignored=torch.zeros(1, 0, 4))
        >>> targets.positive.shape, int(targets.positive.sum())  # 4 fine cells, and 4 of the middle level
        (torch.Size([1, 2254]), 8)
    """
    device = boxes.device
    centers, cell, sides = (
        torch.tensor(values, dtype=torch.float32, device=device)
        for values in (anchors.centers, cell_sides(anchors), box_sides(anchors))
    )
    candidates, (smallest, largest) = ~sides[:, 0].isnan(), sides.T
    distance = (centers - boxes[..., None, :2]).abs().amax(dim=-1) / cell
    side = boxes[..., 2:]
    similar = (side >= smallest / _SIDE_MARGIN) & (side <= largest * _SIDE_MARGIN)
    distance = torch.where(people[..., None] & similar, distance, math.inf)
    nearest, person = distance.min(dim=1)
    side = boxes[..., 2].gather(1, person)
    x, y = centers.T
    left, top, right, bottom = ignored[..., None].unbind(dim=2)
    in_ignored = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    regressed = candidates & (nearest <= _FAR)
    return AnchorTargets(
        positive=(nearest <= _NEAR) & (side >= smallest) & (side <= largest),
        negative=~candidates | ~(regressed | in_ignored.any(dim=1)),
        regressed=regressed,
        person=person,
    )


def encode_boxes(
    boxes: Float[Tensor, "batch people 3"],
    points: Float[Tensor, "batch people 4 2"],
    person: Tensor,
    anchors: AnchorLayout = DETECTOR_ANCHORS,
) -> Float[Tensor, "batch anchors 12"]:
    """Encode the box and points of each anchor's person, relative to its center, in 0..1 of the image.

    Args:
        boxes: center and side.
        points: alignment points.
        person: (batch, anchors) row of each anchor's person.
        anchors: the anchors of the network.
    """
    centers = torch.tensor(anchors.centers, dtype=torch.float32, device=boxes.device)
    rows = person[..., None]
    box = boxes.gather(1, rows.expand(-1, -1, 3))
    matched = points.flatten(2).gather(1, rows.expand(-1, -1, NUM_COORDINATES - 4))
    relative = matched - centers.repeat(1, matched.shape[2] // 2)
    return torch.cat([box[..., :2] - centers, box[..., 2:].expand(-1, -1, 2), relative], dim=2)
