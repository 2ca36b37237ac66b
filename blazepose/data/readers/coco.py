"""COCO 2017 person keypoints: `annotations/person_keypoints_<split>.json` and `<split>/`."""

from pathlib import Path
from typing import Any

from blazepose.data.annotation import Source
from blazepose.data.readers.coco_json import Keypoints, flagged, read_people, triplets
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.topology import COCO17

LICENSE = (
    "COCO 2017: annotations CC BY 4.0; pictures under the Creative Commons licence that their authors chose "
    "on Flickr, some of them non-commercial or without derivatives"
)

_PREFIX = "person_keypoints_"


def read(path: Path, split: str | None) -> Source:
    """People of one split; those without keypoints and crowds are left out."""
    annotations = require_folder(path, "coco") / "annotations"
    files = {file.stem.removeprefix(_PREFIX): file for file in sorted(annotations.glob(f"{_PREFIX}*.json"))}
    if split is not None:
        files.setdefault(split, annotations / f"{_PREFIX}{split}.json")
    split = choose_split(files, split, path, "coco")
    people = read_people(files[split], path / split, "coco", COCO17, body, sized=True)
    return people.source("coco", LICENSE)


def body(entry: dict[str, Any]) -> Keypoints:
    """The 17 keypoints of an annotation entry."""
    return flagged(triplets(entry.get("keypoints"), len(COCO17)))
