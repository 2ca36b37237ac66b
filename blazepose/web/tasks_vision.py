"""MediaPipe's runtime for browsers: fetched with npm on first use, recognized by checksum, kept in a cache.

It is not part of this package: it is 13.5 MB of Google's binaries, and its npm package contains no license
text (package.json names Apache-2.0).
"""

import hashlib
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from blazepose.atomic import atomic_path
from blazepose.exceptions import FileError, InputError
from blazepose.file_content import check_file, unreadable
from blazepose.package_download import Package, downloaded

VERSION = "1.1.0"
"""Chosen: the newest version that was compared with MediaPipe in Python."""

PACKAGE = Package(
    f"@mediapipe/tasks-vision {VERSION}",
    ("npm", "pack", f"@mediapipe/tasks-vision@{VERSION}"),
    ("--loglevel=error", "--pack-destination"),
)

# A browser needs these of the package. The other builds are for module workers and for browsers without
# SIMD, which none of the last years is.
SHA256: Mapping[str, str] = {
    "vision_bundle.mjs": "9d5fc9ef74b22329cf9aa88dc543956d192b8c254210b187271614713eb5b10c",
    "wasm/vision_wasm_internal.js": "7c652617b5bef832f42878ce8c5f752b0724bca6054e4bc1013a37d4b1949723",
    "wasm/vision_wasm_internal.wasm": "782eda3ec1f414fdb4f1d66a8b59093eb4d5ab437e06117796abf05962d68eef",
}
"""{file in the package: checksum}."""

_TARBALL = f"the npm tarball of @mediapipe/tasks-vision {VERSION}"


def load_tasks_vision(tarball: Path | None = None) -> dict[str, bytes]:
    """Return the files of SHA256, from a tarball, the cache, or npm; they are in the cache afterwards.

    Args:
        tarball: the npm package that the user has; None takes the cache, or else fetches it.

    Raises:
        FileNotFoundError: if there is no such tarball, or npm is needed and not installed.
        ConnectionError: if npm fails.
        ValueError: if the tarball is not that of this version.
        OSError: if the cache cannot be written.
    """
    cache = cache_folder()
    if tarball:
        files = _read_tarball(tarball)
    elif cached := _read_cache(cache):
        return cached
    else:
        by_hand = (
            f"run `{PACKAGE.command_line}` on a machine where it works, and give the file with --tasks-vision"
        )
        with downloaded(PACKAGE, by_hand) as file:
            files = _read_tarball(file)
    _write_cache(cache, files)
    return files


def cache_folder() -> Path:
    """Return the folder of the files, below the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "blazepose" / f"tasks-vision-{VERSION}"


def _read_cache(folder: Path) -> dict[str, bytes] | None:
    """Return the files of the cache, or None if one is missing or damaged."""
    try:
        files = {name: (folder / name).read_bytes() for name in SHA256}
    except OSError:
        return None
    return None if _differing(files) else files


def _write_cache(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        try:
            with atomic_path(folder / name) as part:
                part.write_bytes(content)
        except OSError as error:
            raise FileError(
                f"{folder} cannot be written ({error.strerror}): set XDG_CACHE_HOME to a folder that can"
            ) from error


def _read_tarball(path: Path) -> dict[str, bytes]:
    check_file(path, _TARBALL, f"`{PACKAGE.command_line}` fetches {_TARBALL}")
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.removeprefix("package/")
                if name in SHA256 and (content := archive.extractfile(member)):
                    files[name] = content.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, _TARBALL, error) from error
    if differing := _differing(files):
        raise InputError(
            f"{path} is not {_TARBALL}: {', '.join(differing)} is missing or has another SHA-256; "
            f"`{PACKAGE.command_line}` fetches it"
        )
    return files


def _differing(files: Mapping[str, bytes]) -> list[str]:
    """Return the names of the files that are missing, or not those that were tested."""
    return [name for name, sha in SHA256.items() if hashlib.sha256(files.get(name, b"")).hexdigest() != sha]
