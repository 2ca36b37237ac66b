"""What a data set must have on disk, and the sentence for what it lacks.

`anchor` is the data set's heading in data/README.md.
"""

from collections.abc import Mapping
from pathlib import Path


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
