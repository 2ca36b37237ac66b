"""The parts of the augmentation."""

import numpy as np

from blazepose.config.landmark import Augmentation
from blazepose.data.augment import distort_photometric, erase_random, sample_affine, sample_truncation


def test_sampled_parameters_stay_within_their_limits():
    config, rng = Augmentation(scale=0.1, shift=0.05, rotation_deg=8.0), np.random.default_rng(0)
    samples = [sample_affine(config, rng) for _ in range(300)]
    assert max(abs(d.scale - 1) for d in samples) <= 0.1
    assert max(abs(s) for d in samples for s in d.shift) <= 0.05
    assert 6 < np.degrees(max(abs(d.rotation_rad) for d in samples)) <= 8
    assert 0.3 < np.mean([d.hflip for d in samples]) < 0.7


def test_truncation_keeps_half_the_torso_and_cuts_below_most_often():
    torso = np.array([[40.0, 40], [60, 40], [42, 80], [58, 80]])
    points = np.concatenate([torso, [[50, 10], [45, 150], [20, 60], [85, 60]]])
    frames = [sample_truncation((200, 100, 3), points, torso, np.random.default_rng(i)) for i in range(200)]
    for left, top, right, bottom in frames:
        assert 0 <= left <= 50 <= right <= 100
        assert 0 <= top <= 60 <= bottom <= 200
    assert np.mean([bottom < 200 for *_, bottom in frames]) > 0.4


def test_frame_of_a_person_outside_the_image_is_valid():
    torso = np.full((4, 2), -50.0)
    for i in range(20):
        left, top, right, bottom = sample_truncation((60, 60, 3), torso, torso, np.random.default_rng(i))
        assert right - left >= 16
        assert bottom - top >= 16


def test_erasing_covers_exactly_the_points_under_it():
    image = np.full((256, 256, 3), 99, np.uint8)
    points = np.random.default_rng(3).uniform(-0.2, 1.2, (33, 2))
    covered, area = erase_random(image, points, np.random.default_rng(1))
    painted = (image != 99).any(axis=2)
    np.testing.assert_array_equal(area, painted)
    for point, hidden in zip(points * 256, covered, strict=True):
        x, y = np.floor(point).astype(int)
        inside = 0 <= x < 256 and 0 <= y < 256
        assert hidden == bool(inside and painted[y, x])


def test_photometric_distortion_moves_no_pixels():
    """Blurs and scaling must not move the image under its labels: a heatmap cell is four pixels.

    Downscaling rounds the size of the small image, which is worth up to 0.9 of a pixel.
    """
    y, x = np.mgrid[:256, :256]
    blob = np.exp(-((x - 90.3) ** 2 + (y - 140.7) ** 2) / (2 * 6**2))[..., None]
    image = (20 + 200 * blob * [1.0, 0.9, 0.8]).astype(np.uint8)
    for seed in range(300):
        changed = distort_photometric(image.copy(), np.random.default_rng(seed)).astype(float).mean(axis=2)
        weight = np.clip(changed - np.median(changed) - 30, 0, None)[110:170, 60:120]
        middle = [(weight * grid[110:170, 60:120]).sum() / weight.sum() for grid in (x, y)]
        np.testing.assert_allclose(middle, [90.3, 140.7], atol=1, err_msg=f"seed {seed}")


def test_photometric_distortion_is_repeatable_and_keeps_the_shape():
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    first, again = (distort_photometric(image.copy(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    others = [distort_photometric(image.copy(), np.random.default_rng(i)) for i in range(6)]
    assert any(not np.array_equal(first, other) for other in others)
    assert first.shape == image.shape
    assert first.dtype == np.uint8
