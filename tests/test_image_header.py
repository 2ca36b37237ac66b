import io

import cv2
import numpy as np
import pytest
from PIL import Image

from blazepose.image_header import is_still_image, stored_orientation, stored_size
from blazepose.orientation import MATRICES
from tests.stored_images import FORMATS, PICTURE, encode

SIZE = PICTURE.shape[1], PICTURE.shape[0]


def gif(frames: int) -> bytes:
    """Write a GIF of so many frames."""
    pictures = [Image.fromarray(np.roll(PICTURE, k, axis=0)) for k in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_stored_orientation_and_size(tmp_path, name, orientation):
    path = tmp_path / "picture"
    path.write_bytes(encode(PICTURE, name, orientation))
    assert stored_orientation(path) == orientation
    assert stored_size(path) == SIZE


def test_every_program_finds_the_pixels_of_heic_upright(tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(encode(PICTURE, "HEIF", 6))
    assert stored_orientation(path) == 1


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0", None])
def test_files_without_a_readable_header(tmp_path, content):
    path = tmp_path / "picture"
    if content is not None:
        path.write_bytes(content)
    assert stored_orientation(path) == 1
    assert stored_size(path) is None


@pytest.mark.parametrize("name", FORMATS)
def test_still_images_are_known_by_their_content(tmp_path, name):
    path = tmp_path / "download"
    path.write_bytes(encode(PICTURE, name))
    assert is_still_image(path)


def test_bmp_and_jpeg_2000(tmp_path):
    for suffix in (".bmp", ".jp2"):
        path = tmp_path / "download"
        path.write_bytes(cv2.imencode(suffix, PICTURE)[1].tobytes())
        assert is_still_image(path)


def test_a_gif_is_still_if_it_has_one_frame(tmp_path):
    (tmp_path / "one").write_bytes(gif(1))
    (tmp_path / "three").write_bytes(gif(3))
    assert is_still_image(tmp_path / "one")
    assert not is_still_image(tmp_path / "three")


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI "]
)
def test_films_are_no_still_images(tmp_path, head):
    path = tmp_path / "film.jpg"
    path.write_bytes(head.ljust(64, b"\0"))
    assert not is_still_image(path)
    assert not is_still_image(tmp_path / "nowhere")
