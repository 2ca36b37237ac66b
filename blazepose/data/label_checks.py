"""Remove impossible labels: points in the corner or far away, repeated places, people labelled twice.

Only certain errors are removed. Such a point counts as unlabelled, and the rest of its person is used. Labels
that are not in pixels are refused.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.exceptions import InputError
from blazepose.image_header import stored_size

_CORNERS = ((0.0, 0.0), (1.0, 1.0))
"""The first pixel, counted from 0 and from 1: tools write it for points without coordinates."""

_FAR = 6.0
"""Distance of a point from the middle of the body, over that of the next nearer point, from which it is far
away, if hips and shoulders are labelled: a wrist is far from a face alone. Source: at most 3.3 in 4,349
people of lspet_train, and 2.3 in the 70 of coco_mini, wholebody_sample and mpii_sample that have them."""

_ROUNDING_PX = 1.0
"""Added to that next distance: many labels are whole pixels."""

_MAX_FAR_SHARE = 0.25
"""Largest share of a person's points that may be far away. Chosen: with more, the body is uncertain."""

_MIN_REPEATS, _MIN_REPEAT_SHARE = 5, 0.05
"""Number of images, and share of all images, with the same place from which it counts as repeated. Chosen:
far above chance."""

_MAX_UNIT, _MAX_PERCENT = 2.0, 105.0
"""Largest coordinates of labels in 0..1 and in percent, which may lie a little outside the image."""

_LARGE_PX, _VERY_LARGE_PX, _SEVERAL = 200, 500, 3
"""Shorter sides of images whose people cannot all lie in the first 100 pixels: of several images, of any."""

_CHUNK = 10_000

_TWICE = "labelled twice"


def in_corner(points_px: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Mark points that lie exactly on the first pixel, counted from 0 or from 1."""
    x, y = points_px[..., 0], points_px[..., 1]
    return labelled & np.logical_or.reduce([(x == column) & (y == row) for column, row in _CORNERS])


def far_away(points_px: np.ndarray, labelled: np.ndarray, torso: Sequence[int]) -> np.ndarray:
    """Mark points that are many body lengths away from the rest of their person.

    Args:
        points_px: (people, points, 2), the landmarks first.
        labelled: (people, points) bool.
        torso: indices of shoulders and hips; without these labels, nothing is marked.
    """
    offsets = points_px - _middles(points_px, labelled)[:, None]
    distance = np.where(labelled, np.hypot(offsets[..., 0], offsets[..., 1]), np.inf)
    ordered = np.sort(distance, axis=1)
    count, place = labelled.sum(axis=1, keepdims=True), np.arange(1, labelled.shape[1])
    gap = ordered[:, 1:] > _FAR * (ordered[:, :-1] + _ROUNDING_PX)
    gap &= labelled[:, list(torso)].all(axis=1, keepdims=True) & bool(torso)
    gap &= (place >= (1 - _MAX_FAR_SHARE) * count) & (place < count)
    last_near = np.where(gap.any(axis=1), ordered[np.arange(len(gap)), gap.argmax(axis=1)], np.inf)
    return labelled & (distance > last_near[:, None])


def at_repeated_place(points_px: np.ndarray, labelled: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Mark points at exactly the same place in many images whose people are at different places.

    A standing foot before a still camera repeats its place rightly, and so does its person.

    Args:
        points_px: (people, points, 2).
        labelled: (people, points) bool.
        images: (people,) index of each person's image.

    Returns:
        (people, points) bool.
    """
    marks = np.zeros(labelled.shape, bool)
    keys = np.ascontiguousarray(points_px[labelled], np.float32).view(np.uint64).ravel()  # x and y as one
    places, counts = np.unique(keys, return_counts=True)
    min_images = max(_MIN_REPEATS, _MIN_REPEAT_SHARE * len(np.unique(images)))
    people, points = np.nonzero(labelled)
    for place in places[counts >= min_images]:
        here = np.flatnonzero(keys == place)
        rows = np.unique(people[here])
        if len(np.unique(images[rows])) < min_images:
            continue
        middles = _middles(points_px[rows], labelled[rows])
        reach = np.ptp(np.where(labelled[rows, :, None], points_px[rows], middles[:, None]), axis=1)
        if np.hypot(*np.ptp(middles, axis=0)) > np.median(np.hypot(*reach.T)):
            marks[people[here], points[here]] = True
    return marks


def _middles(points_px: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Compute the median place of each person's labelled points: (people, 2), infinite without any."""
    ordered = np.sort(np.where(labelled[..., None], points_px, np.inf), axis=1)
    return ordered[np.arange(len(ordered)), np.maximum(labelled.sum(axis=1) - 1, 0) // 2]


def wrong_unit(points_px: np.ndarray, sides_px: Sequence[int] = ()) -> str | None:
    """Detect points that are not in pixels.

    Args:
        points_px: (points, 2), all points of a source or a person.
        sides_px: shorter sides of a few of the images.

    Returns:
        The unit of the points, or None for pixels.
    """
    if len(points_px) < 2 or points_px.max() > _MAX_PERCENT:  # pixels: the minimum is not needed
        return None
    largest = max(points_px.max(), -points_px.min())
    if largest <= _MAX_UNIT:
        return "from 0 to 1"
    min_side = _LARGE_PX if len(sides_px) >= _SEVERAL else _VERY_LARGE_PX
    return "in percent" if largest <= _MAX_PERCENT and min(sides_px, default=0) >= min_side else None


def check_labels(source: Source) -> Source:
    """Remove impossible points, and people with no point left or labels not in pixels.

    Returns:
        The source, with a sentence in its notes for each kind of impossible points.

    Raises:
        ValueError: if no label of the source is in pixels, or if no person is left.
    """
    if not source.annotations:
        return source
    people, notes = _without_impossible(source)
    keypoints_px = [person.keypoints_px for person in people]
    images = list(dict.fromkeys(person.image for person in people))[:_SEVERAL]
    sides_px = [min(size) for size in map(stored_size, images) if size]
    if unit := wrong_unit(np.concatenate(keypoints_px), sides_px):
        raise InputError(
            f"{source.name}: the labels are {unit}, not in pixels; multiply x by the width and y by the "
            f"height of each image{' and divide by 100' * (unit == 'in percent')}"
        )
    reasons = list(_reasons(people, keypoints_px))
    ignored = {image: list(boxes) for image, boxes in source.ignored_boxes.items()}
    for person, reason in zip(people, reasons, strict=True):
        if reason not in (None, _TWICE) and person.box_xyxy is not None:  # not background
            ignored.setdefault(person.image, []).append(person.box_xyxy)
    if twins := [person for person, reason in zip(people, reasons, strict=True) if reason == _TWICE]:
        notes.append(
            f"{len(twins)} people of {source.name} have exactly the keypoints of another in their image, "
            f"first person {twins[0].person} in {twins[0].image.name}: they are left out"
        )
    people = [person for person, reason in zip(people, reasons, strict=True) if not reason]
    if not people:
        raise InputError(f"{source.name} has no valid labels: {'; '.join(notes)}")
    return replace(
        source,
        annotations=people,
        left_out=dict(Counter(source.left_out) + Counter(filter(None, reasons))),
        ignored_boxes={image: np.stack(boxes) for image, boxes in ignored.items()},
        notes=[*source.notes, *notes],
    )


def _reasons(people: list[Annotation], keypoints_px: list[np.ndarray]) -> Iterator[str | None]:
    """Yield the reason to leave each person out, or None."""
    previous: set[object] = set()
    for person, points_px in zip(people, keypoints_px, strict=True):
        key = person.image, person.labelled.tobytes(), points_px.tobytes()
        if not len(points_px):
            yield "no possible keypoints"
        elif wrong_unit(points_px):
            yield "keypoints from 0 to 1, not in pixels"
        else:
            yield _TWICE if key in previous else None
            previous.add(key)


_Marked = list[tuple[int, np.ndarray]]
"""Rows of people, and masks of their impossible points."""


def _without_impossible(source: Source) -> tuple[list[Annotation], list[str]]:
    people = list(source.annotations)
    corner, far = _personal_marks(people)
    notes = [
        *_describe(people, corner, source.name, "at (0, 0) or (1, 1), where no body is"),
        *_describe(people, far, source.name, "many body lengths away from the rest of their person"),
    ]
    _remove(people, corner, far)
    repeated = _repeated_marks(people)
    shared = "at one place in many images although the people are at different places"
    notes += _describe(people, repeated, source.name, shared)
    _remove(people, repeated)
    return people, notes


def _personal_marks(people: list[Annotation]) -> tuple[_Marked, _Marked]:
    """Apply the rules for a single person to landmarks and extra points."""
    corner: _Marked = []
    far: _Marked = []
    for start in range(0, len(people), _CHUNK):
        chunk = people[start : start + _CHUNK]
        points_px, labelled = stacked(chunk)
        marks = in_corner(points_px, labelled)
        corner += _rows(marks, start)
        far += _rows(far_away(points_px, labelled & ~marks, chunk[0].topology.torso), start)
    return corner, far


def _repeated_marks(people: list[Annotation]) -> _Marked:
    """Apply the rule for repeated places to landmarks."""
    numbers = {image: k for k, image in enumerate(dict.fromkeys(person.image for person in people))}
    images = np.array([numbers[person.image] for person in people])
    points_px = np.stack([person.landmarks_px for person in people])
    labelled = np.stack([person.labelled for person in people])
    return _rows(at_repeated_place(points_px, labelled, images), 0)


def stacked(people: list[Annotation]) -> tuple[np.ndarray, np.ndarray]:
    """Stack landmarks and extra points: (people, points, 2), and their labelled mask (people, points)."""
    num_extra = max(len(person.extra_px) for person in people)
    extra_px = np.zeros((len(people), num_extra, 2), np.float32)
    labelled = np.zeros((len(people), num_extra), bool)
    for row, person in enumerate(people if num_extra else ()):
        extra_px[row, : len(person.extra_px)], labelled[row, : len(person.extra_px)] = person.extra_px, True
    return (
        np.concatenate([np.stack([person.landmarks_px for person in people]), extra_px], axis=1),
        np.concatenate([np.stack([person.labelled for person in people]), labelled], axis=1),
    )


def _rows(marks: np.ndarray, start: int) -> _Marked:
    return [(start + row, marks[row]) for row in np.flatnonzero(marks.any(axis=1)).tolist()]


def _describe(people: list[Annotation], marked: _Marked, source: str, kind: str) -> list[str]:
    if not marked:
        return []
    count, first = sum(int(marks.sum()) for _, marks in marked), _name(people[marked[0][0]], marked[0][1])
    return [
        f"{count} points of {len(marked)} people of {source} are labelled {kind}, first {first}: they count "
        "as unlabelled"
    ]


def _remove(people: list[Annotation], *marked: _Marked) -> None:
    """Remove marked points from people, in place."""
    combined: dict[int, np.ndarray] = {}
    for row, marks in itertools.chain(*marked):
        combined[row] = combined.get(row, False) | marks
    for row, marks in combined.items():
        people[row] = _without(people[row], marks)


def _name(person: Annotation, marks: np.ndarray) -> str:
    point = int(marks.argmax())
    names = person.topology.landmarks
    name = names[point] if point < len(names) else f"a point besides the {len(names)}"
    return f"{name} of person {person.person} in {person.image.name}"


def _without(person: Annotation, marks: np.ndarray) -> Annotation:
    """Return the person without marked landmarks and extra points, and without boxes around them."""
    count = len(person.landmarks_px)
    landmarks, extra = marks[:count], marks[count : count + len(person.extra_px)]
    removed = np.concatenate([person.landmarks_px[landmarks], person.extra_px[: len(extra)][extra]])
    head, box = person.head_top_px, person.box_xyxy
    if box is not None and ((removed >= box[:2] - 1) & (removed <= box[2:] + 1)).all(axis=1).any():
        # The box, and an area computed from it, reach to the removed point.
        person = replace(person, box_xyxy=None, area_px=None)
    return replace(
        person,
        labelled=person.labelled & ~landmarks,
        visibility=np.where(landmarks, np.int8(UNKNOWN), person.visibility),
        extra_px=person.extra_px[~extra] if len(extra) else person.extra_px,
        head_top_px=None if head is not None and (removed == head).all(axis=1).any() else head,
    )
