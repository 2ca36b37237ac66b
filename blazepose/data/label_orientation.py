"""Move labels that count in stored pixels to the upright picture, which is what networks see.

Cameras store what their sensor sees, and EXIF says how to turn it. Some tools label the stored pixels, others
the picture as it is shown.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blazepose.data.annotation import Annotation, Source
from blazepose.image_header import stored_orientation, stored_size
from blazepose.orientation import MATRICES, UPRIGHT, points_upright, size_upright

STORED, SHOWN = PIXELS = ("stored", "upright")
"""Pixels that labels count in: as the file stores them, or as EXIF wants them shown."""

_OUTSIDE_PX = 2.0
"""By which a point may lie outside its picture and still count as inside. Chosen: more than rounding."""


@dataclass(frozen=True)
class _Picture:
    """A picture that is not stored upright.

    Attributes:
        orientation: EXIF's number.
        stored: width and height of its pixels.
        people: in it.
    """

    orientation: int
    stored: tuple[int, int]
    people: list[Annotation]

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as it is shown."""
        return size_upright(self.stored, self.orientation)

    def fits(self, size: tuple[int, int]) -> bool:
        """Compare the width and height that come with the labels with those of one of the two alone."""
        return self.stored != self.upright and self.people[0].image_size == size

    def pixels_by_points(self) -> str | None:
        """Decide by points that lie outside one of the two pictures."""
        points_px = np.concatenate([person.keypoints_px for person in self.people])
        last = np.array([self.stored, self.upright])[:, None] - 1
        outside = (points_px < -_OUTSIDE_PX) | (points_px > last + _OUTSIDE_PX)
        stored, shown = outside.any(axis=2).sum(axis=1)
        return None if stored == shown else STORED if stored < shown else SHOWN


def turn_labels(source: Source, pixels: str | None) -> Source:
    """Move labels made on stored pixels to the upright picture.

    In this order decide: the user; a width and height that fit the upright picture alone; points outside one
    of the two pictures; what decided for most other pictures of the source; a width and height that fit the
    stored picture alone, which Label Studio writes beside upright labels, too. Otherwise labels are taken for
    upright ones, as those of browsers, CVAT and OpenCV are.

    Args:
        source: whose points are possible.
        pixels: STORED or SHOWN where the user says so.

    Raises:
        ValueError: if the user says what a width and height contradict.
    """
    pictures = _turned_pictures(source.annotations)
    if not pictures:
        return source
    decided: dict[Path, str | None] = {}
    for path, picture in pictures.items():
        if picture.fits(picture.upright) and pixels == STORED:
            raise ValueError(
                f"{source.name}: the labels of {path} are for {picture.upright[0]}x{picture.upright[1]}, its "
                f"upright size by EXIF, so they do not count in stored pixels; leave :{STORED} away"
            )
        by_size = SHOWN if picture.fits(picture.upright) else None
        decided[path] = pixels or by_size or picture.pixels_by_points()
    votes = Counter(filter(None, decided.values())).most_common(1)
    others = votes[0][0] if votes else None
    chosen, assumed = {}, []
    for path, picture in pictures.items():
        by_size = STORED if picture.fits(picture.stored) else None
        chosen[path] = decided[path] or others or by_size or SHOWN
        if not decided[path] and by_size != chosen[path]:
            assumed.append(path)
    return replace(
        source,
        annotations=[
            _turn(person, pictures[person.image], chosen[person.image])
            if person.image in pictures
            else person
            for person in source.annotations
        ],
        ignored_boxes={
            path: _turn_boxes(boxes, pictures[path]) if chosen.get(path) == STORED else boxes
            for path, boxes in source.ignored_boxes.items()
        },
        notes=[*source.notes, *_notes(source.name, assumed, chosen)],
    )


def _turned_pictures(people: list[Annotation]) -> dict[Path, _Picture]:
    by_image: dict[Path, list[Annotation]] = {}
    for person in people:
        by_image.setdefault(person.image, []).append(person)
    orientations = {path: stored_orientation(path) for path in by_image}
    sizes = {path: stored_size(path) for path, orientation in orientations.items() if orientation != UPRIGHT}
    return {path: _Picture(orientations[path], size, by_image[path]) for path, size in sizes.items() if size}


def _notes(name: str, assumed: list[Path], chosen: dict[Path, str]) -> list[str]:
    if not assumed:
        return []
    kinds = " and ".join(sorted({chosen[path] for path in assumed}))
    return [
        f"{len(assumed)} pictures of {name} have an EXIF orientation, first {assumed[0].name}, and neither "
        f"size nor points tell whether labels count in stored or in upright pixels: {kinds} is assumed; "
        f"append :{STORED} or :{SHOWN} to the name of the source if you know it"
    ]


def _turn(person: Annotation, picture: _Picture, pixels: str) -> Annotation:
    if person.image_size in (picture.stored, picture.upright):
        person = replace(person, image_size=picture.upright)
    if pixels == SHOWN:
        return person

    def turn(points_px: np.ndarray) -> np.ndarray:
        return points_upright(points_px, picture.stored, picture.orientation).astype(np.float32)

    world = person.landmarks_world
    if world is not None:
        world = np.concatenate([world[:, :2] @ MATRICES[picture.orientation].T, world[:, 2:]], axis=1)
    box, head = person.box_xyxy, person.head_top_px
    return replace(
        person,
        landmarks_px=turn(person.landmarks_px),
        extra_px=turn(person.extra_px),
        box_xyxy=None if box is None else _turn_boxes(box[None], picture)[0],
        head_top_px=None if head is None else turn(head),
        landmarks_world=world,
    )


def _turn_boxes(boxes_xyxy: np.ndarray, picture: _Picture) -> np.ndarray:
    corners = points_upright(boxes_xyxy.reshape(-1, 2, 2), picture.stored, picture.orientation)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
