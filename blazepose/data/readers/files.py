"""Required files and folders of a data set, and the messages for missing ones.

`doc_section` is the data set's heading in data/README.md.
"""

from collections.abc import Mapping
from pathlib import Path

from blazepose.data.guide import guide_section
from blazepose.exceptions import InputError, MissingFileError


def require_folder(path: Path, doc_section: str) -> Path:
    """Return the path if it is a folder; raise FileNotFoundError otherwise."""
    if path.is_dir():
        return path
    problem = "is a file, not the folder of the data set" if path.exists() else "is missing"
    raise MissingFileError(f"{path} {problem}; check the path, or see {guide_section(doc_section)}")


def require_file(path: Path, doc_section: str) -> Path:
    """Return the path if it is a file; raise FileNotFoundError otherwise."""
    if path.is_file():
        return path
    problem = "is a folder, not a file" if path.exists() else "is missing"
    raise MissingFileError(f"{path} {problem}; check the path, or see {guide_section(doc_section)}")


def choose_split(files: Mapping[str, Path], split: str | None, folder: Path, doc_section: str) -> str:
    """Return the requested split, or the only one there is.

    Args:
        files: annotation file of each split that the data set can have.
        split: as the user typed it.
        folder: folder of the data set, for the message.
        doc_section: heading of the data set in data/README.md.

    Raises:
        FileNotFoundError: if the data set, or this split of it, has no annotation file.
        ValueError: if the split is unknown, or none is named and there are several.
    """
    available = [name for name, file in files.items() if file.is_file()]
    if split is not None and split not in files:
        raise InputError(f"{folder} has no split {split!r}; it can have {', '.join(files)}")
    if split is not None:
        require_file(files[split], doc_section)
        return split
    if not available:
        raise MissingFileError(f"{folder} has no annotation file; see {guide_section(doc_section)}")
    if len(available) > 1:
        raise InputError(
            f"{folder} has several splits, {', '.join(available)}: name one, {folder}:{available[0]}"
        )
    return available[0]
