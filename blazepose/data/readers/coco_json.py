"""Parse COCO's JSON format, for the data sets that share it."""

import math
import re
from array import array
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.exceptions import InputError
from blazepose.skeletons import COCO17
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

Keypoints = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Keypoints (source keypoints, 2) pixels, labelled (source keypoints,), visibility (source keypoints,)."""

_NAME_KEYS = ("file_name", "filename", "path", "name")
"""Keys under which tools write the name of an image; COCO's comes first."""

_BY_FLAG = np.array([HIDDEN, VISIBLE], np.int8)

_ID = re.compile(r"(-?(?:0|[1-9][0-9]{0,17}))(?:\.0+)?")
"""A number as text; with leading zeros it stays text."""


def normalize_id(value: Any) -> int | float | str | None:
    """Return the common form of the spellings of an id (1 for 1, "1" and 1.0); None if it cannot be an id."""
    if type(value) is int:  # most files: a hundred thousand people have five ids each
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    number = _ID.fullmatch(str(value))
    return int(number[1]) if number else value


def as_number(value: Any) -> float | None:
    """Return a finite number, which may be written as text; None for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def is_crowd(entry: Mapping[str, Any]) -> bool:
    """Read COCO's `iscrowd` of an annotation entry, 0 or 1."""
    return bool(as_number(entry.get("iscrowd")))


def index_by_id(entries: list[Any], kind: str, file: Path) -> dict[Any, dict[str, Any]]:
    """Index the entries of one of COCO's lists by `normalize_id`.

    Raises:
        ValueError: if an entry has no id, or two different entries have the same.
    """
    by_id: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        require_id(entry, f"{kind} number {number}", file)
        other = by_id.setdefault(normalize_id(entry["id"]), entry)
        if other is not entry and other != entry:
            raise InputError(
                f"{file}: two entries of {kind} have the id {other['id']}"
                + f", as {other['id']!r} and {entry['id']!r}" * (other["id"] != entry["id"])
                + "; give each its own"
            )
    return by_id


def require_id(entry: Any, label: str, file: Path) -> None:
    """Raise ValueError if an entry of one of COCO's lists has no id."""
    if not isinstance(entry, dict) or normalize_id(entry.get("id")) is None:
        raise InputError(f"{file} is not a COCO annotation file: {label} has no id")


def referenced_id(entry: dict[str, Any], key: str, by_id: Mapping[Any, Any]) -> Any:
    """Return the id of the image or category that an annotation belongs to.

    Args:
        entry: the annotation.
        key: "image_id" or "category_id".
        by_id: images or categories by `normalize_id`.

    Raises:
        ValueError: if there is none with this id.
    """
    referenced = normalize_id(entry.get(key))
    if referenced not in by_id:
        kind = key.removesuffix("_id")
        ids = ", ".join(map(repr, islice(by_id, 3))) + ", ..." * (len(by_id) > 3)
        raise InputError(f"there is no {kind} {entry.get(key)!r}; the ids are {ids}")
    return referenced


class ImageTable:
    """The images of a file, by image id.

    Args:
        images: the file's list of images.
        paths: paths of the images.

    Raises:
        ValueError: if an image has no id or no name.
    """

    def __init__(self, images: list[Any], paths: ImagePaths) -> None:
        self.images = index_by_id(images, "image", paths.file)
        self.paths = paths
        self._names = {image: _name(entry, paths.file) for image, entry in self.images.items()}

    def find(self, image: Any) -> Path:
        """Return the path of an image id; raise as `ImagePaths.find` does."""
        return self.paths.find(self._names[image], image)

    def size(self, image: Any) -> tuple[int, int] | None:
        """Return the width and height the labels were made at, if the file has them."""
        width, height = (round(as_number(self.images[image].get(side)) or 0) for side in ("width", "height"))
        return (width, height) if min(width, height) > 0 else None


def _name(entry: dict[str, Any], file: Path) -> str:
    names = [entry[key] for key in _NAME_KEYS if isinstance(entry.get(key), str)]
    if not names:
        raise InputError(f"{file}: image {entry['id']} has no file_name, but only {', '.join(entry)}")
    return names[0]


def read_coco(file: Path, doc_section: str) -> dict[str, Any]:
    """Read an annotation file.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is not a COCO annotation file.
    """
    data = read_json(file, doc_section)
    require_lists(data, ("images", "annotations"), file)
    for category in data.get("categories") or []:
        if category.get("keypoints") and tuple(category["keypoints"]) != tuple(COCO17.values()):
            raise InputError(
                f"{file} has other keypoints than COCO's 17; for your own labels use the landmarks reader"
            )
    return data


def require_lists(data: Any, keys: tuple[str, ...], file: Path) -> None:
    """Raise ValueError if the content of a file lacks one of COCO's lists."""
    for key in keys:
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise InputError(
                f"{file} is not a COCO annotation file: it has no list {key!r}; export COCO keypoints"
            )


def read_annotations(
    file: Path,
    image_folder: Path,
    doc_section: str,
    skeleton: Mapping[int, str],
    parse_keypoints: Callable[[dict[str, Any]], Keypoints],
    head_top: int | None = None,
    has_image_sizes: bool = False,
    topology: Topology = FULL_BODY,
) -> SourceBuilder:
    """Read the people of one of the published COCO-style data sets.

    Args:
        file: the annotation file.
        image_folder: folder of the images.
        doc_section: heading of the data set in data/README.md.
        skeleton: {index in the source: landmark name}.
        parse_keypoints: function from an annotation entry to its keypoints, in the order of the skeleton.
        head_top: index of the head top in the source.
        has_image_sizes: the file has the width and height of the images.
        topology: landmarks of the annotations.
    """
    data = read_coco(file, doc_section)
    images = ImageTable(data["images"], ImagePaths(file, doc_section, [image_folder]))
    builder = SourceBuilder(images.paths, topology)
    for number, entry in enumerate(data["annotations"], 1):
        require_id(entry, f"annotation number {number}", file)
        person = str(entry["id"])
        try:
            image = referenced_id(entry, "image_id", images.images)
            box = box_xyxy(entry.get("bbox"))
            keypoints = None if is_crowd(entry) else parse_keypoints(entry)
        except ValueError as error:
            raise InputError(f"{file}, annotation {person}: {error}") from error
        if keypoints is None:
            builder.skip("crowd", images.find(image), box)
            continue
        builder.add(
            images.find(image),
            person,
            *keypoints,
            skeleton,
            box,
            head_top=head_top,
            image_size=images.size(image) if has_image_sizes else None,
            area_px=segment_area(entry),
        )
    return builder


def segment_area(entry: Mapping[str, Any]) -> float | None:
    """Return the segment area of an annotation entry in square pixels; None if it has none."""
    area = as_number(entry.get("area"))
    return area if area and area > 0 else None


def triplets(values: Any, count: int) -> np.ndarray:
    """Reshape COCO's flat list of x, y, v to float32 (count, 3); all 0 where there is none.

    Raises:
        ValueError: if it is something else than 3 x count numbers.
    """
    if values is None:
        return np.zeros((count, 3), np.float32)
    if not isinstance(values, list | array):
        raise InputError("keypoints is not a list of numbers")
    if not values:
        return np.zeros((count, 3), np.float32)
    try:
        numbers = np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InputError("keypoints that are not numbers") from None
    if numbers.ndim != 1:
        raise InputError("keypoints in nested lists, expected one flat list of x, y, v")
    if numbers.shape != (3 * count,):
        raise InputError(
            f"{len(values)} keypoint numbers, expected {3 * count}: x, y, v of {count} keypoints"
        )
    return numbers.reshape(count, 3)


def flagged_keypoints(points: np.ndarray) -> Keypoints:
    """Split triplets (count, 3) with COCO's flag: 0 unlabelled, 1 hidden, 2 visible."""
    flags = points[:, 2]
    return points[:, :2], flags > 0, _BY_FLAG[(flags == 2).astype(np.intp)]


def unflagged_keypoints(points: np.ndarray, labelled: np.ndarray) -> Keypoints:
    """Split triplets (count, 3) whose third value holds no visibility."""
    return points[:, :2], labelled, np.full(len(points), UNKNOWN, np.int8)


def box_xyxy(bbox: Any) -> np.ndarray | None:
    """Convert COCO's x, y, width, height to corners, float32 (4,); None for a box without area.

    Raises:
        ValueError: if it is something else than a list of numbers.
    """
    if bbox is None:
        return None
    try:
        box = np.array(bbox, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"bbox is {bbox}, expected x, y, width, height") from None
    if box.shape != (4,) or not np.isfinite(box).all() or box[2:].min() <= 0:
        return None
    return np.concatenate([box[:2], box[:2] + box[2:]])
