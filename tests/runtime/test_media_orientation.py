"""Orientation and aspect of videos; images are recognized by their content."""

import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from blazepose.orientation import MATRICES, image_upright
from blazepose.runtime.media import VideoWriter, open_source
from tests.stored_images import FORMATS, PICTURE, encode

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(*colors) -> np.ndarray:
    """Return a 64x48 image of four colors: left upper, right upper, left lower, right lower."""
    image = np.zeros((48, 64, 3), np.uint8)
    for k, color in enumerate(colors):
        image[24 * (k // 2) :, 32 * (k % 2) :][:24, :32] = color
    return image


def corners(image: np.ndarray) -> list[list[int]]:
    """Return the colors of the four quarters, each channel rounded to 0 or 255."""
    height, width = image.shape[:2]
    centers = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [(255 * (image[center].astype(int) > 127)).tolist() for center in centers]


IMAGE = quarters(RED, GREEN, BLUE, WHITE)


def write_rotated(path, matrix: np.ndarray) -> None:
    """Write a video whose track header has this display matrix, (x, y) stored -> (x, y) shown."""
    with VideoWriter(path, Fraction(30)) as video:
        for time_ms in (0.0, 33.0):
            video.write(IMAGE, time_ms)
    content = bytearray(path.read_bytes())
    one, start = 1 << 16, content.index(b"tkhd") + 44
    assert struct.unpack_from(">9i", content, start) == (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    (a, c), (b, d) = (matrix * one).astype(int).tolist()
    struct.pack_into(">9i", content, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


def first_frame(path) -> np.ndarray:
    return next(open_source(str(path)).frames).image


@pytest.mark.parametrize("orientation", MATRICES)
def test_videos_are_turned_by_their_display_matrix(tmp_path, orientation):
    write_rotated(tmp_path / "a.mp4", MATRICES[orientation])
    image = first_frame(tmp_path / "a.mp4")
    expected = image_upright(IMAGE, orientation)
    assert image.flags.c_contiguous
    assert image.shape == expected.shape
    assert corners(image) == corners(expected)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_rotations_agree_with_opencv(tmp_path, orientation):
    """OpenCV's reader rotates videos, and ignores flips."""
    write_rotated(tmp_path / "a.mp4", MATRICES[orientation])
    expected = cv2.VideoCapture(str(tmp_path / "a.mp4")).read()[1][..., ::-1]
    assert corners(first_frame(tmp_path / "a.mp4")) == corners(expected)


@pytest.mark.parametrize("orientation", MATRICES)
def test_matroska_files_have_the_same_orientation(tmp_path, orientation):
    """Matroska stores a roll and a yaw; FFmpeg writes and reads them as a matrix."""
    path = tmp_path / "a.mkv"
    write_rotated(tmp_path / "a.mp4", MATRICES[orientation])
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert corners(first_frame(path)) == corners(image_upright(IMAGE, orientation))


def test_a_matrix_that_scales_or_is_zero(tmp_path):
    write_rotated(tmp_path / "a.mp4", np.array([[0, -2], [0.5, 0]]))
    assert corners(first_frame(tmp_path / "a.mp4")) == corners(image_upright(IMAGE, 6))
    write_rotated(tmp_path / "b.mp4", np.zeros((2, 2)))
    assert corners(first_frame(tmp_path / "b.mp4")) == corners(IMAGE)


@pytest.mark.parametrize("name", FORMATS)
def test_an_image_is_recognized_by_its_content(tmp_path, name):
    path = tmp_path / "video.mp4"
    path.write_bytes(encode(PICTURE, name, 6))
    source = open_source(str(path))
    (frame,) = source.frames
    assert (source.fps, frame.path, frame.image.shape) == (None, path, (48, 32, 3))


def test_a_song_with_a_cover_image_is_refused(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as song:
        sound = song.add_stream("libmp3lame", rate=44100)
        cover = song.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 48, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        cover_image = av.VideoFrame.from_ndarray(PICTURE, format="rgb24").reformat(format="yuvj420p")
        for packet in [*cover.encode(cover_image), *cover.encode(None)]:
            song.mux(packet)
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1152), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 44100
        for packet in [*sound.encode(silence), *sound.encode(None)]:
            song.mux(packet)
    with pytest.raises(ValueError, match=r"song\.mp3 contains no video, only audio, a cover image"):
        open_source(str(path))


def test_non_square_pixels_are_scaled(tmp_path):
    """DVDs and old camcorders have them."""
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(IMAGE)))
        container.mux(stream.encode(None))
    frames = list(open_source(str(tmp_path / "a.mp4")).frames)
    assert {frame.image.shape for frame in frames} == {(48, 85, 3)}
    assert corners(frames[0].image) == corners(IMAGE)
