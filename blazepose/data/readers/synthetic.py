"""What `python -m blazepose.synthetic` renders: `<split>/labels.json` and `<split>/images/`."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import Source
from blazepose.data.readers.coco_json import (
    Pictures,
    box_xyxy,
    flagged,
    referred,
    require_id,
    require_lists,
)
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

LICENSE = "rendered with anny (Apache-2.0, assets CC0): no restrictions"
LICENSE_OF_BACKDROPS = (
    "rendered with anny (Apache-2.0, assets CC0); backdrops may be pictures under other licences"
)

_SKELETON = dict(enumerate(LANDMARKS))
_NUMBERS = {
    "keypoints": (3 * NUM_LANDMARKS,),
    "z_px": (NUM_LANDMARKS,),
    "landmarks_world": (NUM_LANDMARKS, 3),
}
"""Shapes of an annotation's numbers."""


def read(path: Path, split: str | None) -> Source:
    """People of one split, of `train` where none is named; bystanders mostly hidden or cut off are left out.

    Raises:
        FileNotFoundError: if the set, or a picture of it, is missing.
        ValueError: for another split, or a file that is not as the renderer writes it.
    """
    file = _labels(path, split or "train")
    data = read_json(file, "synthetic", _pack)
    require_lists(data, ("images", "categories", "annotations"), file)
    _require_landmarks(data["categories"], file)
    pictures = Pictures(data["images"], ImagePaths(file, "synthetic", [file.parent / "images"]))
    people = SourceBuilder(pictures.paths)
    entries = data["annotations"]
    for number in range(len(entries)):
        entry, entries[number] = entries[number], None  # so that the next person can take its memory
        require_id(entry, f"annotation number {number + 1}", file)
        try:
            _add(people, pictures, entry)
        except ValueError as error:
            raise ValueError(f"{file}, annotation {entry['id']}: {error}") from error
    return people.source("synthetic", _licence(path / "recipe.json"))


def _licence(recipe: Path) -> str:
    """Only a set whose recipe says so is free of other people's pictures."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if json.loads(recipe.read_text())["pictures"].startswith("0,"):
            return LICENSE
    return LICENSE_OF_BACKDROPS


def _labels(path: Path, split: str) -> Path:
    """The label file of a split."""
    files = {file.parent.name: file for file in sorted(path.glob("*/labels.json"))}
    missing = path / split / "labels.json"
    if split not in files and (path / "recipe.json").is_file():
        raise FileNotFoundError(
            f"{missing} is missing: the command that began {path} goes on with it"
            + ", and renders people to validate on with --val N" * (split == "val")
        )
    if not files:
        raise FileNotFoundError(
            f"{missing} is missing: render people with "
            f"python -m blazepose.synthetic --num 2000 --out {path}; see data/README.md#synthetic"
        )
    if split not in files:
        raise ValueError(f"{path} has no split {split!r}; it has {', '.join(files)}")
    return files[split]


def _pack(entry: dict[str, Any]) -> dict[str, Any]:
    """A JSON object without cameras, a person's numbers as float32 arrays and each group's name held once.

    The labels of a person take 10 kB as Python numbers, 1 kB as arrays.
    """
    entry.pop("camera", None)
    if "image_id" not in entry:
        return entry
    for key in _NUMBERS.keys() & entry.keys():
        # _numbers will complain about what stays as it was.
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            entry[key] = np.array(entry[key], np.float32)
    if isinstance(entry.get("attributes"), dict):
        entry["attributes"] = {name: sys.intern(str(group)) for name, group in entry["attributes"].items()}
    return entry


def _require_landmarks(categories: list[Any], file: Path) -> None:
    names = [category.get("keypoints") if isinstance(category, dict) else None for category in categories]
    if names != [list(LANDMARKS)]:
        raise ValueError(
            f"{file}: expected one category whose keypoints are the {NUM_LANDMARKS} landmarks in their "
            "order; own labels are for the landmarks reader"
        )


def _add(people: SourceBuilder, pictures: Pictures, entry: dict[str, Any]) -> None:
    image = referred(entry, "image_id", pictures.images)
    picture, size, box = pictures.find(image), pictures.size(image), box_xyxy(entry.get("bbox"))
    if entry.get("iscrowd"):
        people.skip("mostly hidden or cut off", picture, box)
        return
    people.add(
        picture,
        str(entry["id"]),
        *flagged(_numbers(entry, "keypoints").reshape(NUM_LANDMARKS, 3)),
        _SKELETON,
        box,
        _numbers(entry, "landmarks_world"),
        image_size=size,
        z_px=_numbers(entry, "z_px"),
        mask=_mask(entry.get("segmentation"), size),
        attributes=entry.get("attributes"),
    )


def _numbers(entry: dict[str, Any], key: str) -> np.ndarray:
    values, shape = entry.get(key), _NUMBERS[key]
    if not isinstance(values, np.ndarray) or values.shape != shape:
        raise ValueError(f"{key} is not {' x '.join(map(str, shape))} numbers")
    return values


def _mask(mask: Any, size: tuple[int, int] | None) -> Mapping[str, Any]:
    if size is None:
        raise ValueError("its image has no width and height")
    counts, shape = (mask.get("counts"), mask.get("size")) if isinstance(mask, dict) else (None, None)
    if not isinstance(counts, str) or not counts or shape != [size[1], size[0]]:
        raise ValueError(f"segmentation is no compressed run-length encoding of {size[0]}x{size[1]} pixels")
    return mask
