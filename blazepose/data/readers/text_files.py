"""Read text and JSON files in UTF-8, UTF-16 or UTF-32, and identify files that are something else."""

import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blazepose.data.guide import guide_section
from blazepose.data.readers.files import require_file
from blazepose.exceptions import InputError

_KEYPOINT_LISTS = {"keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"}

_NOT_TEXT = {
    b"PK\x03\x04": "is a zip archive, or an Excel workbook: unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV UTF-8",
    b"\x1f\x8b": "is compressed with gzip: unpack it with zcat FILE > NEW",
    b"BZh": "is compressed with bzip2: unpack it with bzcat FILE > NEW",
    b"\xfd7zXZ": "is compressed with xz: unpack it with xzcat FILE > NEW",
    b"7z\xbc\xaf": "is a 7z archive: unpack it",
    b"Rar!": "is a RAR archive: unpack it",
    b"version https://git-lfs": "is a Git LFS pointer, not the file itself: fetch the file with git lfs pull",
}
"""{first bytes: file type and how to get the text}."""


def read_text(file: Path) -> str:
    """Read a text in UTF-8, or in UTF-16 or UTF-32, detected from its first bytes.

    Other encodings are refused: all of them decode any bytes, and a wrong one garbles names.

    Raises:
        ValueError: if it cannot be read; states what the file is instead.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    if not data or data.isspace():
        raise InputError(f"{file} is empty: copy or export it again")
    for start, kind in _NOT_TEXT.items():
        if data.startswith(start):
            raise InputError(f"{file} {kind}")
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data:
            problem = f"{file} is not text, or is cut off: {error}; copy or export it again"
        else:
            problem = (
                f"{file} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}; save it as "
                "UTF-8 (Excel: CSV UTF-8), or convert it: iconv -f ENCODING -t UTF-8 (GB18030 from Chinese, "
                "CP1252 from Western Windows)"
            )
        raise InputError(problem) from error


def slim(entry: dict[str, Any]) -> dict[str, Any]:
    """Drop COCO's outlines from a JSON object and pack its keypoint lists as floats.

    A person with 133 keypoints takes 13 kB as Python numbers; so 100,000 people would not fit in 1 GB.
    """
    entry.pop("segmentation", None)
    for key in _KEYPOINT_LISTS & entry.keys():
        try:
            entry[key] = array("f", entry[key])
        except (
            TypeError,
            OverflowError,
        ):  # keypoint names, or an error that the reader reports
            continue
    return entry


def read_json(file: Path, doc_section: str, pack: Callable[[dict[str, Any]], dict[str, Any]] = slim) -> Any:
    """Read a JSON file.

    Args:
        file: path of the file.
        doc_section: heading of the data set in data/README.md.
        pack: function that compacts each object while the rest is still being read.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it is not JSON; states what it is.
    """
    text = read_text(require_file(file, doc_section))
    try:
        return json.loads(text, object_hook=pack)
    except json.JSONDecodeError as error:
        problem = _problem(text, error)
        raise InputError(f"{file} {problem} ({error}); see {guide_section(doc_section)}") from error


def _problem(text: str, error: json.JSONDecodeError) -> str:
    if text.lstrip().startswith("<"):
        return "is a web page or XML, not JSON"
    if error.msg == "Extra data" and error.colno == 1:
        return "is JSON Lines, or several JSON values: only one can be read"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return "is cut off: copy or export it again"
    return "is not JSON"
