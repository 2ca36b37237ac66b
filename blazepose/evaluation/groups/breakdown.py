"""Breakdown by difficulty: groups of people by rotation, size, truncation, occlusion and labels."""

from collections.abc import Mapping, Sequence

import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import HIDDEN, UNKNOWN, Annotation
from blazepose.evaluation.score import ScoredPeople
from blazepose.topology import HIPS, SHOULDERS

GROUPS: Mapping[str, tuple[str, ...]] = {
    "rotation": ("upright, under 30°", "leaning, 30 to 60°", "lying, 60 to 120°", "upside down, over 120°"),
    "torso": ("under 16 px", "16 to 32 px", "32 to 64 px", "64 to 128 px", "over 128 px"),
    "truncation": ("whole", "cut by the picture's edge"),
    "occlusion": ("none hidden", "under 25 % hidden", "25 to 50 % hidden", "over 50 % hidden"),
    "labelled_points": ("up to 8", "9 to 12", "13 to 17", "18 or more"),
}
"""Groups by difficulty, in order; `torso` is the torso size in the image, `occlusion` the share of hidden
points among those with labelled visibility."""

_STARTS: Mapping[str, tuple[float, ...]] = {
    "rotation": (30, 60, 120),
    "torso": (16, 32, 64, 128),
    "truncation": (1,),
    "occlusion": (np.finfo(float).tiny, 0.25, 0.5),
    "labelled_points": (9, 13, 18),
}
"""Lower bounds of the groups after the first. Chosen."""

_EDGE_PX = 2
"""Distance from the image edge below which a box counts as truncated. Chosen."""


def measure_difficulty(scored: ScoredPeople) -> dict[str, np.ndarray]:
    """Compute the values that define the groups, (people,) each, NaN without the labels.

    They are degrees from upright, pixels, 1 or 0, share of points, number of points.
    """
    points, labelled = scored.target_px, scored.labelled
    visibility = np.stack([person.visibility for person in scored.annotations])
    has_visibility = labelled & (visibility != UNKNOWN)
    num_hidden = (has_visibility & (visibility == HIDDEN)).sum(axis=1)
    num_labelled = has_visibility.sum(axis=1)
    return {
        "rotation": np.degrees(np.abs(_rotation_rad(scored))),
        "torso": scored.sizes,
        "truncation": _truncated(scored.annotations, points, labelled),
        "occlusion": np.where(num_labelled > 0, num_hidden / num_labelled.clip(min=1), np.nan),
        "labelled_points": labelled.sum(axis=1).astype(np.float64),
    }


def breakdown(scored: ScoredPeople) -> dict[str, dict[str, np.ndarray]]:
    """Group people by difficulty: {criterion: {group: rows}}, groups in order, without empty ones."""
    breakdowns = {}
    for name, values in measure_difficulty(scored).items():
        group = np.searchsorted(_STARTS[name], values, side="right")
        group[np.isnan(values)] = -1
        breakdowns[name] = {
            title: rows for k, title in enumerate(GROUPS[name]) if len(rows := np.flatnonzero(group == k))
        }
    return {name: groups for name, groups in breakdowns.items() if groups}


def _rotation_rad(scored: ScoredPeople) -> np.ndarray:
    """Return each person's clockwise angle from upright, (people,): by hips and shoulders, or the crop's."""
    shoulders, hips = scored.topology.indices(SHOULDERS), scored.topology.indices(HIPS)
    x, y = (_middle(scored.target_px[:, shoulders]) - _middle(scored.target_px[:, hips])).T
    angles = np.arctan2(x, -y)
    for row in np.flatnonzero(~scored.labelled[:, hips].all(axis=1)).tolist():
        angles[row] = aligned_roi(scored.annotations[row]).rotation_rad
    return angles


def _middle(sides: np.ndarray) -> np.ndarray:
    return (sides[:, 0] + sides[:, 1]) / 2


def _truncated(people: Sequence[Annotation], points: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Mark people truncated by the image edge, by labelled points or the box; NaN without an image size."""
    no_box = np.full(4, np.nan)
    sizes = np.array([person.image_size or (np.nan, np.nan) for person in people], np.float64)
    boxes = np.stack([no_box if person.box_xyxy is None else person.box_xyxy for person in people])
    outside = labelled & ((points < 0) | (points > sizes[:, None])).any(axis=2)
    at_edge = (boxes[:, :2] < _EDGE_PX).any(axis=1) | (boxes[:, 2:] > sizes - _EDGE_PX).any(axis=1)
    return np.where(np.isnan(sizes).any(axis=1), np.nan, outside.any(axis=1) | at_edge)
