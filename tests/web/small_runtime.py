"""Small files in place of MediaPipe's runtime for browsers, known by their checksum."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from blazepose.web import tasks_vision


def use_small_runtime(monkeypatch: pytest.MonkeyPatch, cache: Path) -> dict[str, bytes]:
    """Put small contents in place of the files, with a cache of their own."""
    contents = {name: f"content of {name}".encode() for name in tasks_vision.SHA256}
    known = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(tasks_vision, "SHA256", known)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return contents


def write_tarball(path: Path, contents: dict[str, bytes]) -> Path:
    """Write an npm package."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"package.json": b"{}", **contents}.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path
