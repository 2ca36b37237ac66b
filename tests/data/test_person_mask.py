"""Masks follow their images."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as run_lengths

from blazepose.data.align import crop_matrix
from blazepose.data.annotation import Annotation
from blazepose.data.person_mask import BACKGROUND, IGNORE, PERSON, crop_mask
from blazepose.geometry import Roi, crop_image

SIZE = 64
WHOLE = (0, 0, 96, 80)


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    """An asymmetric blob that reaches the right edge of the image, uint8 (80, 96)."""
    pixels = np.zeros((80, 96), np.uint8)
    cv2.ellipse(pixels, (60, 40), (50, 18), 30, 0, 360, 1, -1)
    cv2.rectangle(pixels, (50, 5), (58, 30), 1, -1)
    return pixels


def of(pixels: np.ndarray, **changes: object) -> Annotation:
    mask = run_lengths.encode(np.asfortranarray(pixels))
    counts = mask["counts"].decode()
    nothing = np.zeros(33)
    return Annotation(
        Path("7.jpg"), "5", nothing, nothing, nothing, mask={"size": mask["size"], "counts": counts} | changes
    )


def shifted(x: float, y: float) -> np.ndarray:
    """Return the affine whose crop pixel (0, 0) shows (x, y) of the image, at its own scale."""
    return np.array([[SIZE, 0.0, x], [0.0, SIZE, y]])


def test_whole_pixels_are_copied(person):
    mask = crop_mask(of(person), WHOLE, shifted(20, 10), SIZE)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.where(person[10:74, 20:84], PERSON, BACKGROUND))


def test_the_matrix_may_flip(person):
    flipped = np.array([[-SIZE, 0.0, 90], [0.0, SIZE, 10]])
    mask = crop_mask(of(person), WHOLE, flipped, SIZE)
    np.testing.assert_array_equal(mask, np.where(person[10:74, 90:26:-1], PERSON, BACKGROUND))


def test_pixels_outside_the_image_are_ignored(person):
    mask = crop_mask(of(person), WHOLE, shifted(60, -7), SIZE)
    expected = np.full((SIZE, SIZE), IGNORE)
    expected[7:, :36] = np.where(person[:57, 60:], PERSON, BACKGROUND)
    np.testing.assert_array_equal(mask, expected)


def test_pixels_outside_a_truncated_frame_are_ignored(person):
    mask = crop_mask(of(person), (30, 0, 70, 50), shifted(20, 10), SIZE)
    valid = np.zeros((SIZE, SIZE), bool)
    valid[:40, 10:50] = True
    assert (mask[~valid] == IGNORE).all()
    np.testing.assert_array_equal(mask[valid], np.where(person[10:74, 20:84], PERSON, BACKGROUND)[valid])


def test_pixels_across_the_edge_of_the_image_are_ignored(person):
    mask = crop_mask(of(np.ones_like(person)), WHOLE, shifted(-0.5, 0), SIZE)
    assert (mask[:, 0] == IGNORE).all()
    assert (mask[:, 1:] == PERSON).all()


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 0.7, -2.5])
@pytest.mark.parametrize("scale", [0.4, 1.3])
def test_the_mask_follows_the_image_through_every_crop(person, hflip, rotation, scale):
    """At the outline, too: an image of the mask, cropped like images, has the same share in every pixel."""
    matrix = crop_matrix(Roi(56.0, 26.0, 70.0, 0.2), scale, (0.1, -0.05), rotation, hflip)
    expected = crop_image(np.repeat(255 * person[..., None], 3, axis=2), matrix, SIZE)[..., 0]
    mask = crop_mask(of(person), WHOLE, matrix, SIZE)
    valid = mask != IGNORE
    assert valid.mean() > 0.4
    assert valid.all() == (scale < 1)
    share = (mask[valid].astype(float) - BACKGROUND) / (PERSON - BACKGROUND)
    np.testing.assert_allclose(share, expected[valid] / 255, atol=0.006)  # rounded to 127 steps
    assert ((share > 0.1) & (share < 0.9)).any()


def test_without_a_mask_all_pixels_are_ignored():
    nothing = np.zeros(33)
    unmasked = Annotation(Path("7.jpg"), "5", nothing, nothing, nothing)
    assert (crop_mask(unmasked, WHOLE, shifted(0, 0), SIZE) == IGNORE).all()


def test_a_damaged_mask_is_an_error(person):
    with pytest.raises(ValueError, match=r"7\.jpg, person 5: Invalid RLE"):
        crop_mask(of(person, counts="PPPPPP1"), WHOLE, shifted(0, 0), SIZE)
