"""`.task` bundles: zip files of MediaPipe Tasks with detector and landmark network.

Source: docs/reference/mediapipe.md section 4.
"""

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from blazepose.exceptions import InputError
from blazepose.file_content import check_file, is_tflite, unreadable

BUNDLE, TFLITE = "a .task bundle", "a TFLite file"
DETECTOR_ENTRY, LANDMARKS_ENTRY = "pose_detector.tflite", "pose_landmarks_detector.tflite"
"""The two entries of a pose bundle."""

_ALIGNMENT = 64
"""Bytes; MediaPipe copies entries that start elsewhere before running them, and warns."""

_LOCAL_HEADER = 30
"""Bytes before an entry's name. Source: the zip format."""

_PADDING_ID = 0xD935
"""Id of the extra field for alignment. Source: Android's zipalign."""

_ENTRY_DATE = (2020, 1, 1, 0, 0, 0)
"""Date of the entries, fixed: the same networks give the same file."""


def read_tflite(path: Path, entry: str) -> bytes:
    """Read a `.tflite` file, or one entry of a `.task` bundle.

    Args:
        path: the file.
        entry: DETECTOR_ENTRY or LANDMARKS_ENTRY, the entry to read from a bundle.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or a bundle is compressed or for another task.
    """
    bundled = path.suffix == ".task"
    check_file(path, BUNDLE if bundled else TFLITE, "name a trained, exported or published network")
    if bundled:
        return _read_entry(path, entry)
    content = path.read_bytes()
    if not is_tflite(content):
        raise unreadable(path, TFLITE, "it has no identifier TFL3")
    return content


def list_networks(path: Path) -> list[str]:
    """Return the names of the TFLite files in a bundle; raises as read_tflite."""
    check_file(path, BUNDLE, "name a bundle")
    try:
        with zipfile.ZipFile(path) as bundle:
            names = [name for name in bundle.namelist() if name.endswith(".tflite")]
    except (zipfile.BadZipFile, EOFError, struct.error) as error:
        raise unreadable(path, BUNDLE, error) from error
    if not names:
        raise InputError(f"{path} has no TFLite file inside")
    return names


def _read_entry(path: Path, entry: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            if entry not in names:
                contents = ", ".join(names[:3] + [f"{len(names) - 3} more"] * (len(names) > 3)) or "nothing"
                raise InputError(f"{path} is no pose bundle: it holds {contents}, not {entry}")
            if bundle.getinfo(entry).compress_type != zipfile.ZIP_STORED:
                raise InputError(
                    f"{path} is compressed, which MediaPipe does not support: pack it with `zip -0`"
                )
            return bundle.read(entry)
    except (zipfile.BadZipFile, EOFError, struct.error, RuntimeError) as error:
        raise unreadable(path, BUNDLE, error) from error


def pack(entries: Mapping[str, bytes]) -> bytes:
    """Build a bundle in MediaPipe's layout: uncompressed, each entry at a multiple of 64 bytes.

    Args:
        entries: {name: content}.

    Examples:
        >>> from pathlib import Path
        >>> from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
        >>> detector = read_tflite(Path("pose_landmarker_full.task"), DETECTOR_ENTRY)
        >>> network = read_tflite(Path("pose_landmarker_full.task"), LANDMARKS_ENTRY)
        >>> content = pack({DETECTOR_ENTRY: detector, LANDMARKS_ENTRY: network})
        >>> content == Path("pose_landmarker_full.task").read_bytes()
        True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, _ENTRY_DATE)
            gap = -(buffer.tell() + _LOCAL_HEADER + len(name) + 4) % _ALIGNMENT
            entry.extra = struct.pack("<HH", _PADDING_ID, gap) + bytes(gap)
            bundle.writestr(entry, content)
    return buffer.getvalue()
