"""COCO-WholeBody 1.0: COCO's 17 keypoints, 6 of the feet, 68 of the face, 21 of each hand."""

from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import Source
from blazepose.data.readers.coco import body
from blazepose.data.readers.coco_json import Keypoints, flagged, read_people, triplets, unflagged
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.topology import COCO_WHOLEBODY133

LICENSE = (
    "COCO-WholeBody 1.0: annotations for non-commercial research only; pictures under the Creative Commons "
    "licence that their authors chose on Flickr, some of them non-commercial or without derivatives"
)

_FILES = {
    "train2017": "annotations/coco_wholebody_train_v1.0.json",
    "val2017": "annotations/coco_wholebody_val_v1.0.json",
}


def read(path: Path, split: str | None) -> Source:
    """People of one split, with COCO's split names; the pictures are COCO's."""
    require_folder(path, "coco_wholebody")
    files = {name: path / file for name, file in _FILES.items()}
    split = choose_split(files, split, path, "coco_wholebody")
    people = read_people(
        files[split], path / split, "coco_wholebody", COCO_WHOLEBODY133, whole_body, sized=True
    )
    return people.source("coco_wholebody", LICENSE)


def whole_body(entry: dict[str, Any]) -> Keypoints:
    """The 133 keypoints of an annotation entry."""
    feet = triplets(entry.get("foot_kpts"), 6)
    parts = [
        body(entry),
        flagged(feet if entry.get("foot_valid") else np.zeros_like(feet)),
        _part(entry, "face", 68),
        _part(entry, "lefthand", 21),
        _part(entry, "righthand", 21),
    ]
    points, labelled, visibility = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return points, labelled, visibility


def _part(entry: dict[str, Any], part: str, count: int) -> Keypoints:
    """Face or hand: the third value is a confidence, and COCO's flag nowhere."""
    points = triplets(entry.get(f"{part}_kpts"), count)
    return unflagged(points, (points[:, 2] > 0) & bool(entry.get(f"{part}_valid")))
