"""Files that appear when they are complete, so that a kill leaves the earlier one or none. Checksums."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_NAME = 255
"""Bytes of a file's name. Source: NAME_MAX of Linux."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; what is there in the end replaces `path`, unless an error came."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(_part_name(path.name))
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part_name(name: str) -> str:
    """Name a part by as much of the whole file's name, suffix last, as the system takes."""
    start = f".{os.getpid()}."
    return start + os.fsencode(name)[len(start) - _LONGEST_NAME :].decode(errors="ignore")


def file_sha256(path: Path) -> str:
    """Checksum that tells which weights these are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read.
    """
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "is missing"
        raise FileNotFoundError(f"{path} {problem}; name another file")
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
