"""Sets rendered by `blazepose synth`: `<split>/labels.json` and `<split>/images/`."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import Source
from blazepose.data.guide import guide_section
from blazepose.data.readers.coco_json import (
    ImageTable,
    box_xyxy,
    flagged_keypoints,
    referenced_id,
    require_id,
    require_lists,
)
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.exceptions import InputError, MissingFileError
from blazepose.topologies import FULL_BODY
from blazepose.topologies.full_body import LANDMARKS, NUM_LANDMARKS
from blazepose.topology import Topology

LICENSE = "rendered with anny (Apache-2.0, assets CC0): no restrictions"
LICENSE_WITH_BACKDROPS = (
    "rendered with anny (Apache-2.0, assets CC0); backdrops may be images under other licenses"
)

_SKELETON = dict(enumerate(LANDMARKS))
_SHAPES = {
    "keypoints": (3 * NUM_LANDMARKS,),
    "z_px": (NUM_LANDMARKS,),
    "landmarks_world": (NUM_LANDMARKS, 3),
}
"""Shapes of an annotation's arrays."""


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one split, `train` by default; bystanders mostly hidden or cut off are left out.

    Raises:
        FileNotFoundError: if the set, or an image of it, is missing.
        ValueError: for an unknown split, or a file that the renderer did not write.
    """
    file = _label_file(path, split or "train")
    data = read_json(file, "synthetic", _pack)
    require_lists(data, ("images", "categories", "annotations"), file)
    _require_landmarks(data["categories"], file)
    images = ImageTable(data["images"], ImagePaths(file, "synthetic", [file.parent / "images"]))
    builder = SourceBuilder(images.paths, topology)
    entries = data["annotations"]
    for number in range(len(entries)):
        entry, entries[number] = entries[number], None  # so that the next person can reuse its memory
        require_id(entry, f"annotation number {number + 1}", file)
        try:
            _add(builder, images, entry)
        except ValueError as error:
            raise InputError(f"{file}, annotation {entry['id']}: {error}") from error
    return builder.source("synthetic", _license(path / "recipe.json"))


def _license(recipe: Path) -> str:
    """Return the license note; only a recipe without backdrop images is free of other licenses."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if json.loads(recipe.read_text())["pictures"].startswith("0,"):
            return LICENSE
    return LICENSE_WITH_BACKDROPS


def _label_file(path: Path, split: str) -> Path:
    """Return the label file of a split."""
    files = {file.parent.name: file for file in sorted(path.glob("*/labels.json"))}
    missing = path / split / "labels.json"
    if split not in files and (path / "recipe.json").is_file():
        raise MissingFileError(
            f"{missing} is missing. Rerun the command that created {path} to finish it"
            + "; add --val N for a validation split" * (split == "val")
        )
    if not files:
        raise MissingFileError(
            f"{missing} is missing: render people with "
            f"blazepose synth --num 2000 --out {path}; see {guide_section('synthetic')}"
        )
    if split not in files:
        raise InputError(f"{path} has no split {split!r}; it has {', '.join(files)}")
    return files[split]


def _pack(entry: dict[str, Any]) -> dict[str, Any]:
    """Drop cameras from a JSON object, pack a person's numbers as float32 arrays and intern group names.

    The labels of a person take 10 kB as Python numbers, 1 kB as arrays.
    """
    entry.pop("camera", None)
    if "image_id" not in entry:
        return entry
    for key in _SHAPES.keys() & entry.keys():
        # _array reports what could not be converted.
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            entry[key] = np.array(entry[key], np.float32)
    if isinstance(entry.get("attributes"), dict):
        entry["attributes"] = {name: sys.intern(str(group)) for name, group in entry["attributes"].items()}
    return entry


def _require_landmarks(categories: list[Any], file: Path) -> None:
    names = [category.get("keypoints") if isinstance(category, dict) else None for category in categories]
    if names != [list(LANDMARKS)]:
        raise InputError(
            f"{file}: expected one category whose keypoints are the {NUM_LANDMARKS} landmarks in their "
            "order; for your own labels use the landmarks reader"
        )


def _add(builder: SourceBuilder, images: ImageTable, entry: dict[str, Any]) -> None:
    image = referenced_id(entry, "image_id", images.images)
    path, size, box = images.find(image), images.size(image), box_xyxy(entry.get("bbox"))
    if entry.get("iscrowd"):
        builder.skip("mostly hidden or cut off", path, box)
        return
    builder.add(
        path,
        str(entry["id"]),
        *flagged_keypoints(_array(entry, "keypoints").reshape(NUM_LANDMARKS, 3)),
        _SKELETON,
        box,
        _array(entry, "landmarks_world"),
        image_size=size,
        z_px=_array(entry, "z_px"),
        mask=_mask(entry.get("segmentation"), size),
        attributes=entry.get("attributes"),
    )


def _array(entry: dict[str, Any], key: str) -> np.ndarray:
    values, shape = entry.get(key), _SHAPES[key]
    if not isinstance(values, np.ndarray) or values.shape != shape:
        raise InputError(f"{key} is not {' x '.join(map(str, shape))} numbers")
    return values


def _mask(mask: Any, size: tuple[int, int] | None) -> Mapping[str, Any]:
    if size is None:
        raise InputError("its image has no width and height")
    counts, shape = (mask.get("counts"), mask.get("size")) if isinstance(mask, dict) else (None, None)
    if not isinstance(counts, str) or not counts or shape != [size[1], size[0]]:
        raise InputError(
            f"segmentation is not a compressed run-length encoding of {size[0]}x{size[1]} pixels"
        )
    return mask
