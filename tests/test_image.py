import os
import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from blazepose.image import ImageError, files_below, find_images, read_image
from blazepose.orientation import MATRICES, image_upright
from tests.stored_images import FORMATS, PICTURE, encode, tiff


def jpeg(image: np.ndarray = PICTURE, *options: int) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def with_exif(data: bytes, orientation: int, thumbnail: bytes = b"") -> bytes:
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + struct.pack("<I", 0) + thumbnail
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def written(folder: Path, data: bytes, name: str = "image.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_colors_are_rgb(tmp_path):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    image = read_image(written(tmp_path, jpeg(red)))
    assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
    assert (image[4, 4] == [254, 0, 0]).all()


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("name", FORMATS)
def test_images_are_upright(tmp_path, name, orientation):
    image = read_image(written(tmp_path, encode(PICTURE, name, orientation), "image" + FORMATS[name]))
    expected = image_upright(PICTURE, orientation)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 6


@pytest.mark.parametrize("orientation", MATRICES)
def test_16_bit_tiffs_are_upright(tmp_path, orientation):
    image = read_image(written(tmp_path, tiff(PICTURE.astype(np.uint16) << 8, orientation)))
    assert np.abs(image.astype(int) - image_upright(PICTURE, orientation)).max() <= 1


def test_heic_without_its_library(tmp_path, monkeypatch):
    path = written(tmp_path, encode(PICTURE, "HEIF"), "photo.jpg")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"photo\.jpg is a HEIC image, .* pip install pillow-heif"):
        read_image(path)


def test_the_suffix_does_not_matter(tmp_path):
    image = read_image(written(tmp_path, encode(PICTURE, "AVIF", 6), "image.png"))
    assert image.shape == (48, 32, 3)


def test_a_damaged_block_of_exif_is_ignored(tmp_path):
    data = with_exif(jpeg(), 6).replace(b"II*\0", b"XX*\0")
    assert read_image(written(tmp_path, data)).shape == PICTURE.shape


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_invalid_orientation_is_ignored(tmp_path, orientation):
    assert read_image(written(tmp_path, with_exif(jpeg(), orientation))).shape == PICTURE.shape


def test_exif_behind_other_blocks(tmp_path):
    xmp = b"\xff\xe1" + struct.pack(">H", 34) + b"http://ns.adobe.com/xap/1.0/\0".ljust(32, b" ")
    icc = b"\xff\xe2" + struct.pack(">H", 40_002) + bytes(40_000)
    data = with_exif(jpeg(), 6)
    assert read_image(written(tmp_path, data[:2] + xmp + icc + b"\xff" + data[2:])).shape == (48, 32, 3)


def test_gray_becomes_three_channels(tmp_path):
    image = read_image(written(tmp_path, png(PICTURE[..., 0])))
    assert (image == PICTURE[..., :1]).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_more_bits_become_8(tmp_path, bits, channels):
    """Cameras of 12 bits write files of 16: the brightest value becomes white, not nearly black."""
    values = np.linspace(0, 2**bits - 1, 32 * 48 * channels).astype(np.uint16).reshape(32, 48, channels)
    image = read_image(written(tmp_path, png(values[..., ::-1] if channels == 3 else values)))
    assert image.dtype == np.uint8
    assert np.abs(image - values / (2**bits - 1) * 255).max() <= 1


def test_hot_pixels_do_not_darken_the_rest(tmp_path):
    values = np.full((64, 64), 3000, np.uint16)
    values[5, 5] = 65535
    image = read_image(written(tmp_path, png(values)))
    assert image[0, 0, 0] == 3000 * 255 // 4095
    assert image[5, 5, 0] == 255


@pytest.mark.parametrize("scale", [1.0, 255.0, 65535.0])
def test_floating_point_images(tmp_path, scale):
    values = (PICTURE / 255 * scale).astype(np.float32)
    values[0, 0] = np.nan
    image = read_image(written(tmp_path, tiff(values)))
    assert np.abs(image.astype(int) - PICTURE)[1:].max() <= 1


def test_highlights_of_floating_point_images_do_not_darken_the_rest(tmp_path):
    values = np.full((64, 64, 3), 0.5, np.float32)
    values[:8] = 1.5
    image = read_image(written(tmp_path, tiff(values)))
    assert (image[32, 32, 0], image[0, 0, 0]) == (63, 191)  # white is 2


def test_a_black_image_of_16_bits_stays_black(tmp_path):
    assert read_image(written(tmp_path, png(np.zeros((8, 8), np.uint16)))).max() == 0


def test_transparency_is_dropped(tmp_path):
    clear = np.dstack([PICTURE[..., ::-1], np.zeros((32, 48), np.uint8)])
    assert (read_image(written(tmp_path, png(clear))) == PICTURE).all()


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.999])
def test_cut_off_jpeg(tmp_path, progressive, fraction):
    data = jpeg(PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    read_image(written(tmp_path, data))
    with pytest.raises(ImageError, match=r"image\.jpg is cut off"):
        read_image(written(tmp_path, data[: int(len(data) * fraction)]))


def test_cut_off_jpeg_whose_thumbnail_is_whole(tmp_path):
    data = with_exif(jpeg(), 1, thumbnail=jpeg(PICTURE[:16, :16]))
    read_image(written(tmp_path, data))
    with pytest.raises(ImageError, match="is cut off"):
        read_image(written(tmp_path, data[:-40]))


def test_jpeg_filled_up_with_zeros(tmp_path):
    data = jpeg()
    with pytest.raises(ImageError, match="is cut off"):
        read_image(written(tmp_path, data[:-100] + bytes(100)))


def test_jpeg_followed_by_a_video(tmp_path):
    video = b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff\xd8\xff\xe1" + bytes(range(256)) * 4
    image = read_image(written(tmp_path, jpeg() + video))
    assert np.abs(image.astype(int) - PICTURE).mean() < 3


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.99])
def test_cut_off_png(tmp_path, fraction):
    data = png(PICTURE)
    with pytest.raises(ImageError, match=r"a\.png is cut off"):
        read_image(written(tmp_path, data[: int(len(data) * fraction)], "a.png"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (
            b"<html>not found</html>",
            "is not an image that OpenCV can read; it begins as a web page; download",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1",
            ".* can read; it begins as a Git LFS pointer; `git lfs",
        ),
        (bytes(range(200)), "is not an image that OpenCV can read$"),
    ],
)
def test_not_an_image(tmp_path, data, message):
    with pytest.raises(ImageError, match=rf"image\.jpg {message}"):
        read_image(written(tmp_path, data))


def test_another_size_than_the_labels_were_made_at(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60, 3), np.uint8))
    assert read_image(tmp_path / "a.png", (60, 40)).shape == (40, 60, 3)
    with pytest.raises(ImageError, match=r"a\.png is 60x40, its labels are for 120x80: it was scaled"):
        read_image(tmp_path / "a.png", (120, 80))
    with pytest.raises(ImageError, match=r"a\.png is 60x40, its labels are for 40x60: .* EXIF orientation"):
        read_image(tmp_path / "a.png", (40, 60))


def test_the_preview_of_a_raw_file_is_rejected(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "IMG_1.DNG", "TIFF", tiffinfo={254: 1})
    with pytest.raises(ImageError, match=r"^\S+IMG_1\.DNG is a camera's raw file, .*; save it as JPEG$"):
        read_image(tmp_path / "IMG_1.DNG")


def test_missing_file(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.jpg is missing"):
        read_image(tmp_path / "nowhere.jpg")


def test_folder(tmp_path):
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path)


def below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_images(folder)]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_images_of_folders_and_of_linked_ones(tmp_path):
    touch(tmp_path, "in/home/b.JPG", "in/a.png", "in/notes.txt", "store/gym/c.jpg", "store/gym/old/d.webp")
    (tmp_path / "in/gym").symlink_to("../store/gym")
    (tmp_path / "in/e.jpg").symlink_to("a.png")
    assert below(tmp_path / "in") == ["a.png", "e.jpg", "gym/c.jpg", "gym/old/d.webp", "home/b.JPG"]
    assert len(list(files_below(tmp_path / "in"))) == 6
    (tmp_path / "all").symlink_to("in")
    assert len(find_images(tmp_path / "all")) == 5


def test_loops_of_links_end(tmp_path):
    touch(tmp_path, "in/a.jpg", "in/sub/b.jpg", "other/c.jpg")
    (tmp_path / "in/sub/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/itself").symlink_to("itself")
    (tmp_path / "in/other").symlink_to("../other")
    (tmp_path / "other/back").symlink_to("../in")
    (tmp_path / "in/nowhere").symlink_to("nothing")
    assert below(tmp_path / "in") == ["a.jpg", "other/c.jpg", "sub/b.jpg"]


def test_a_folder_is_listed_once_under_its_own_name(tmp_path):
    touch(tmp_path, "in/real/a.jpg", "store/b.jpg")
    (tmp_path / "in/alias").symlink_to("real")
    (tmp_path / "in/second").symlink_to("../store")
    (tmp_path / "in/first").symlink_to("../store")
    assert below(tmp_path / "in") == ["first/b.jpg", "real/a.jpg"]


def test_hidden_files_are_skipped(tmp_path):
    hidden = (".a.jpg", "._b.jpg", ".cache/c.jpg", "__MACOSX/d.jpg", "sub/__MACOSX/sub/._e.jpg")
    hidden += ("@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/a.jpg", "@Recycle/a.jpg", "$RECYCLE.BIN/a.jpg")
    touch(tmp_path, ".in/b.jpg", *(f".in/{name}" for name in hidden))
    assert below(tmp_path / ".in") == ["b.jpg"], "the folder itself was named"
    assert len(list(files_below(tmp_path / ".in"))) == 1


def test_images_without_a_suffix_are_listed(tmp_path):
    """As downloads, and as labelling servers store uploads."""
    written(tmp_path, encode(PICTURE, "WEBP"), "upload-17")
    written(tmp_path, encode(PICTURE, "PNG"), "photo.download")
    written(tmp_path, b"text", "notes.txt")
    os.mkfifo(tmp_path / "pipe")
    assert [path.name for path in find_images(tmp_path)] == ["photo.download", "upload-17"]
