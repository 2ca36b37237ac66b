"""COCO 2017 person keypoints: `annotations/person_keypoints_<split>.json` and `<split>/`."""

from pathlib import Path
from typing import Any

from blazepose.data.annotation import Source
from blazepose.data.readers.coco_json import Keypoints, flagged_keypoints, read_annotations, triplets
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.skeletons import COCO17
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = (
    "COCO 2017: annotations CC BY 4.0; images under the Creative Commons license that their authors chose "
    "on Flickr, some of them non-commercial or without derivatives"
)

_PREFIX = "person_keypoints_"


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one split; crowds and people without keypoints are left out."""
    annotations = require_folder(path, "coco") / "annotations"
    files = {file.stem.removeprefix(_PREFIX): file for file in sorted(annotations.glob(f"{_PREFIX}*.json"))}
    if split is not None:
        files.setdefault(split, annotations / f"{_PREFIX}{split}.json")
    split = choose_split(files, split, path, "coco")
    builder = read_annotations(
        files[split], path / split, "coco", COCO17, body_keypoints, has_image_sizes=True, topology=topology
    )
    return builder.source("coco", LICENSE)


def body_keypoints(entry: dict[str, Any]) -> Keypoints:
    """Return the 17 keypoints of an annotation entry."""
    return flagged_keypoints(triplets(entry.get("keypoints"), len(COCO17)))
