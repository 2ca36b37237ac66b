"""What COCO's JSON format means, for the data sets that share it."""

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
from blazepose.topology import COCO17

Keypoints = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Keypoints (source keypoints, 2) pixels, labelled (source keypoints,), visibility (source keypoints,)."""


_NAMES = ("file_name", "filename", "path", "name")
"""Keys under which tools write the name of a picture; COCO's comes first."""

_BY_FLAG = np.array([HIDDEN, VISIBLE], np.int8)

_ID = re.compile(r"(-?(?:0|[1-9][0-9]{0,17}))(?:\.0+)?")
"""A number as text; with zeros before it, it is a text of its own."""


def same_id(value: Any) -> int | float | str | None:
    """Return an id as all of its spellings have it: 1, "1" and 1.0 are one. None if it cannot be an id."""
    if type(value) is int:  # of most files: a hundred thousand people have five ids each
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


def by_id(entries: list[Any], kind: str, file: Path) -> dict[Any, dict[str, Any]]:
    """The entries of one of COCO's lists by `same_id`.

    Raises:
        ValueError: if one has no id, or two that differ have the same.
    """
    found: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        require_id(entry, f"{kind} number {number}", file)
        other = found.setdefault(same_id(entry["id"]), entry)
        if other is not entry and other != entry:
            raise ValueError(
                f"{file}: two entries of {kind} have the id {other['id']}"
                + f", as {other['id']!r} and {entry['id']!r}" * (other["id"] != entry["id"])
                + "; give each its own"
            )
    return found


def require_id(entry: Any, which: str, file: Path) -> None:
    """Raise ValueError if an entry of one of COCO's lists has no id."""
    if not isinstance(entry, dict) or same_id(entry.get("id")) is None:
        raise ValueError(f"{file} is not a COCO annotation file: {which} has no id")


def referred(entry: dict[str, Any], key: str, known: Mapping[Any, Any]) -> Any:
    """Return the id of an image or a category that an annotation belongs to.

    Args:
        entry: the annotation.
        key: "image_id" or "category_id".
        known: by `same_id`.

    Raises:
        ValueError: if there is none of this id.
    """
    found = same_id(entry.get(key))
    if found not in known:
        kind = key.removesuffix("_id")
        ids = ", ".join(map(repr, islice(known, 3))) + ", ..." * (len(known) > 3)
        raise ValueError(f"there is no {kind} {entry.get(key)!r}; the ids are {ids}")
    return found


class Pictures:
    """The pictures of a file, by image id.

    Args:
        images: the file's list of them.
        paths: where they lie.

    Raises:
        ValueError: names an image without an id or a name.
    """

    def __init__(self, images: list[Any], paths: ImagePaths) -> None:
        self.images = by_id(images, "image", paths.file)
        self.paths = paths
        self._names = {image: _name(entry, paths.file) for image, entry in self.images.items()}

    def find(self, image: Any) -> Path:
        """Return the path of an image id; raises as `ImagePaths.find`."""
        return self.paths.find(self._names[image], image)

    def size(self, image: Any) -> tuple[int, int] | None:
        """Width and height the labels were made at, if the file says them."""
        width, height = (round(as_number(self.images[image].get(side)) or 0) for side in ("width", "height"))
        return (width, height) if min(width, height) > 0 else None


def _name(entry: dict[str, Any], file: Path) -> str:
    names = [entry[key] for key in _NAMES if isinstance(entry.get(key), str)]
    if not names:
        raise ValueError(f"{file}: image {entry['id']} has no file_name, but only {', '.join(entry)}")
    return names[0]


def read_coco(file: Path, anchor: str) -> dict[str, Any]:
    """The content of an annotation file.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is not a COCO annotation file.
    """
    data = read_json(file, anchor)
    require_lists(data, ("images", "annotations"), file)
    for category in data.get("categories") or []:
        if category.get("keypoints") and tuple(category["keypoints"]) != tuple(COCO17.values()):
            raise ValueError(
                f"{file} names other keypoints than COCO's 17; own labels are for the landmarks reader"
            )
    return data


def require_lists(data: Any, keys: tuple[str, ...], file: Path) -> None:
    """Raise ValueError if the content of a file lacks one of COCO's lists."""
    for key in keys:
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise ValueError(
                f"{file} is not a COCO annotation file: it has no list {key!r}; export COCO keypoints"
            )


def read_people(
    file: Path,
    images: Path,
    anchor: str,
    skeleton: Mapping[int, str],
    keypoints_of: Callable[[dict[str, Any]], Keypoints],
    head_top: int | None = None,
    sized: bool = False,
) -> SourceBuilder:
    """The people of one of the published COCO-style data sets.

    Args:
        file: the annotation file.
        images: folder of the pictures.
        anchor: heading of the data set in data/README.md.
        skeleton: {index in the source: landmark name}.
        keypoints_of: the keypoints of an annotation entry, in the order of the skeleton.
        head_top: index of the head top in the source.
        sized: the file says how large the pictures are.
    """
    data = read_coco(file, anchor)
    pictures = Pictures(data["images"], ImagePaths(file, anchor, [images]))
    people = SourceBuilder(pictures.paths)
    for number, entry in enumerate(data["annotations"], 1):
        require_id(entry, f"annotation number {number}", file)
        person = str(entry["id"])
        try:
            image = referred(entry, "image_id", pictures.images)
            box = box_xyxy(entry.get("bbox"))
            keypoints = None if is_crowd(entry) else keypoints_of(entry)
        except ValueError as error:
            raise ValueError(f"{file}, annotation {person}: {error}") from error
        if keypoints is None:
            people.skip("crowd", pictures.find(image), box)
            continue
        people.add(
            pictures.find(image),
            person,
            *keypoints,
            skeleton,
            box,
            head_top=head_top,
            image_size=pictures.size(image) if sized else None,
            area_px=segment_area(entry),
        )
    return people


def segment_area(entry: Mapping[str, Any]) -> float | None:
    """Of an annotation entry, square pixels; None if it does not say."""
    area = as_number(entry.get("area"))
    return area if area and area > 0 else None


def triplets(values: Any, count: int) -> np.ndarray:
    """COCO's flat list of x, y, v as float32 (count, 3); all 0 where there is none.

    Raises:
        ValueError: if it is something else than 3 x count numbers.
    """
    if values is None:
        return np.zeros((count, 3), np.float32)
    if not isinstance(values, list | array):
        raise ValueError("keypoints is not a list of numbers")
    if not values:
        return np.zeros((count, 3), np.float32)
    try:
        numbers = np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("keypoints that are not numbers") from None
    if numbers.ndim != 1:
        raise ValueError("keypoints in lists of their own, expected one flat list of x, y, v")
    if numbers.shape != (3 * count,):
        raise ValueError(f"{len(values)} keypoint numbers, expected x, y, v of {count} keypoints")
    return numbers.reshape(count, 3)


def flagged(points: np.ndarray) -> Keypoints:
    """Triplets (count, 3) whose third value is COCO's flag: 0 unlabelled, 1 hidden, 2 visible."""
    flags = points[:, 2]
    return points[:, :2], flags > 0, _BY_FLAG[(flags == 2).astype(np.intp)]


def unflagged(points: np.ndarray, labelled: np.ndarray) -> Keypoints:
    """Triplets (count, 3) whose third value says nothing about visibility."""
    return points[:, :2], labelled, np.full(len(points), UNKNOWN, np.int8)


def box_xyxy(bbox: Any) -> np.ndarray | None:
    """COCO's x, y, width, height as corners, float32 (4,); None for a box without area.

    Raises:
        ValueError: if it is something else than a list of numbers.
    """
    if bbox is None:
        return None
    try:
        box = np.array(bbox, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"bbox is {bbox}, expected x, y, width, height") from None
    if box.shape != (4,) or not np.isfinite(box).all() or box[2:].min() <= 0:
        return None
    return np.concatenate([box[:2], box[:2] + box[2:]])
