"""Real images for an export: those that biases and ranges are fitted to, and those of the comparison."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.filters import EVALUATION_FILTER, filter_annotations
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import read_source
from blazepose.exceptions import InputError, MissingFileError
from blazepose.export.export_module import Precision
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.engines import InferenceEngine
from blazepose.runtime.landmarker import run_landmarker
from blazepose.runtime.roi_inputs import is_valid_roi
from blazepose.topologies import FULL_BODY, topology_of_outputs
from blazepose.topology import Topology
from blazepose.training.weights import PUBLISHED

log = logging.getLogger(__name__)

T = TypeVar("T")

NUM_TEST = 32
"""Chosen: half of them, with 39 points each, estimate the worst error well, within seconds."""

NUM_FIT: Mapping[Precision, int] = {"fp32": 0, "fp16": 16, "int8": 64, "int8_static": 200}
"""Images to fit biases and, in int8_static, the ranges of activations to.
Source of 64 and 200: docs/benchmarks/deployment.md."""

_FEW = 32
"""Chosen: with 16 people to fit to, biases in fp16 are as good as with more."""

MIN_PRESENCE = 0.5
"""Pose presence from which a picture shows a person. Source: MediaPipe's min_pose_presence_confidence."""


class ExportImages(NamedTuple):
    """Images of an export.

    Attributes:
        fit: uint8 (up to NUM_FIT, size, size, 3), for biases and ranges; empty for fp32.
        test: uint8 (1 to NUM_TEST, size, size, 3), others unless there are too few, for the comparison.
    """

    fit: np.ndarray
    test: np.ndarray


def landmark_images(
    metadata: Mapping[str, Any],
    precision: Precision,
    pictures: Path | None,
    engine: Callable[[], InferenceEngine],
) -> ExportImages:
    """Read crops of people: of the validation data, or else of the training data, to compare on.

    fp16 is fitted to every second of them; int8 needs more people, and takes them from the training data.

    Args:
        metadata: metadata of the weights.
        precision: of the file.
        pictures: folder of pictures, half of them to fit to; None takes the data of the weights. Of int8, the
            people in the pictures are cropped, each found in the whole picture; else the pictures themselves.
        engine: opens the network, which finds them.

    Raises:
        FileNotFoundError: if the data are missing; the message states the flag to use instead.
        ValueError: if there is only one image, or for int8 no person in the pictures.
    """
    size = metadata["input"]["size"]
    if pictures is None:
        return _read(*load_people(metadata, precision), precision, lambda person: _crop(person, size))
    paths = find_image_files([str(pictures)], "--pictures")
    if not precision.startswith("int8"):
        return _read(paths, [], precision, lambda path: read_letterboxed(path, size, cv2.BORDER_REPLICATE))
    sampled = sample_evenly(paths, 2 * NUM_FIT[precision])
    network = engine()
    crops = [crop for path in sampled if (crop := crop_found(read_image(path), network)) is not None]
    if len(crops) < 2:
        raise InputError(
            f"{precision} is fitted to people, and {len(crops)} of {len(sampled)} pictures of {pictures} "
            f"show one who fills most of the picture; pass --pictures DIR with more of them"
        )
    log.info("%s is fitted to half of the people of %d pictures (%s)", precision, len(crops), pictures)
    if len(crops) < _FEW:
        log.warning("WARNING: that is few; more pictures make %s more precise", precision)
    return _read(crops, [], precision, lambda crop: crop)


def detector_images(
    metadata: Mapping[str, Any], size: int, precision: Precision, pictures: Path | None
) -> ExportImages:
    """Read letterboxed images, whole; arguments and errors as of landmark_images."""
    if pictures is None:
        test, fit = (_images_of(people) for people in load_people(metadata, precision))
    else:
        test, fit = find_image_files([str(pictures)], "--pictures"), []
    return _read(test, fit, precision, lambda path: read_letterboxed(path, size, cv2.BORDER_CONSTANT))


def _read(test: list[T], fit: list[T], precision: Precision, read: Callable[[T], np.ndarray]) -> ExportImages:
    """Read images to test on and, if the precision rounds, others to fit to: without `fit`, every second."""
    if len(test) < 2:
        raise InputError("one image is too few to verify a file on; pass a folder with more to --pictures")
    if precision == "fp32":
        fit = []
    elif not fit:
        # Biases fitted to the test images would hide the cost of rounding.
        both = sample_evenly(test, 2 * NUM_FIT[precision])
        test, fit = both[1::2], both[::2]
    images = [
        [read(item) for item in sample_evenly(items, count)]
        for items, count in ((fit, NUM_FIT[precision]), (test, NUM_TEST))
    ]
    return ExportImages(*(np.stack(part) if part else np.empty((0,), np.uint8) for part in images))


def load_people(
    metadata: Mapping[str, Any], precision: Precision
) -> tuple[list[Annotation], list[Annotation]]:
    """Load the labelled people to compare on, and those to fit to if there are others.

    Raises:
        FileNotFoundError: if the data are missing; the message states the flag to use instead.
    """
    if metadata.get("recipe") == PUBLISHED:
        raise MissingFileError(
            "exports are verified on real images. Published weights name no data set; pass --pictures DIR "
            "with photos of people."
        )
    data = metadata["data"]
    test, fit = data["val"] or data["train"], data["train"] if data["val"] else []
    topology = FULL_BODY if metadata["task"] == "detector" else topology_of_outputs(metadata["topology"])
    return _load(test, topology), _load(fit, topology) if precision.startswith("int8") else []


def _images_of(people: list[Annotation]) -> list[Path]:
    return list(dict.fromkeys(person.image for person in people))


def _load(sources: list[Mapping[str, Any]], topology: Topology) -> list[Annotation]:
    try:
        people = [
            person for source in sources for person in read_source(source["name"], topology).annotations
        ]
    except (OSError, ValueError) as error:
        raise MissingFileError(
            f"exports are verified on real images, and the data of these weights cannot be read ({error}); "
            f"pass --pictures DIR with photos of people"
        ) from error
    return filter_annotations(people, EVALUATION_FILTER)[0]


def _crop(person: Annotation, size: int) -> np.ndarray:
    return crop_image(read_image(person.image), roi_to_image_matrix(aligned_roi(person)), size)


def crop_found(image: np.ndarray, network: InferenceEngine) -> np.ndarray | None:
    """Crop the person in a picture; None if the network finds none in the whole picture."""
    result = run_landmarker(network, image, letterbox_roi(*image.shape[1::-1]))
    roi = result.next_roi()
    if result.pose_presence < MIN_PRESENCE or not is_valid_roi(roi):
        return None
    return crop_image(image, roi_to_image_matrix(roi), network.input_size)


def read_letterboxed(path: Path, size: int, border: int) -> np.ndarray:
    """Read an image, centered in a square, uint8 (size, size, 3); `border` is OpenCV's border type."""
    image = read_image(path)
    return crop_image(image, roi_to_image_matrix(letterbox_roi(*image.shape[1::-1])), size, border)


def sample_evenly(items: list[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spaced."""
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int))]
