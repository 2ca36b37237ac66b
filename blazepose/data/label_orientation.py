"""Convert labels in stored pixels to the upright image, the input of the networks.

Cameras store images as their sensor reads them, with the orientation in EXIF. Some tools label the stored
pixels, others the image as displayed.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blazepose.data.annotation import Annotation, Source
from blazepose.exceptions import InputError
from blazepose.image_header import stored_orientation, stored_size
from blazepose.orientation import MATRICES, UPRIGHT, points_upright, size_upright

STORED, DISPLAYED = PIXELS = ("stored", "upright")
"""Orientation of the pixels that labels count in: as stored in the file, or as displayed by EXIF."""

_OUTSIDE_PX = 2.0
"""Distance up to which a point outside its image still counts as inside. Chosen: more than rounding."""


@dataclass(frozen=True)
class _TurnedImage:
    """An image that is not stored upright.

    Attributes:
        orientation: EXIF orientation.
        stored: width and height of its pixels.
        people: annotations of the people in it.
    """

    orientation: int
    stored: tuple[int, int]
    people: list[Annotation]

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as displayed."""
        return size_upright(self.stored, self.orientation)

    def fits(self, size: tuple[int, int]) -> bool:
        """Return whether this is the size the labels were made at, and stored and upright sizes differ."""
        return self.stored != self.upright and self.people[0].image_size == size

    def pixels_by_points(self) -> str | None:
        """Return the orientation with fewer points outside the image; None if they are equal."""
        points_px = np.concatenate([person.keypoints_px for person in self.people])
        last = np.array([self.stored, self.upright])[:, None] - 1
        outside = (points_px < -_OUTSIDE_PX) | (points_px > last + _OUTSIDE_PX)
        stored, displayed = outside.any(axis=2).sum(axis=1)
        return None if stored == displayed else STORED if stored < displayed else DISPLAYED


def turn_labels(source: Source, pixels: str | None) -> Source:
    """Convert labels made on stored pixels to the upright image.

    These decide, in order: the user; a width and height that fit the upright image alone; points outside one
    of the two images; the result for most other images of the source; a width and height that fit the stored
    image alone, which Label Studio writes beside upright labels, too. Otherwise labels are assumed upright,
    as those of browsers, CVAT and OpenCV are.

    Args:
        source: the source, without impossible points.
        pixels: STORED or DISPLAYED if the user has set it.

    Raises:
        ValueError: if a width and height contradict the user's setting.
    """
    images = _turned_images(source.annotations)
    if not images:
        return source
    decided: dict[Path, str | None] = {}
    for path, image in images.items():
        if image.fits(image.upright) and pixels == STORED:
            raise InputError(
                f"{source.name}: the labels of {path} are for {image.upright[0]}x{image.upright[1]}, its "
                f"upright size by EXIF, so they do not count in stored pixels; omit :{STORED}"
            )
        by_size = DISPLAYED if image.fits(image.upright) else None
        decided[path] = pixels or by_size or image.pixels_by_points()
    votes = Counter(filter(None, decided.values())).most_common(1)
    majority = votes[0][0] if votes else None
    chosen, assumed = {}, []
    for path, image in images.items():
        by_size = STORED if image.fits(image.stored) else None
        chosen[path] = decided[path] or majority or by_size or DISPLAYED
        if not decided[path] and by_size != chosen[path]:
            assumed.append(path)
    return replace(
        source,
        annotations=[
            _turn(person, images[person.image], chosen[person.image]) if person.image in images else person
            for person in source.annotations
        ],
        ignored_boxes={
            path: _turn_boxes(boxes, images[path]) if chosen.get(path) == STORED else boxes
            for path, boxes in source.ignored_boxes.items()
        },
        notes=[*source.notes, *_notes(source.name, assumed, chosen)],
    )


def _turned_images(people: list[Annotation]) -> dict[Path, _TurnedImage]:
    by_image: dict[Path, list[Annotation]] = {}
    for person in people:
        by_image.setdefault(person.image, []).append(person)
    orientations = {path: stored_orientation(path) for path in by_image}
    sizes = {path: stored_size(path) for path, orientation in orientations.items() if orientation != UPRIGHT}
    return {
        path: _TurnedImage(orientations[path], size, by_image[path]) for path, size in sizes.items() if size
    }


def _notes(name: str, assumed: list[Path], chosen: dict[Path, str]) -> list[str]:
    if not assumed:
        return []
    kinds = " and ".join(sorted({chosen[path] for path in assumed}))
    return [
        f"{len(assumed)} images of {name} have an EXIF orientation, first {assumed[0].name}, and neither "
        f"size nor points show whether labels count in stored or in upright pixels: {kinds} is assumed; "
        f"if you know it, append :{STORED} or :{DISPLAYED} to the name of the source"
    ]


def _turn(person: Annotation, image: _TurnedImage, pixels: str) -> Annotation:
    if person.image_size in (image.stored, image.upright):
        person = replace(person, image_size=image.upright)
    if pixels == DISPLAYED:
        return person

    def turn(points_px: np.ndarray) -> np.ndarray:
        return points_upright(points_px, image.stored, image.orientation).astype(np.float32)

    world = person.landmarks_world
    if world is not None:
        world = np.concatenate([world[:, :2] @ MATRICES[image.orientation].T, world[:, 2:]], axis=1)
    box, head = person.box_xyxy, person.head_top_px
    return replace(
        person,
        landmarks_px=turn(person.landmarks_px),
        extra_px=turn(person.extra_px),
        box_xyxy=None if box is None else _turn_boxes(box[None], image)[0],
        head_top_px=None if head is None else turn(head),
        landmarks_world=world,
    )


def _turn_boxes(boxes_xyxy: np.ndarray, image: _TurnedImage) -> np.ndarray:
    corners = points_upright(boxes_xyxy.reshape(-1, 2, 2), image.stored, image.orientation)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
