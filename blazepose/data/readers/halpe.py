"""Halpe Full-Body: 26 keypoints of the body and feet, 68 of the face, 21 of each hand."""

from array import array
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from blazepose.data.annotation import Source
from blazepose.data.readers.coco_json import (
    Keypoints,
    flagged_keypoints,
    read_annotations,
    triplets,
    unflagged_keypoints,
)
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.skeletons import COCO17, HALPE136
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = (
    "Halpe Full-Body: annotations published without license text, for research; images of HICO-DET and of "
    "COCO 2017 under the licenses that their authors chose on Flickr"
)

_KEYPOINTS = 136
_HEAD_TOP = 17
_MIN_SCORE = 0.35
"""Lowest third value (x, y, v) of a labelled point. Source: the authors' training code, AlphaPose
(halpe_136.py). v is 0, 1 or 2 in validation, and sometimes a score in training."""

_FILES = {"train": "annotations/halpe_train_v1.json", "val": "annotations/halpe_val_v1.json"}
_IMAGES = {"train": "hico_20160224_det/images/train2015", "val": "val2017"}


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one split: `train` on HICO-DET's images, `val` on COCO's val2017."""
    require_folder(path, "halpe")
    files = {name: path / file for name, file in _FILES.items()}
    split = choose_split(files, split, path, "halpe")
    parse_keypoints = partial(full_body_keypoints, coco_flags=split == "val")
    builder = read_annotations(
        files[split], path / _IMAGES[split], "halpe", HALPE136, parse_keypoints, _HEAD_TOP, topology=topology
    )
    # In HICO-DET's images, mostly the one acting person is annotated.
    return replace(builder.source("halpe", LICENSE), fully_annotated=split == "val")


def full_body_keypoints(entry: dict[str, Any], coco_flags: bool) -> Keypoints:
    """Return the 136 keypoints of an annotation entry.

    Args:
        entry: annotation; in some entries of training `keypoints` is not a list.
        coco_flags: the third value of the first 17 is COCO's flag, as they are copied from COCO. Elsewhere
            occluded and visible points are not distinguished.
    """
    keypoints = entry.get("keypoints")
    points = triplets(keypoints if isinstance(keypoints, list | array) else None, _KEYPOINTS)
    xy, labelled, visibility = unflagged_keypoints(points, points[:, 2] >= _MIN_SCORE)
    if coco_flags:
        visibility[: len(COCO17)] = flagged_keypoints(points[: len(COCO17)])[2]
    return xy, labelled, visibility
