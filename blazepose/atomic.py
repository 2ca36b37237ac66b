"""Atomic writing of files and folders: a kill leaves the earlier ones, or none."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blazepose.exceptions import InputError, MissingFileError

_MAX_NAME_BYTES = 255
"""Longest file name in bytes. Source: NAME_MAX of Linux."""
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; its content moves there at the end, unless an error occurs.

    The content is a file, or a folder, which replaces only an empty one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(_part_name(path.name))
    try:
        with naming_full_disk(path):
            yield part
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)


def _part_name(name: str) -> str:
    """Return a temporary name with as much of the end of the file's name as the system allows."""
    start = f".{os.getpid()}."
    return start + os.fsencode(name)[len(start) - _MAX_NAME_BYTES :].decode(errors="ignore")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder inside `folder`; its files move there at the end, unless an error occurs.

    It is inside, since `folder` may be a mount point. After an error, an empty `folder` is removed.
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
    """Add the file's name to an error about a full disk."""
    try:
        yield
    except Exception as error:
        full = full_disk(error)
        if full and full.filename is None:
            full.filename = str(path)
        raise


def full_disk(error: BaseException | None) -> OSError | None:
    """Return the OSError in the chain for a full disk or quota, or a file too large; else None."""
    for cause in exception_chain(error):
        if isinstance(cause, OSError) and cause.errno in _FULL_DISK:
            return cause
    return None


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 checksum of a file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read.
    """
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "is missing"
        raise MissingFileError(f"{path} {problem}; name another file")
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
