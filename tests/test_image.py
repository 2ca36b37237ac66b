import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.image import ImageError, read_image

PICTURE = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8), (48, 32), interpolation=cv2.INTER_CUBIC
)
"""A smooth picture, RGB (32, 48, 3)."""


def jpeg(image: np.ndarray = PICTURE, *options: int) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def with_exif(data: bytes, orientation: int, thumbnail: bytes = b"") -> bytes:
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + struct.pack("<I", 0) + thumbnail
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def written(folder: Path, data: bytes, name: str = "picture.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_colours_are_rgb(tmp_path):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    image = read_image(written(tmp_path, jpeg(red)))
    assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
    assert (image[4, 4] == [254, 0, 0]).all()


TURNED = {
    1: PICTURE,
    2: PICTURE[:, ::-1],
    3: PICTURE[::-1, ::-1],
    4: PICTURE[::-1],
    5: PICTURE.transpose(1, 0, 2),
    6: np.rot90(PICTURE, -1),
    7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PICTURE),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_is_followed(tmp_path, orientation):
    image = read_image(written(tmp_path, with_exif(jpeg(), orientation)))
    expected = TURNED[orientation]
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 3


def test_grey_becomes_three_channels(tmp_path):
    image = read_image(written(tmp_path, png(PICTURE[..., 0])))
    assert (image == PICTURE[..., :1]).all()


def test_16_bits_become_8(tmp_path):
    grey = np.linspace(0, 65535, 32 * 48).astype(np.uint16).reshape(32, 48)
    image = read_image(written(tmp_path, png(grey)))
    assert image.dtype == np.uint8
    assert (image == (grey >> 8)[..., None]).all()


def test_transparency_is_dropped(tmp_path):
    clear = np.dstack([PICTURE[..., ::-1], np.zeros((32, 48), np.uint8)])
    assert (read_image(written(tmp_path, png(clear))) == PICTURE).all()


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_cut_off_jpeg(tmp_path, progressive, share):
    data = jpeg(PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    read_image(written(tmp_path, data))
    with pytest.raises(ImageError, match=r"picture\.jpg is cut off"):
        read_image(written(tmp_path, data[: int(len(data) * share)]))


def test_cut_off_jpeg_whose_thumbnail_is_whole(tmp_path):
    data = with_exif(jpeg(), 1, thumbnail=jpeg(PICTURE[:16, :16]))
    read_image(written(tmp_path, data))
    with pytest.raises(ImageError, match="is cut off"):
        read_image(written(tmp_path, data[:-40]))


def test_jpeg_filled_up_with_zeros(tmp_path):
    data = jpeg()
    with pytest.raises(ImageError, match="is cut off"):
        read_image(written(tmp_path, data[:-100] + bytes(100)))


def test_jpeg_followed_by_a_film(tmp_path):
    film = b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff\xd8\xff\xe1" + bytes(range(256)) * 4
    image = read_image(written(tmp_path, jpeg() + film))
    assert np.abs(image.astype(int) - PICTURE).mean() < 3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off_png(tmp_path, share):
    data = png(PICTURE)
    with pytest.raises(ImageError, match=r"a\.png is cut off"):
        read_image(written(tmp_path, data[: int(len(data) * share)], "a.png"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "is empty"), (b"<html>not found</html>", "is not a picture that OpenCV can read")],
)
def test_not_a_picture(tmp_path, data, sentence):
    with pytest.raises(ImageError, match=rf"picture\.jpg {sentence}"):
        read_image(written(tmp_path, data))


def test_another_size_than_the_labels_were_made_at(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60, 3), np.uint8))
    assert read_image(tmp_path / "a.png", (60, 40)).shape == (40, 60, 3)
    for size in ((40, 60), (120, 80)):
        with pytest.raises(ImageError, match=rf"a\.png is 60x40, its labels are for {size[0]}x{size[1]}"):
            read_image(tmp_path / "a.png", size)


def test_missing_file(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.jpg is missing"):
        read_image(tmp_path / "nowhere.jpg")


def test_folder(tmp_path):
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path)
