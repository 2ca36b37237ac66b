"""Files and folders that appear when they are complete, so that a kill leaves the earlier ones or none."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LONGEST_NAME = 255
"""Bytes of a file's name. Source: NAME_MAX of Linux."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; what is there in the end replaces `path`, unless an error came."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(_part_name(path.name))
    try:
        with naming_full_disk(path):
            yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part_name(name: str) -> str:
    """Name a part by as much of the whole file's name, suffix last, as the system takes."""
    start = f".{os.getpid()}."
    return start + os.fsencode(name)[len(start) - _LONGEST_NAME :].decode(errors="ignore")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A folder inside `folder` to write to; its files move to `folder` in the end, unless an error came.

    Inside, since `folder` may be a disk of its own. Where an error came, an empty `folder` goes away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part.", dir=folder))
    try:
        with naming_full_disk(folder):
            yield part
        for path in part.iterdir():
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(part)
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Name what was being written in the system's error that the disk is full."""
    try:
        yield
    except Exception as error:
        full = full_disk(error)
        if full and full.filename is None:
            full.filename = str(path)
        raise


def full_disk(error: BaseException | None) -> OSError | None:
    """The system's error behind this one, if it is that a disk or a quota is full, or a file too large."""
    for one in chain(error):
        if isinstance(one, OSError) and one.errno in _FULL:
            return one
    return None


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


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
