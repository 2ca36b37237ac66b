"""MPII Human Pose in the JSON form that HRNet and mmpose use."""

from pathlib import Path

import numpy as np

from blazepose.data.annotation import UNKNOWN, Source
from blazepose.data.guide import guide_section
from blazepose.data.readers.files import choose_split, require_folder
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.data.readers.source_builder import SourceBuilder
from blazepose.data.readers.text_files import read_json
from blazepose.exceptions import InputError
from blazepose.skeletons import MPII16
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

LICENSE = "MPII Human Pose: for research only, no commercial use; images from YouTube videos"

_KEYPOINTS = 16
_HEAD_TOP = 9


def read(path: Path, split: str | None, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one annotation file: `path` is that file, or a folder with `mpii_<split>.json`.

    Coordinates are as stored, counted from 1.
    """
    file = _annotation_file(path, split)
    entries = read_json(file, "mpii")
    if not isinstance(entries, list):
        raise InputError(f"{file} is not a list of people; see {guide_section('mpii')}")
    paths = ImagePaths(file, "mpii", [_image_folder(file)])
    builder = SourceBuilder(paths, topology)
    for number, entry in enumerate(entries):
        try:
            name = str(Path(entry["image"]))
            joints = np.asarray(entry.get("joints", np.full((_KEYPOINTS, 2), -1)), np.float32)
            flags = np.asarray(entry.get("joints_vis", np.zeros(_KEYPOINTS)), np.float32)
            if joints.shape != (_KEYPOINTS, 2) or flags.shape != (_KEYPOINTS,):
                raise InputError("wrong number of joints or joints_vis")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{file}, entry {number}: expected image, {_KEYPOINTS} joints and joints_vis ({error})"
            ) from error
        labelled = (flags > 0) & (joints != -1).any(axis=1)
        visibility = np.full(_KEYPOINTS, UNKNOWN, np.int8)
        image = paths.find(name, name)
        builder.add(image, str(number), joints, labelled, visibility, MPII16, head_top=_HEAD_TOP)
    return builder.source("mpii", LICENSE)


def _annotation_file(path: Path, split: str | None) -> Path:
    if path.suffix == ".json" and split is None:
        return path
    folder = require_folder(path, "mpii")
    candidates = sorted([*folder.glob("mpii*.json"), *folder.glob("annotations/mpii*.json")])
    files = {file.stem.removeprefix("mpii").removeprefix("_") or "all": file for file in candidates}
    if split is not None:
        files.setdefault(split, folder / f"annotations/mpii_{split}.json")
    return files[choose_split(files, split, folder, "mpii")]


def _image_folder(file: Path) -> Path:
    """Return `images` beside the annotation file or beside its folder, else the file's own folder."""
    candidates = (file.parent / "images", file.parent.parent / "images")
    return next((folder for folder in candidates if folder.is_dir()), file.parent)
