import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from blazepose.image_header import (
    count_images,
    is_camera_raw,
    is_still_image,
    stored_orientation,
    stored_size,
)
from blazepose.orientation import MATRICES
from tests.stored_images import FORMATS, PICTURE, encode

SIZE = PICTURE.shape[1], PICTURE.shape[0]


def gif(frames: int) -> bytes:
    """Write a GIF with a number of frames."""
    images = [Image.fromarray(np.roll(PICTURE, k, axis=0)) for k in range(frames)]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:])
    return file.getvalue()


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_stored_orientation_and_size(tmp_path, name, orientation):
    path = tmp_path / "image"
    path.write_bytes(encode(PICTURE, name, orientation))
    assert stored_orientation(path) == orientation
    assert stored_size(path) == SIZE


def test_the_stored_pixels_of_heic_are_upright(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(encode(PICTURE, "HEIF", 6))
    assert stored_orientation(path) == 1


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0", None])
def test_files_without_a_readable_header(tmp_path, content):
    path = tmp_path / "image"
    if content is not None:
        path.write_bytes(content)
    assert stored_orientation(path) == 1
    assert stored_size(path) is None


@pytest.mark.parametrize("name", FORMATS)
def test_still_images_are_recognized_by_their_content(tmp_path, name):
    path = tmp_path / "download"
    path.write_bytes(encode(PICTURE, name))
    assert is_still_image(path)


def test_bmp_and_jpeg_2000(tmp_path):
    for suffix in (".bmp", ".jp2"):
        path = tmp_path / "download"
        path.write_bytes(cv2.imencode(suffix, PICTURE)[1].tobytes())
        assert is_still_image(path)


def test_text_that_begins_like_a_bmp(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("BMI,age,image\n23,40,a.jpg\n" * 9)
    assert not is_still_image(path)


def test_a_gif_is_still_if_it_has_one_frame(tmp_path):
    (tmp_path / "one").write_bytes(gif(1))
    (tmp_path / "three").write_bytes(gif(3))
    assert is_still_image(tmp_path / "one")
    assert not is_still_image(tmp_path / "three")


def test_a_sequence_of_jpegs_is_a_video(tmp_path):
    path = tmp_path / "camera.MJPEG"
    path.write_bytes(2 * encode(PICTURE, "JPEG"))
    assert not is_still_image(path)


def test_a_photo_of_200_megapixels_has_a_size_and_an_orientation(tmp_path, recwarn):
    size = 16_320, 12_240
    small, large = (struct.pack(">HH", *sides[::-1]) for sides in (SIZE, size))
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(PICTURE, "JPEG", 6).replace(small, large))
    assert stored_size(path) == size
    assert stored_orientation(path) == 6
    assert not recwarn.list


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param({}, False, id="image"),
        pytest.param({254: 0}, False, id="full size"),
        pytest.param({254: 1}, True, id="preview"),
        pytest.param({50706: b"\1\4\0\0"}, True, id="DNG"),
    ],
)
def test_raw_files_of_cameras(tags, expected):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "TIFF", tiffinfo=tags)
    assert is_camera_raw(file) is expected


def test_a_canon_raw_file():
    assert is_camera_raw(io.BytesIO(b"II*\0\x10\0\0\0CR\2\0"))


@pytest.mark.parametrize("name", ["PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("count", [1, 3])
def test_images_of_a_file_are_counted(tmp_path, name, count):
    images = [Image.fromarray(np.roll(PICTURE, 8 * k, axis=0)) for k in range(count)]
    images[0].save(tmp_path / "images", name, save_all=True, append_images=images[1:])
    assert count_images(tmp_path / "images") == count


def test_a_preview_is_no_further_image(tmp_path):
    first, preview = Image.fromarray(PICTURE), Image.fromarray(PICTURE[::4, ::4])
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(tmp_path / "image.tif", save_all=True, append_images=[preview])
    assert count_images(tmp_path / "image.tif") == 1


@pytest.mark.parametrize("content", [b"", b"text", encode(PICTURE, "PNG")[:60], encode(PICTURE, "WEBP")[:40]])
def test_a_damaged_file_counts_as_one_image(tmp_path, content):
    (tmp_path / "image").write_bytes(content)
    assert count_images(tmp_path / "image") == 1


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI "]
)
def test_videos_are_no_still_images(tmp_path, head):
    path = tmp_path / "video.jpg"
    path.write_bytes(head.ljust(64, b"\0"))
    assert not is_still_image(path)
    assert not is_still_image(tmp_path / "nowhere")
