"""Format, size and orientation of an image file, from its content and without decoding pixels."""

import io
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from blazepose.orientation import MATRICES, UPRIGHT

HEAD_BYTES = 64
"""Bytes that `image_format` needs."""

_MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "GIF": (b"GIF87a", b"GIF89a"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""Brands in a file's first box. Source: ISO/IEC 23008-12 and the AV1 Image File Format."""

_VIDEO_SUFFIXES = {".mjpeg", ".mjpg"}
"""Suffixes of videos that are a sequence of JPEG images."""

BinaryFile = io.BufferedReader | io.BytesIO

_ORIENTATION, _SUBFILE_TYPE, _DNG_VERSION = 0x0112, 254, 50706
"""Tags of TIFF. Source: TIFF 6.0; Digital Negative Specification."""

_REDUCED = 1
"""Bit of _SUBFILE_TYPE: the image is a small version of another one in the file."""

_EXIF_PREFIX = b"Exif\0\0"


def image_format(head: bytes) -> str | None:
    """Recognize the format of a still image by the first HEAD_BYTES of its file; None for anything else."""
    if head[4:8] == b"ftyp":
        length = int.from_bytes(head[:4], "big")
        brands = {head[8:12], *(head[k : k + 4] for k in range(16, min(length, HEAD_BYTES), 4))}
        return "AVIF" if brands & _AVIF_BRANDS else "HEIF" if brands & _HEIF_BRANDS else None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and any(head[6:10]):  # text: these bytes of a BMP are reserved
        return None
    return next((name for name, starts in _MAGIC.items() if head.startswith(starts)), None)


def is_still_image(path: Path) -> bool:
    """Return whether a file's content is a still image; false for animated GIF, raw files and MJPEG."""
    if path.suffix.lower() in _VIDEO_SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            name = image_format(file.read(HEAD_BYTES))
            if name == "GIF":
                file.seek(0)
                with Image.open(file) as image:
                    return not getattr(image, "is_animated", False)
            return name is not None and not (name == "TIFF" and is_camera_raw(file))
    except (OSError, SyntaxError):
        return False


def stored_orientation(path: Path) -> int:
    """Read the EXIF orientation of an image file; UPRIGHT if it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123, Path.open is slow for 100,000 files
            return read_orientation(file, image_format(file.read(HEAD_BYTES)))
    except OSError:
        return UPRIGHT


def stored_size(path: Path) -> tuple[int, int] | None:
    """Read width and height of the stored pixels of an image file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            image = open_image(file, image_format(file.read(HEAD_BYTES)))
            # Pillow returns the upright size of a TIFF.
            return (image.tag_v2[256], image.tag_v2[257]) if isinstance(image, TiffImageFile) else image.size
    except (OSError, SyntaxError, ValueError, KeyError):
        return None


def open_image(file: BinaryFile, name: str | None) -> Any:
    """Open an image file with Pillow; with a known format also 200 megapixels, too large for `Image.open`."""
    file.seek(0)
    if name is None:
        return Image.open(file)
    Image.init()
    return Image.OPEN[name.replace(" ", "")][0](file, "")


def count_images(path: Path) -> int:
    """Count the frames or pages of an image file, without small versions; 1 for any other file."""
    try:
        with path.open("rb") as file:
            name = image_format(file.read(HEAD_BYTES))
            if name not in ("PNG", "WEBP", "AVIF", "TIFF"):
                return 1
            image = open_image(file, name)
            frames = getattr(image, "n_frames", 1)
            if name != "TIFF" or frames == 1:
                return frames
            return sum(_subfile_type(image, k) & _REDUCED == 0 for k in range(frames))
    except Exception:  # a damaged file raises any error; decoding reports it
        return 1


def is_camera_raw(file: BinaryFile) -> bool:
    """Return whether a TIFF is a camera's raw file, whose first image is a preview: DNG, CR2, NEF, ARW."""
    file.seek(0)
    if file.read(10)[8:] == b"CR":
        return True
    try:
        tags = open_image(file, "TIFF").tag_v2
        return _DNG_VERSION in tags or bool(tags.get(_SUBFILE_TYPE, 0) & _REDUCED)
    except Exception:  # as in count_images
        return False


def read_orientation(file: BinaryFile, name: str | None) -> int:
    """Read the EXIF orientation of an open image file; UPRIGHT if it is missing or invalid.

    HEIF stores rotations in boxes that every decoder applies, and its EXIF orientation is ignored.

    Args:
        file: at any position.
        name: format, as `image_format` returns it.
    """
    try:
        if name in _EXIF_BLOCKS:
            if not (block := _EXIF_BLOCKS[name](file)):
                return UPRIGHT
            exif = Image.Exif()
            exif.load(block.removeprefix(_EXIF_PREFIX))
        elif name in ("TIFF", "AVIF"):  # Pillow converts AVIF's boxes irot and imir to EXIF's number
            exif = open_image(file, name).getexif()
        else:
            return UPRIGHT
    except Exception:  # damaged metadata raise any error; viewers ignore them, too
        return UPRIGHT
    orientation = exif.get(_ORIENTATION, UPRIGHT)
    return orientation if orientation in MATRICES else UPRIGHT


def _subfile_type(image: Any, page: int) -> int:
    image.seek(page)
    return int(image.tag_v2.get(_SUBFILE_TYPE, 0))


def _jpeg_exif(file: BinaryFile) -> bytes:
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] != 0xDA:  # 0xDA: pixels begin
        if head[1] == 0xFF:  # a fill byte
            file.seek(-3, io.SEEK_CUR)
            continue
        length = int.from_bytes(head[2:], "big") - 2
        if head[1] != 0xE1:
            file.seek(length, io.SEEK_CUR)
        elif (block := file.read(length)).startswith(_EXIF_PREFIX):  # else XMP
            return block
    return b""


def _png_exif(file: BinaryFile) -> bytes:
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"eXIf":
            return file.read(length)
        file.seek(length + 4, io.SEEK_CUR)  # and its checksum
    return b""


def _webp_exif(file: BinaryFile) -> bytes:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            return file.read(length)
        file.seek(length + length % 2, io.SEEK_CUR)
    return b""


_EXIF_BLOCKS = {"JPEG": _jpeg_exif, "PNG": _png_exif, "WEBP": _webp_exif}
