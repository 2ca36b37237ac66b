"""Which anchors have to see which person.

Google's detector was laid out as an SSD, six anchors a coarse cell and two a finer one, but says one box size
for everybody, and so only one anchor of each fine and of each middle cell ever answers, whoever it sees. The
same two answer here: in its weights the others say nothing, and their boxes are noise.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.anchors import ANCHORS_PER_CELL, FEATURE_MAP_SIZES, NUM_COORDINATES, anchor_centers

_ANSWERS = (1, 0, -1)
"""Anchor of each cell of a level that answers, -1 none. Source: Google's detector, measured on 200 people of
lspet_val: no other says a score above 0.5."""

_NEAR, _FAR = 0.75, 2.0
"""Cells between box and anchor, the larger of x and y, up to which the anchor has to see the person, and up
to which it may, and then has to say the same place: answers for one person are merged by their boxes. Source:
Google's detector on 400 pictures of lspet_train; nine tenths of its anchors that see somebody are nearer than
1.8 fine or 1.0 middle cells. To forbid it those lowers all its scores."""


class AnchorTargets(NamedTuple):
    """What the anchors of a batch should say.

    Attributes:
        positive: (batch, 2254) bool, sees a person.
        negative: (batch, 2254) bool, sees nobody; neither is where both are right.
        placed: (batch, 2254) bool, if it sees somebody, then this person; all that are positive, and more.
        person: (batch, 2254) int64, row of the person whom a placed anchor sees.
    """

    positive: Bool[Tensor, "batch anchors"]
    negative: Bool[Tensor, "batch anchors"]
    placed: Bool[Tensor, "batch anchors"]
    person: Tensor


@cache
def candidate_anchors() -> np.ndarray:
    """Which anchors may see somebody, bool (2254,), in the order of anchor_centers."""
    levels = zip(FEATURE_MAP_SIZES, ANCHORS_PER_CELL, _ANSWERS, strict=True)
    return np.concatenate([np.tile(np.arange(count) == slot, side * side) for side, count, slot in levels])


def assign_anchors(
    boxes: Float[Tensor, "batch people 3"],
    people: Bool[Tensor, "batch people"],
    ignored: Float[Tensor, "batch others 4"],
) -> AnchorTargets:
    """Match anchors and people.

    Args:
        boxes: centre and side, 0..1 of the picture.
        people: which rows are people.
        ignored: xyxy; anchors in there that could answer are never negative.
    """
    device = boxes.device
    centers = torch.tensor(anchor_centers(), dtype=torch.float32, device=device)
    answering = torch.tensor(candidate_anchors(), device=device)
    counts = [count * side**2 for count, side in zip(ANCHORS_PER_CELL, FEATURE_MAP_SIZES, strict=True)]
    cell = torch.tensor(
        np.repeat(1 / np.array(FEATURE_MAP_SIZES), counts), dtype=torch.float32, device=device
    )
    distance = (centers - boxes[..., None, :2]).abs().amax(dim=-1) / cell
    distance = torch.where(people[..., None], distance, math.inf)
    nearest, person = distance.min(dim=1)
    x, y = centers.T
    left, top, right, bottom = ignored[..., None].unbind(dim=2)
    elsewhere = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    placed = answering & (nearest <= _FAR)
    return AnchorTargets(
        positive=answering & (nearest <= _NEAR),
        negative=~answering | ~(placed | elsewhere.any(dim=1)),
        placed=placed,
        person=person,
    )


def encode_boxes(
    boxes: Float[Tensor, "batch people 3"],
    points: Float[Tensor, "batch people 4 2"],
    person: Tensor,
) -> Float[Tensor, "batch anchors 12"]:
    """What each anchor has to say of its person, in 0..1 of the picture relative to the anchor's centre.

    Args:
        boxes: centre and side.
        points: alignment points.
        person: (batch, anchors) row of each anchor's person.
    """
    centers = torch.tensor(anchor_centers(), dtype=torch.float32, device=boxes.device)
    rows = person[..., None]
    box = boxes.gather(1, rows.expand(-1, -1, 3))
    own = points.flatten(2).gather(1, rows.expand(-1, -1, NUM_COORDINATES - 4))
    relative = own - centers.repeat(1, own.shape[2] // 2)
    return torch.cat([box[..., :2] - centers, box[..., 2:].expand(-1, -1, 2), relative], dim=2)
