"""Image files whose pixels are stored turned or mirrored, in every format that can tell."""

import io
import struct

import cv2
import numpy as np
from PIL import Image

PICTURE = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8), (48, 32), interpolation=cv2.INTER_CUBIC
)
"""A smooth picture, RGB (32, 48, 3)."""

FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "AVIF": ".avif", "HEIF": ".heic"}


def encode(image: np.ndarray, name: str, orientation: int = 1) -> bytes:
    """Write an RGB image, with pixels as they are, and an orientation beside them."""
    if name == "TIFF":
        return tiff(image, orientation)
    if name == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(image).save(file, name, quality=95, exif=exif.tobytes())
    return file.getvalue()


def tiff(image: np.ndarray, orientation: int = 1) -> bytes:
    """Write an uncompressed TIFF of uint8, uint16 or float32, RGB or grey: Pillow has no RGB of 16 bits."""
    height, width = image.shape[:2]
    channels = image.shape[2] if image.ndim == 3 else 1
    pixels = image.tobytes()
    kind = 3 if image.dtype == np.float32 else 1
    tags = {
        256: (width,),
        257: (height,),
        258: (image.dtype.itemsize * 8,) * channels,
        259: (1,),
        262: (2 if channels == 3 else 1,),
        273: (8,),
        274: (orientation,),
        277: (channels,),
        278: (height,),
        279: (len(pixels),),
        339: (kind,) * channels,
    }
    start = 8 + len(pixels)
    end = start + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, numbers in tags.items():
        code = "H" if len(numbers) > 1 or tag == 274 else "I"
        packed = struct.pack(f"<{len(numbers)}{code}", *numbers)
        if len(packed) > 4:
            packed, values = struct.pack("<I", end + len(values)), values + packed
        entries += struct.pack("<HHI", tag, 3 if code == "H" else 4, len(numbers)) + packed.ljust(4, b"\0")
    return (
        b"II*\0"
        + struct.pack("<I", start)
        + pixels
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
        + values
    )
