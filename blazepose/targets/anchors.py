"""Which anchors have to see which person.

The sizes that Google's anchors were laid out with decide, as in SSD. Of its detector, one anchor a cell of
the fine level and one of the middle level answer to the box of one size that it says: those of the first two
sizes that are not smaller. Source: mediapipe.md section 1; Liu et al., SSD, 2016.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.anchors import ANCHORS_A_CELL, NUM_COORDINATES, SIDES, anchor_centers

_SMALLEST, _LARGEST, _LAYERS = 0.1484375, 0.75, 5
"""Sizes of the first and the last layer of anchors, and how many there are. Source: mediapipe.md section
1."""

_SIZES_A_BOX = 2
"""Anchors of so many sizes answer to a box. Source: Google's detector, measured on 200 people of
lspet_val."""

_NEAR, _FAR = 0.75, 1.5
"""Cells between box and anchor, the larger of x and y, up to which the anchor has to see the person, and up
to which it may. Source: 0.8 and 1.2 cells of Google's detector, nine tenths of its anchors that do."""


class AnchorTargets(NamedTuple):
    """What the anchors of a batch should say.

    Attributes:
        positive: (batch, 2254) bool, sees a person.
        negative: (batch, 2254) bool, sees nobody; neither is where both are right.
        person: (batch, 2254) int64, row of the person whom a positive anchor sees.
    """

    positive: Bool[Tensor, "batch anchors"]
    negative: Bool[Tensor, "batch anchors"]
    person: Tensor


@cache
def anchor_sizes() -> np.ndarray:
    """Side each anchor was laid out for, in 0..1 of the picture, (2254,); two of each layer, as SSD has them.

    MediaPipe decodes as if all were 1 (fixed_anchor_size), so these say only who answers to what.
    """
    layers = np.linspace(_SMALLEST, _LARGEST, _LAYERS)
    pairs = np.sqrt(layers * np.append(layers[1:], 1.0))
    slots = np.stack([layers, pairs], axis=1).ravel()
    counts = np.cumsum([0, *ANCHORS_A_CELL])
    sizes = [
        np.tile(slots[start:end], side * side)
        for side, start, end in zip(SIDES, counts[:-1], counts[1:], strict=True)
    ]
    return np.concatenate(sizes)


def assign_anchors(
    boxes: Float[Tensor, "batch people 3"],
    people: Bool[Tensor, "batch people"],
    ignored: Float[Tensor, "batch others 4"],
) -> AnchorTargets:
    """Match anchors and people.

    Args:
        boxes: centre and side, 0..1 of the picture.
        people: which rows are people.
        ignored: xyxy; anchors in there are never negative.
    """
    device = boxes.device
    centers = torch.tensor(anchor_centers(), dtype=torch.float32, device=device)
    sizes = torch.tensor(anchor_sizes(), dtype=torch.float32, device=device)
    counts = [count * side**2 for count, side in zip(ANCHORS_A_CELL, SIDES, strict=True)]
    cell = torch.tensor(np.repeat(1 / np.array(SIDES), counts), dtype=torch.float32, device=device)
    distance = (centers - boxes[..., None, :2]).abs().amax(dim=-1) / cell
    answers = _answers(boxes[..., 2], sizes)
    near = answers & (distance <= _NEAR) & people[..., None]
    far = (distance <= _FAR) & people[..., None]
    x, y = centers.T
    left, top, right, bottom = ignored[..., None].unbind(dim=2)
    elsewhere = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    positive = near.any(dim=1)
    return AnchorTargets(
        positive=positive,
        negative=~(positive | far.any(dim=1) | elsewhere.any(dim=1)),
        person=torch.where(near, distance, math.inf).argmin(dim=1),
    )


def _answers(sides: Float[Tensor, "batch people"], sizes: Float[Tensor, " anchors"]) -> Tensor:
    """Anchors of the first sizes that are not smaller than a box: bool (batch, people, anchors)."""
    known = sizes.unique()
    first = torch.searchsorted(known, sides.contiguous()).clamp(max=len(known) - _SIZES_A_BOX)
    chosen = known[first[..., None] + torch.arange(_SIZES_A_BOX, device=sides.device)]
    return (sizes[None, None, :, None] == chosen[:, :, None]).any(dim=3)


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
