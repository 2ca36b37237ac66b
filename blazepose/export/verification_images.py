"""Real pictures that an exported file is compared with torch on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.datamodule import find_image_files
from blazepose.data.filters import EVALUATION_FILTER, filter_annotations
from blazepose.data.readers import read_source
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.training.weights import PUBLISHED

T = TypeVar("T")

_CROPS = 32
"""Chosen: the worst of 39 points on half of that many is a fair estimate of the worst, in seconds."""


def verification_crops(about: Mapping[str, Any], size: int, pictures: Path | None) -> np.ndarray:
    """Crops of people, or whole pictures of a folder, uint8 (2 to 32, size, size, 3).

    Args:
        about: what the weights say of themselves.
        size: side of the crops.
        pictures: folder; None takes the people the weights were validated on, or else trained on.

    Raises:
        FileNotFoundError: if these are not on this machine; says what to give instead.
        ValueError: if there is only one.
    """
    if pictures is not None:
        paths = sample_evenly(find_image_files([str(pictures)], "--pictures"))
        return require_two([full_image_crop(path, size, cv2.BORDER_REPLICATE) for path in paths])
    people = sample_evenly(people_of_run(about))
    return require_two(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), size) for p in people]
    )


def people_of_run(about: Mapping[str, Any]) -> list[Annotation]:
    """The people that weights were validated on, or else trained on; raises as verification_crops."""
    data = about["data"]
    names = [source["name"] for source in data["val"] or data["train"]]
    if about.get("recipe") == PUBLISHED:
        raise FileNotFoundError(
            "the file is verified on real pictures, and published weights bring none: name a folder of "
            "pictures of people with --pictures"
        )
    try:
        annotations = [person for name in names for person in read_source(name).annotations]
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"the file is verified on real pictures, and those of the weights' own data are not here "
            f"({error}); name a folder of pictures of people with --pictures"
        ) from error
    return filter_annotations(annotations, EVALUATION_FILTER)[0]


def full_image_crop(path: Path, size: int, border: int) -> np.ndarray:
    """A picture in the middle of a square, uint8 (size, size, 3); around it what OpenCV's `border` says."""
    image = read_image(path)
    return crop_image(image, roi_to_image_matrix(letterbox_roi(*image.shape[1::-1])), size, border)


def sample_evenly(items: list[T]) -> list[T]:
    """At most 32 of them, from all over."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, _CROPS).astype(int))]


def require_two(crops: list[np.ndarray]) -> np.ndarray:
    """The crops as one array; a ValueError if that is one alone."""
    if len(crops) < 2:
        raise ValueError("one picture is too few to verify a file on; name more with --pictures")
    return np.stack(crops)
