"""What COCO's JSON format means, for the data sets that share it."""

import contextlib
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers.files import read_json
from blazepose.data.readers.people import People
from blazepose.topology import COCO17

Keypoints = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Keypoints (source keypoints, 2) pixels, labelled (source keypoints,), visibility (source keypoints,)."""


def read_coco(file: Path, anchor: str) -> COCO:
    """An annotation file with its index.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is not a COCO annotation file.
    """
    coco = COCO()
    coco.dataset = read_json(file, anchor)
    require_lists(coco.dataset, ("images", "annotations"), file)
    coco.dataset["categories"] = coco.dataset.get("categories") or []
    for category in coco.dataset["categories"]:
        if category.get("keypoints") and tuple(category["keypoints"]) != tuple(COCO17.values()):
            raise ValueError(
                f"{file} names other keypoints than COCO's 17; own labels are for the landmarks reader"
            )
    try:
        with contextlib.redirect_stdout(None):
            coco.createIndex()
    except KeyError as error:
        raise ValueError(f"{file} is not a COCO annotation file: an entry has no {error}") from error
    return coco


def require_lists(data: Any, keys: tuple[str, ...], file: Path) -> None:
    """Raise ValueError if the content of a file lacks one of COCO's lists."""
    for key in keys:
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise ValueError(f"{file} is not a COCO annotation file: it has no list {key!r}")


def read_people(
    file: Path,
    images: Path,
    anchor: str,
    skeleton: Mapping[int, str],
    keypoints_of: Callable[[dict[str, Any]], Keypoints],
    head_top: int | None = None,
    sized: bool = False,
) -> People:
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
    coco = read_coco(file, anchor)
    for image, entry in coco.imgs.items():
        if not isinstance(entry.get("file_name"), str):
            raise ValueError(f"{file}: image {image} has no file_name")
    paths = {image: images / entry["file_name"] for image, entry in coco.imgs.items()}
    people = People(file, anchor)
    for entry in coco.dataset["annotations"]:
        person = str(entry["id"])
        if entry["image_id"] not in paths:
            raise ValueError(f"{file}, annotation {person}: there is no image {entry['image_id']}")
        image = paths[entry["image_id"]]
        try:
            box = box_xyxy(entry.get("bbox"))
            if entry.get("iscrowd"):
                people.leave_out("crowd", image, box)
                continue
            keypoints = keypoints_of(entry)
        except ValueError as error:
            raise ValueError(f"{file}, annotation {person}: {error}") from error
        people.add(
            image,
            person,
            *keypoints,
            skeleton,
            box,
            head_top=head_top,
            image_size=_size(coco.imgs[entry["image_id"]]) if sized else None,
            area_px=segment_area(entry),
        )
    return people


def _size(entry: Mapping[str, Any]) -> tuple[int, int] | None:
    size = entry.get("width"), entry.get("height")
    width, height = (side if isinstance(side, int) and side > 0 else None for side in size)
    return (width, height) if width and height else None


def segment_area(entry: Mapping[str, Any]) -> float | None:
    """Of an annotation entry, square pixels; None if it does not say."""
    area = entry.get("area")
    return float(area) if isinstance(area, int | float) and area > 0 else None


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
    return points[:, :2], flags > 0, np.where(flags == 2, np.int8(VISIBLE), np.int8(HIDDEN))


def unflagged(points: np.ndarray, labelled: np.ndarray) -> Keypoints:
    """Triplets (count, 3) whose third value says nothing about visibility."""
    return points[:, :2], labelled, np.full(len(points), UNKNOWN, np.int8)


def box_xyxy(bbox: Any) -> np.ndarray | None:
    """COCO's x, y, width, height as corners, float32 (4,); None for a box without area.

    Raises:
        ValueError: if it is something else than a list of numbers.
    """
    try:
        box = np.array(bbox if bbox is not None else [], np.float32)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"bbox is {bbox}, expected x, y, width, height") from None
    if box.shape != (4,) or not np.isfinite(box).all() or box[2:].min() <= 0:
        return None
    return np.concatenate([box[:2], box[:2] + box[2:]])
