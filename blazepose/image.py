"""Reading, writing and listing of image files."""

import errno
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from blazepose.atomic import atomic_path
from blazepose.exceptions import FileError, InputError
from blazepose.file_content import recognize
from blazepose.image_header import (
    HEAD_BYTES,
    image_format,
    is_camera_raw,
    is_still_image,
    open_image,
    read_orientation,
)
from blazepose.orientation import UPRIGHT, image_upright

WRITABLE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
"""Suffixes of images that can be written."""

IMAGE_SUFFIXES = {*WRITABLE_SUFFIXES, ".avif", ".heic", ".heif"}

_WHITE_LEVELS = (255, 1023, 4095, 16383, 65535)
"""White levels of the bit depths of cameras, 8 to 16."""

_SYSTEM_FOLDERS = {"__MACOSX", "@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN"}
"""Folders of thumbnails and deleted files: macOS, Synology, QNAP, Windows."""

_JPEG_START = b"\xff\xd8"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

# No markers, though they begin with FF: a stuffed FF 00, a restart inside a scan, a fill byte.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_JPEG_END = b"\xd9"


class ImageError(InputError):
    """A file that is not a complete image; the message is one sentence with its path."""


def read_image(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an image and turn it upright, by its EXIF orientation or the boxes of HEIF and AVIF.

    Gray becomes three equal channels, transparency is dropped, and more than 8 bits are scaled to 8 by the
    smallest of _WHITE_LEVELS above nearly all values: 12 bits in a file of 16 do not become black.

    Args:
        path: any format that OpenCV reads, AVIF, or HEIF if pillow-heif is installed.
        size: required width and height; None for any.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        ImageError: if the file is missing, empty, cut off, not an image, or of another size.
    """
    data = _read_bytes(path)
    # OpenCV fills the missing part of a cut-off file with gray, without an error.
    if not _is_complete(data):
        raise ImageError(f"{path} is cut off: the end of the image is missing; copy or download it again")
    name = image_format(data[:HEAD_BYTES])
    if name == "TIFF" and is_camera_raw(io.BytesIO(data)):
        raise ImageError(f"{path} is a camera's raw file, with only a readable preview; save it as JPEG")
    pixels = _decode_pillow(path, data, name) if name in ("AVIF", "HEIF") else _decode_opencv(path, data)
    # OpenCV turns every TIFF, and libheif every HEIF; other formats depend on the version of OpenCV.
    turned = name in ("TIFF", "HEIF")
    image = image_upright(pixels, UPRIGHT if turned else read_orientation(io.BytesIO(data), name))
    height, width = image.shape[:2]
    if size not in (None, (width, height)):
        raise ImageError(f"{path} is {width}x{height}, {_other_size(size, size == (height, width))}")
    return image


def _other_size(size: tuple[int, int], turned: bool) -> str:
    labels = f"its labels are for {size[0]}x{size[1]}"
    if turned:
        return (
            f"{labels}: it was turned after labelling, or lost its EXIF orientation, or the label file swaps "
            "width and height; restore the original, or swap them there"
        )
    return (
        f"{labels}: it was scaled or cropped after labelling; restore the original, label it again, or "
        "remove width and height from the label file if these are wrong"
    )


def _decode_opencv(path: Path, data: bytes) -> np.ndarray:
    # IMREAD_COLOR_RGB together with IMREAD_ANYDEPTH leaves 16-bit TIFFs undefined in OpenCV 4.11 and 5.0.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"{path} cannot be decoded: {error.err}") from error
    if image is None:
        kind = recognize(data[:HEAD_BYTES])
        begins = f"; it begins as {kind}" if kind else ""
        raise ImageError(f"{path} is not an image that OpenCV can read{begins}")
    return cv2.cvtColor(_to_8_bits(image), cv2.COLOR_BGR2RGB)


def _decode_pillow(path: Path, data: bytes, name: str) -> np.ndarray:
    try:
        if name == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        return np.asarray(open_image(io.BytesIO(data), name).convert("RGB"))
    except ModuleNotFoundError as error:
        raise ImageError(
            f"{path} is a HEIC image, which needs pillow-heif: pip install pillow-heif, or save it as JPEG"
        ) from error
    except (OSError, SyntaxError, ValueError, RuntimeError, ImportError) as error:
        raise ImageError(f"{path} cannot be decoded: {error}") from error


def _to_8_bits(image: np.ndarray) -> np.ndarray:
    """Scale pixels of any depth to uint8, so that nearly all of them stay below white."""
    if image.dtype == np.uint8:
        return image
    step = max(1, min(image.shape[:2]) // 500)
    sample = image[::step, ::step]
    bright = float(np.percentile(sample[np.isfinite(sample)], 99.9)) if np.isfinite(sample).any() else 0.0
    whites = _WHITE_LEVELS if np.issubdtype(image.dtype, np.integer) else (1, 2, 4, 8, 16, *_WHITE_LEVELS)
    white = next((white for white in whites if bright <= white), bright)
    scaled = np.nan_to_num(image.astype(np.float32)) * (255 / white)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def find_images(folder: Path) -> list[Path]:
    """List the images below a folder, sorted; `files_below` has the rules."""
    return sorted(filter(_is_image, files_below(folder)))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, its subfolders and the folders that it links to.

    A folder with several links is yielded once: under its own name if it is below, else under that of the
    first link. Hidden files and folders, and _SYSTEM_FOLDERS, are skipped.
    """
    visited: set[Path] = set()
    roots = [folder]
    for root in roots:
        for name, folders, files in os.walk(root):
            path = Path(name)
            if (real := path.resolve()) in visited:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(filter(_is_visible, folders))
            roots += [path / link for link in folders if (path / link).is_symlink()]
            yield from (path / file for file in files if _is_visible(file))


def _is_image(path: Path) -> bool:
    """Return whether a file is an image, by its suffix (even if damaged) or else by its content."""
    return path.suffix.lower() in IMAGE_SUFFIXES or (path.is_file() and is_still_image(path))


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name not in _SYSTEM_FOLDERS


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
    """Walk the segments: an EXIF thumbnail has its own end marker, and a phone may append a video."""
    position = len(_JPEG_START)
    while marker := _JPEG_MARKER.search(data, position):
        if marker[1] == _JPEG_END:
            return True
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return False


def write_image(path: Path, image: np.ndarray) -> None:
    """Write an RGB image in the format of its suffix, atomically.

    Raises:
        OSError: with EINVAL if the format does not support it.
    """
    try:
        encoded, data = cv2.imencode(path.suffix, image[..., ::-1])
    except cv2.error:
        encoded = False
    if not encoded:
        height, width = image.shape[:2]
        raise FileError(errno.EINVAL, f"OpenCV writes no {path.suffix} of {width}x{height} pixels")
    with atomic_path(path) as part:
        part.write_bytes(data.tobytes())  # unlike OpenCV, Python accepts names that are not valid text
