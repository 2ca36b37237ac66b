"""Camera pipeline: no shift, and sensible exposure."""

import cv2
import numpy as np

from blazepose.synthetic.render.sensor import camera_pipeline, compress

SIZE = 256
NO_PERSON = np.zeros((SIZE, SIZE), bool)


def disc(radius: float, center: float = SIZE / 2) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    inside = np.hypot(rows - center, columns - center) < radius
    return np.where(inside[..., None], 0.8, 0.02).astype(np.float32).repeat(3, axis=2)


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image.astype(float).mean(axis=2)
    weight = np.maximum(weight - (weight.max() + np.median(weight)) / 2, 0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.array([(weight * rows).sum(), (weight * columns).sum()]) / weight.sum()


def test_no_blur_shifts_the_image():
    scene, blurred = disc(60), 0
    for seed in range(60):
        image = camera_pipeline(scene, NO_PERSON, np.random.default_rng(seed))
        np.testing.assert_allclose(centroid(image), [SIZE / 2] * 2, atol=0.05)
        edge = image[SIZE // 2, SIZE // 2 + 50 : SIZE // 2 + 70].astype(int).mean(axis=1)
        blurred += np.abs(np.diff(edge)).max() < 0.7 * np.ptp(edge)
    assert 10 < blurred < 40


def test_motion_blur_of_every_direction_is_symmetric():
    """A small dot keeps its centroid under motion blur."""
    motion_blurred = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        if rng.random() < 0.12:  # motion blur, see sensor._blur
            image = camera_pipeline(disc(6), NO_PERSON, np.random.default_rng(seed))
            np.testing.assert_allclose(centroid(image), [SIZE / 2] * 2, atol=0.1)
            motion_blurred += 1
    assert motion_blurred > 30


def test_images_are_neither_black_nor_white():
    rng = np.random.default_rng(0)
    for light in (0.001, 0.1, 5.0):
        scene = light * rng.uniform(0.2, 1, (SIZE, SIZE, 3)).astype(np.float32)
        means = []
        for seed in range(30):
            image = camera_pipeline(scene, NO_PERSON, np.random.default_rng(seed))
            assert image.dtype == np.uint8
            assert image.shape == (SIZE, SIZE, 3)
            means.append(image.mean())
        assert 40 < min(means) < max(means) < 230
        assert 100 < np.median(means) < 150


def test_people_dominate_the_exposure():
    """A person before a window is not a silhouette."""
    scene, people = disc(100), NO_PERSON.copy()
    people[80:176, 80:176] = True
    scene[people] = 0.01
    for seed in range(10):
        exposed = camera_pipeline(scene, people, np.random.default_rng(seed))
        unaware = camera_pipeline(scene, NO_PERSON, np.random.default_rng(seed))
        assert exposed[people].mean() > unaware[people].mean() + 5


def test_a_dark_scene_stays_dark():
    image = camera_pipeline(np.zeros((SIZE, SIZE, 3), np.float32), NO_PERSON, np.random.default_rng(0))
    assert image.max() < 60


def test_the_same_seed_gives_the_same_bytes():
    files = set()
    for seed in (3, 3, 4):
        rng = np.random.default_rng(seed)
        files.add(compress(camera_pipeline(disc(40), NO_PERSON, rng), rng))
    assert len(files) == 2


def test_the_jpeg_decodes_to_the_image():
    image = camera_pipeline(disc(60), NO_PERSON, np.random.default_rng(1))
    image[:20, :20] = (200, 30, 30)
    for seed in range(5):
        data = compress(image, np.random.default_rng(seed))
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert decoded.shape == image.shape
        np.testing.assert_allclose(decoded[5:15, 5:15].mean(axis=(0, 1)), (200, 30, 30), atol=12)
