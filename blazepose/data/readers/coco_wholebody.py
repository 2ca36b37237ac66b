"""COCO-WholeBody 1.0: COCO's 17 keypoints, 6 of the feet, 68 of the face, 21 of each hand."""

from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import Source
from blazepose.data.readers.coco import body_keypoints
from blazepose.data.readers.coco_json import (
    Keypoints,
    flagged_keypoints,
    read_annotations,
    triplets,
    unflagged_keypoints,
)
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.skeletons import COCO_WHOLEBODY133
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = (
    "COCO-WholeBody 1.0: annotations for non-commercial research only; images under the Creative Commons "
    "license that their authors chose on Flickr, some of them non-commercial or without derivatives"
)

_FILES = {
    "train2017": "annotations/coco_wholebody_train_v1.0.json",
    "val2017": "annotations/coco_wholebody_val_v1.0.json",
}


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one split, with COCO's split names; the images are COCO's."""
    require_folder(path, "coco_wholebody")
    files = {name: path / file for name, file in _FILES.items()}
    split = choose_split(files, split, path, "coco_wholebody")
    builder = read_annotations(
        files[split],
        path / split,
        "coco_wholebody",
        COCO_WHOLEBODY133,
        wholebody_keypoints,
        has_image_sizes=True,
        topology=topology,
    )
    return builder.source("coco_wholebody", LICENSE)


def wholebody_keypoints(entry: dict[str, Any]) -> Keypoints:
    """Return the 133 keypoints of an annotation entry."""
    feet = triplets(entry.get("foot_kpts"), 6)
    parts = [
        body_keypoints(entry),
        flagged_keypoints(feet if entry.get("foot_valid") else np.zeros_like(feet)),
        _part_keypoints(entry, "face", 68),
        _part_keypoints(entry, "lefthand", 21),
        _part_keypoints(entry, "righthand", 21),
    ]
    points, labelled, visibility = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return points, labelled, visibility


def _part_keypoints(entry: dict[str, Any], part: str, count: int) -> Keypoints:
    """Return the keypoints of face or hand, whose third value is a confidence and never COCO's flag."""
    points = triplets(entry.get(f"{part}_kpts"), count)
    return unflagged_keypoints(points, (points[:, 2] > 0) & bool(entry.get(f"{part}_valid")))
