"""Whole images with all their people, the samples of the detector."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blazepose.anchors import ALIGNMENT_POINTS
from blazepose.data.annotation import Annotation, Source
from blazepose.data.person_box import PersonBox, person_box, surrounding_box
from blazepose.exceptions import InputError

MIN_BOX_SIDE = 0.03
"""Side of a person's box, relative to the detector's input, below which the person is ignored. Chosen: 7 of
224 pixels, 4 of 128."""


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and all people in it.

    Attributes:
        image: path of the image file.
        size: width and height the labels were made at, if the source has them.
        people: detector labels of the people who have them.
        annotations: annotations of the same people, in the same order.
        ignored_boxes: (boxes, 4) xyxy around all other people, pixels.
    """

    image: Path
    size: tuple[int, int] | None
    people: list[PersonBox]
    annotations: list[Annotation]
    ignored_boxes: np.ndarray


def labelled_points(images: Iterable[AnnotatedImage]) -> list[str]:
    """Return the names of the alignment points that are labelled for at least one person."""
    labelled = np.any([person.labelled for image in images for person in image.people], axis=0)
    return [name for name, is_labelled in zip(ALIGNMENT_POINTS, labelled, strict=True) if is_labelled]


def group_by_image(sources: Iterable[Source], option: str) -> list[AnnotatedImage]:
    """Collect the images in which at least one person has labels for the detector.

    Args:
        sources: results of the readers.
        option: the option that names the sources, for messages.

    Raises:
        ValueError: if there is no such image, or if a source does not label every person in its images.
    """
    images: list[AnnotatedImage] = []
    for source in sources:
        if not source.fully_annotated:
            raise InputError(
                f"{option}: {source.name} does not label every person in its images, so it cannot train or "
                "test a detector; choose another source"
            )
        by_image: dict[Path, list[Annotation]] = {}
        for annotation in source.annotations:
            by_image.setdefault(annotation.image, []).append(annotation)
        for image, annotations in by_image.items():
            boxes = [person_box(annotation) for annotation in annotations]
            pairs = list(zip(annotations, boxes, strict=True))
            ignored = [surrounding_box(annotation) for annotation, box in pairs if box is None]
            ignored += list(source.ignored_boxes.get(image, []))
            if people := [box for box in boxes if box]:
                labelled = [annotation for annotation, box in pairs if box]
                ignored_boxes = np.array(ignored).reshape(-1, 4)
                size = annotations[0].image_size
                images.append(AnnotatedImage(image, size, people, labelled, ignored_boxes))
    if not images:
        raise InputError(f"{option}: no person has hips, shoulders and head labelled, as the detector needs")
    return images
