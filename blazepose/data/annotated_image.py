"""Whole pictures and everybody in them, as the detector learns them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blazepose.data.annotation import Annotation, Source
from blazepose.data.person_box import PersonBox, person_box, surrounding_box

SMALLEST = 0.03
"""Side of a person's box, in sides of what the detector sees, below which nobody can be asked to see it:
neither right nor wrong. Chosen: 7 of 224 pixels."""


@dataclass(frozen=True)
class AnnotatedImage:
    """A picture and everybody in it.

    Attributes:
        image: its file.
        size: width and height the labels were made at, if that is known.
        people: with labels for the detector.
        annotations: theirs, in the same order.
        others: (boxes, 4) xyxy around those without, pixels.
    """

    image: Path
    size: tuple[int, int] | None
    people: list[PersonBox]
    annotations: list[Annotation]
    others: np.ndarray


def group_by_image(sources: Iterable[Source], option: str) -> list[AnnotatedImage]:
    """The pictures of some sources in which at least one person has labels for the detector.

    Args:
        sources: what the readers returned.
        option: what they were named with, for the message.

    Raises:
        ValueError: if there is no such picture, or if a source leaves out whom its pictures show.
    """
    found: list[AnnotatedImage] = []
    for source in sources:
        if not source.everybody:
            raise ValueError(
                f"{option}: {source.name} does not annotate everybody in its pictures, so that a detector "
                "that finds the others would seem wrong; take another source"
            )
        by_image: dict[Path, list[Annotation]] = {}
        for annotation in source.annotations:
            by_image.setdefault(annotation.image, []).append(annotation)
        for image, annotations in by_image.items():
            boxes = [person_box(annotation) for annotation in annotations]
            pairs = list(zip(annotations, boxes, strict=True))
            others = [surrounding_box(annotation) for annotation, box in pairs if box is None]
            others += list(source.others.get(image, []))
            if people := [box for box in boxes if box]:
                known = [annotation for annotation, box in pairs if box]
                rest = np.array(others).reshape(-1, 4)
                found.append(AnnotatedImage(image, annotations[0].image_size, people, known, rest))
    if not found:
        raise ValueError(f"{option}: nobody has hips, shoulders and head labelled, which the detector needs")
    return found
