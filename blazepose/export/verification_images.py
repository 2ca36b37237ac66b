"""Real images for the comparison of an exported file with torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.filters import EVALUATION_FILTER, filter_annotations
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import read_source
from blazepose.exceptions import InputError, MissingFileError
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.training.weights import PUBLISHED

T = TypeVar("T")

_MAX_IMAGES = 32
"""Chosen: half of them, with 39 points each, estimate the worst error well, within seconds."""


def verification_crops(metadata: Mapping[str, Any], size: int, images: Path | None) -> np.ndarray:
    """Read crops of people, or full images of a folder, uint8 (2 to 32, size, size, 3).

    Args:
        metadata: metadata of the weights.
        size: side of the crops.
        images: folder; None takes the people of the weights' validation data, or else training data.

    Raises:
        FileNotFoundError: if the data are missing; the message states the flag to use instead.
        ValueError: if there is only one image.
    """
    if images is not None:
        paths = sample_evenly(find_image_files([str(images)], "--pictures"))
        return stack_images([read_letterboxed(path, size, cv2.BORDER_REPLICATE) for path in paths])
    people = sample_evenly(load_run_annotations(metadata))
    return stack_images(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), size) for p in people]
    )


def load_run_annotations(metadata: Mapping[str, Any]) -> list[Annotation]:
    """Load the weights' validation data, or else training data; raises as verification_crops."""
    data = metadata["data"]
    names = [source["name"] for source in data["val"] or data["train"]]
    if metadata.get("recipe") == PUBLISHED:
        raise MissingFileError(
            "exports are verified on real images. Published weights name no data set; pass --pictures DIR "
            "with photos of people."
        )
    try:
        annotations = [person for name in names for person in read_source(name).annotations]
    except (OSError, ValueError) as error:
        raise MissingFileError(
            f"exports are verified on real images, and the data of these weights cannot be read ({error}); "
            f"pass --pictures DIR with photos of people"
        ) from error
    return filter_annotations(annotations, EVALUATION_FILTER)[0]


def read_letterboxed(path: Path, size: int, border: int) -> np.ndarray:
    """Read an image, centered in a square, uint8 (size, size, 3); `border` is OpenCV's border type."""
    image = read_image(path)
    return crop_image(image, roi_to_image_matrix(letterbox_roi(*image.shape[1::-1])), size, border)


def sample_evenly(items: list[T]) -> list[T]:
    """Return at most 32 items, evenly spaced."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, _MAX_IMAGES).astype(int))]


def stack_images(images: list[np.ndarray]) -> np.ndarray:
    """Stack images to one array; raise a ValueError if there are fewer than two."""
    if len(images) < 2:
        raise InputError("one image is too few to verify a file on; pass a folder with more to --pictures")
    return np.stack(images)
