"""What a data set must have on disk, and the sentence for what it lacks.

`anchor` is the data set's heading in data/README.md.
"""

import json
import os
from array import array
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

_KEYPOINT_LISTS = {"keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"}


def require_folder(path: Path, anchor: str) -> Path:
    """The path, if it is a folder; FileNotFoundError otherwise."""
    if path.is_dir():
        return path
    problem = "is a file, not the folder of the data set" if path.exists() else "is missing"
    raise FileNotFoundError(f"{path} {problem}; see data/README.md#{anchor}")


def require_file(path: Path, anchor: str) -> Path:
    """The path, if it is a file; FileNotFoundError otherwise."""
    if path.is_file():
        return path
    problem = "is a folder, not a file" if path.exists() else "is missing"
    raise FileNotFoundError(f"{path} {problem}; see data/README.md#{anchor}")


def require_images(paths: Iterable[Path], listed_in: Path, anchor: str) -> None:
    """Raise FileNotFoundError if pictures are missing. Lists each folder once instead of asking per file."""
    needed = set(paths)
    folders = {folder: file_names(folder) for folder in {path.parent for path in needed}}
    missing = sorted(path for path in needed if path.name not in folders[path.parent])
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(needed)} pictures in {listed_in} are missing, first {missing[0]}; "
            f"see data/README.md#{anchor}"
        )


def file_names(folder: Path) -> set[str]:
    """Names of the files in a folder; none if it is missing."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if entry.is_file()}


def choose_split(files: Mapping[str, Path], split: str | None, folder: Path, anchor: str) -> str:
    """The split to read: the one asked for, or the only one there.

    Args:
        files: annotation file of each split that the data set can have.
        split: as the user typed it.
        folder: of the data set, for the message.
        anchor: of the data set.

    Raises:
        FileNotFoundError: if the data set, or this split of it, has no annotation file.
        ValueError: if the split is unknown, or none is named and there are several.
    """
    found = [name for name, file in files.items() if file.is_file()]
    if split is not None and split not in files:
        raise ValueError(f"{folder} has no split {split!r}; it can have {', '.join(files)}")
    if split is not None:
        require_file(files[split], anchor)
        return split
    if not found:
        raise FileNotFoundError(f"{folder} has no annotation file; see data/README.md#{anchor}")
    if len(found) > 1:
        raise ValueError(f"{folder} has several splits, {', '.join(found)}: name one, {folder}:{found[0]}")
    return found[0]


def slim(entry: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with COCO's outlines left out and its keypoint lists packed as floats.

    A person with 133 keypoints takes 13 kB as Python numbers; so 100,000 people would not fit in 1 GB.
    """
    entry.pop("segmentation", None)
    for key in _KEYPOINT_LISTS & entry.keys():
        try:
            entry[key] = array("f", entry[key])
        except (
            TypeError,
            OverflowError,
        ):  # a category's keypoint names, or what its reader will complain about
            continue
    return entry


def read_json(file: Path, anchor: str, pack: Callable[[dict[str, Any]], dict[str, Any]] = slim) -> Any:
    """The content of a JSON file.

    Args:
        file: to read.
        anchor: of the data set.
        pack: makes each of its objects small while the rest is still being read.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it is not JSON.
    """
    with require_file(file, anchor).open(encoding="utf-8-sig") as stream:  # Windows may write a mark
        try:
            return json.load(stream, object_hook=pack)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{file} is not JSON, or is cut off: {error}") from error
