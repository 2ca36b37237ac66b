import numpy as np
import pytest

from blazepose.runtime.frames import as_rgb


def random_image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_gray_becomes_three_equal_channels(shape):
    gray = random_image(*shape)
    rgb = as_rgb(gray)
    assert rgb.shape == (5, 7, 3)
    for channel in range(3):
        np.testing.assert_array_equal(rgb[..., channel], gray.reshape(5, 7))


@pytest.mark.parametrize("channels", [3, 4])
def test_colors_keep_their_order_and_alpha_is_dropped(channels):
    image = random_image(5, 7, channels)
    rgb = as_rgb(image)
    np.testing.assert_array_equal(rgb, image[..., :3])
    assert rgb.flags.c_contiguous


def test_views_become_contiguous():
    image = random_image(10, 14, 3)
    for view in (image[::2, ::2], image[:, ::-1], image[..., ::-1], image.transpose(1, 0, 2)):
        rgb = as_rgb(view)
        assert rgb.flags.c_contiguous
        np.testing.assert_array_equal(rgb, view)
    np.testing.assert_array_equal(as_rgb(image[::2, ::2, 0])[..., 1], image[::2, ::2, 0])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 7, 3), np.float32), r"not float32 \(5, 7, 3\)"),
        (np.zeros((5, 7, 3), np.uint16), r"uint16"),
        (np.zeros((5, 7, 2), np.uint8), r"uint8 \(5, 7, 2\)"),
        (np.zeros((1, 5, 7, 3), np.uint8), r"uint8 \(1, 5, 7, 3\)"),
        (np.zeros(7, np.uint8), r"uint8 \(7,\)"),
        (np.zeros((), np.uint8), r"uint8 \(\)"),
    ],
)
def test_other_arrays_are_refused(image, message):
    with pytest.raises(ValueError, match=rf"a frame must be uint8 RGB \(height, width, 3\).*{message}"):
        as_rgb(image)


@pytest.mark.parametrize("shape", [(0, 7, 3), (5, 0, 3), (0, 0), (5, 32_767, 3), (32_767, 5)])
def test_empty_and_too_large_images_are_refused(shape):
    image = np.broadcast_to(np.zeros((), np.uint8), shape)
    with pytest.raises(ValueError, match=rf"1 to 32,766 pixels a side, not {shape[1]}x{shape[0]}"):
        as_rgb(image)


def test_the_largest_size_is_accepted():
    image = np.zeros((1, 32_766, 3), np.uint8)
    assert as_rgb(image).shape == image.shape
