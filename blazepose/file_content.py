"""Messages for files that cannot be opened: their actual content, or the library's error."""

import re
from pathlib import Path

from blazepose.exceptions import InputError, MissingFileError

_WEB_PAGE = "a web page; download the file itself"
_PLACEHOLDERS = {
    b"version https://git-lfs": "a Git LFS pointer; `git lfs pull` fetches the file",
    b"<!doctype html": _WEB_PAGE,
    b"<html": _WEB_PAGE,
}
"""First bytes of files that often replace others."""

_KINDS = {
    rb"PK\x03\x04": "a zip archive",
    rb"\x1f\x8b": "a gzip archive",
    rb"\x89HDF": "an HDF5 file",
    rb"MATLAB": "a MATLAB file",
    rb"....TFL3": "a TFLite file",
    rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]": "an ONNX file",  # its version, then another field
}
_START = 64
"""Number of bytes that identify the kind of a file."""


def check_file(path: Path, wanted: str, otherwise: str) -> None:
    """Reject a file that no library can read.

    Args:
        path: the file.
        wanted: expected kind of file, such as "a TFLite file".
        otherwise: next step if there is no such file.

    Raises:
        FileNotFoundError: if it is missing, or a folder.
        ValueError: if it cannot be read, is empty, or is a Git LFS pointer or a web page.
    """
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "is missing"
        raise MissingFileError(f"{path} {problem}; {otherwise}")
    try:
        start = _start(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise InputError(f"{path} is empty: it has 0 bytes; copy it again, or {otherwise}")
    if kind := _placeholder(start):
        raise InputError(f"{path} is not {wanted}, but {kind}")


def unreadable(path: Path, wanted: str, reason: Exception | str, next_step: str | None = None) -> ValueError:
    """Return the error for a file that a library rejects.

    Args:
        path: the file.
        wanted: expected kind of file.
        reason: the library's error.
        next_step: remedy; None for damaged content: compare it with the original.
    """
    parts = [" ".join(reason.split()) if isinstance(reason, str) else first_line(reason)]
    if next_step is None:
        parts += [f"it begins as {kind}" for kind in [recognize(_start(path))] if kind]
        next_step = f"compare its {path.stat().st_size:,} bytes with the original's, or name another file"
    return InputError(f"{path} cannot be read as {wanted}: {'; '.join(filter(None, (*parts, next_step)))}")


def first_line(error: Exception) -> str:
    """Return the first line of a library's error, with the error's type if that is one word."""
    first, *_ = str(error).strip().splitlines() or [""]
    return first.rstrip(".") if " " in first else f"{type(error).__name__} {first}".strip()


def is_tflite(content: bytes) -> bool:
    """Return whether bytes are the beginning of a TFLite file."""
    return content[4:8] == b"TFL3"


def _start(path: Path) -> bytes:
    with path.open("rb") as content:
        return content.read(_START)


def _placeholder(start: bytes) -> str | None:
    text = start.lstrip().lower()
    return next((kind for prefix, kind in _PLACEHOLDERS.items() if text.startswith(prefix)), None)


def recognize(start: bytes) -> str | None:
    """Return the kind of a file by its first bytes; None if unknown."""
    if placeholder := _placeholder(start):
        return placeholder
    for pattern, kind in _KINDS.items():
        if re.match(pattern, start, re.DOTALL):
            return kind
    line = re.match(rb"[\x20-\x7e]{8,}", start)
    return f"text, {line[0].decode()!r}" if line else None
