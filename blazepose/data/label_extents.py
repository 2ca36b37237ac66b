"""Compare people's boxes, areas and images with the extent of their keypoints.

Boxes and areas that do not fit their person are not used: a wrong area makes OKS 0 or 100 %.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from blazepose.anchors import box_iou
from blazepose.data.annotation import Annotation, Source
from blazepose.data.label_checks import stacked
from blazepose.image_header import stored_orientation, stored_size
from blazepose.orientation import size_upright

_EMPTY, _CORNERS, _AREA = KINDS = (
    "a box that contains none of their keypoints",
    "a box of x1, y1, x2, y2 instead of x, y, width, height",
    "an area that cannot be their own",
)

_MIN_POINTS = 4
"""Fewest labelled points whose extent is that of the person. Chosen."""

_MIN_AREA = 0.005
"""Smallest area, as a share of the box or of the square over the keypoints' diagonal. Source: at least 0.16
and 0.07 in coco_mini and wholebody_sample."""

_MAX_AREA = 1.1
"""Largest area, as a share of the box, which contains the segment."""

_MIN_IOU, _MIN_IOU_RATIO = 0.5, 2.0
"""IoU with the keypoints' box from which corners fit, and the factor by which they must fit better. Chosen:
hips and shoulders in the corner of a box more than twice as large are no whole person."""

_OUTSIDE_PX, _MAX_OUTSIDE_SHARE, _MAX_IMAGES = 2.0, 0.05, 1000
"""Distance from which a point counts as outside, share of outside points that is reported, and number of
images in which they are counted. Chosen."""

_CHUNK = 10_000


def check_boxes(source: Source) -> Source:
    """Remove boxes and areas that do not fit their person, and count each kind in the notes."""
    people = list(source.annotations)
    tested = [
        k for k, person in enumerate(people) if person.box_xyxy is not None or person.area_px is not None
    ]
    chunks = [tested[start : start + _CHUNK] for start in range(0, len(tested), _CHUNK)]
    marks = [_marks([people[row] for row in chunk]) for chunk in chunks]
    notes = list(source.notes)
    for kind in KINDS:
        marked = np.concatenate([chunk[kind] for chunk in marks]) if marks else np.zeros(0, bool)
        rows = [tested[k] for k in np.flatnonzero(marked)]
        if not rows:
            continue
        first = people[rows[0]]
        removed = "their areas are" if kind == _AREA else "their boxes and areas are"
        notes.append(
            f"{len(rows)} people of {source.name} have {kind}, first person {first.person} in "
            f"{first.image.name}: {removed} not used"
        )
        for row in rows:
            box = people[row].box_xyxy if kind == _AREA else None
            people[row] = replace(people[row], area_px=None, box_xyxy=box)
    return replace(source, annotations=people, notes=notes)


def _marks(people: list[Annotation]) -> Mapping[str, np.ndarray]:
    """Mark the people of each kind, (people,) bool."""
    points_px, labelled = stacked(people)
    no_box = np.full(4, np.nan)
    boxes = np.stack([no_box if person.box_xyxy is None else person.box_xyxy for person in people])
    areas = np.array([person.area_px or np.nan for person in people], np.float64)
    enough = labelled.sum(axis=1) >= _MIN_POINTS
    low = np.where(labelled[..., None], points_px, np.inf).min(axis=1)
    high = np.where(labelled[..., None], points_px, -np.inf).max(axis=1)
    inside = (points_px >= boxes[:, None, :2] - 1) & (points_px <= boxes[:, None, 2:] + 1)
    empty = enough & ~np.isnan(boxes[:, 0]) & ~(inside.all(axis=2) & labelled).any(axis=1)
    around = np.concatenate([low, high], axis=1)
    torso = list(people[0].topology.torso)
    has_torso = np.logical_and(labelled[:, torso].all(axis=1), bool(torso))
    corners = ~empty & _are_corners(boxes, around, has_torso)
    box_areas = np.where(empty | corners, np.nan, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    squares = np.where(enough, ((high - low) ** 2).sum(axis=1), np.nan)
    small = areas < _MIN_AREA * np.where(np.isnan(box_areas), squares, box_areas)
    wrong_area = ~empty & ~corners & (small | (areas > _MAX_AREA * box_areas))
    return {_EMPTY: empty, _CORNERS: corners, _AREA: wrong_area}


def _are_corners(boxes: np.ndarray, around: np.ndarray, has_torso: np.ndarray) -> np.ndarray:
    """Mark boxes whose width and height are the right and lower edge of the keypoints.

    If most are, all are marked: near the upper left corner of the image both readings fit.

    Args:
        boxes: (people, 4) xyxy, as read; NaN for people without one.
        around: (people, 4) xyxy, around the keypoints.
        has_torso: (people,) bool, hips and shoulders are labelled: only these people are tested.

    Returns:
        (people,) bool.
    """
    read_as_corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    tested = np.flatnonzero(has_torso & ~np.isnan(boxes[:, 0]))
    iou, iou_as_corners = (
        np.array([box_iou(candidates[None, row], around[None, row])[0, 0] for row in tested])
        for candidates in (boxes, read_as_corners)
    )
    fits = (iou_as_corners >= _MIN_IOU) & (iou_as_corners > _MIN_IOU_RATIO * iou)
    marks = np.zeros(len(boxes), bool)
    marks[tested[fits]] = True
    return ~np.isnan(boxes[:, 0]) if 2 * fits.sum() > len(tested) else marks


def note_outside(source: Source) -> Source:
    """Count points outside their images in the notes, if there are many; they may be right."""
    by_image: dict[Path, list[Annotation]] = {}
    for person in source.annotations:
        by_image.setdefault(person.image, []).append(person)
    count, outside, first = 0, 0, None
    for people in islice(by_image.values(), _MAX_IMAGES):
        size = people[0].image_size or _size_upright(people[0].image)
        last = np.array(size or (np.inf, np.inf)) - 1 + _OUTSIDE_PX
        for person in people:
            points_px = person.keypoints_px
            num_outside = int(((points_px < -_OUTSIDE_PX) | (points_px > last)).any(axis=1).sum())
            count, outside = count + len(points_px), outside + num_outside
            first = first or (person if num_outside else None)
    if first is None or outside <= _MAX_OUTSIDE_SHARE * count:
        return source
    note = (
        f"{outside} of {count} labelled points of {source.name} lie outside their images, first of person "
        f"{first.person} in {first.image.name}: they are used as they are; if the images were scaled or "
        "cropped after labelling, put the originals back"
    )
    return replace(source, notes=[*source.notes, note])


def _size_upright(image: Path) -> tuple[int, int] | None:
    size = stored_size(image)
    return size and size_upright(size, stored_orientation(image))
