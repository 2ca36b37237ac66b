"""Picture files to arrays."""

import re
from pathlib import Path

import cv2
import numpy as np

from blazepose.whole_file import whole_file

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

_JPEG_START = b"\xff\xd8"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

# What begins with FF but is no marker: a stuffed FF 00, a restart inside a scan, a fill byte.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_JPEG_END = b"\xd9"


class ImageError(ValueError):
    """A file that is not a complete picture; the message is one sentence that names it."""


def read_image(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture, upright as its EXIF orientation says.

    Grey becomes three equal channels, 16 bits become 8, transparency is dropped.

    Args:
        path: any format that OpenCV reads.
        size: width and height it must have, if these are known.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        ImageError: if the file is missing, empty, cut off, not a picture, or of another size.
    """
    data = _read_bytes(path)
    # OpenCV fills what is missing of a cut-off file with grey and says nothing.
    if not _is_complete(data):
        raise ImageError(f"{path} is cut off: the picture has no end; copy or download it again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise ImageError(f"{path} cannot be decoded: {error.err}") from error
    if image is None:
        raise ImageError(f"{path} is not a picture that OpenCV can read")
    height, width = image.shape[:2]
    if size not in (None, (width, height)):
        raise ImageError(
            f"{path} is {width}x{height}, its labels are for {size[0]}x{size[1]}: it was scaled or turned "
            "since; label it anew, or take width and height out of the label file if they are wrong"
        )
    return image


def pictures_below(folder: Path) -> list[Path]:
    """Every picture file in a folder and its folders, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path} is missing") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise ImageError(f"{path} is empty")
    return data


def _is_complete(data: bytes) -> bool:
    if data.startswith(_JPEG_START):
        return _jpeg_has_end(data)
    if data.startswith(_PNG_START):
        return _PNG_END in data
    return True


def _jpeg_has_end(data: bytes) -> bool:
    """Walk the segments: an EXIF thumbnail has an end of its own, and a phone may append a film."""
    position = len(_JPEG_START)
    while marker := _JPEG_MARKER.search(data, position):
        if marker[1] == _JPEG_END:
            return True
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return False


def write_image(path: Path, image: np.ndarray) -> None:
    """Write an RGB picture in the format of its suffix; it appears when it is complete."""
    _, encoded = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    with whole_file(path) as part:
        part.write_bytes(encoded.tobytes())
