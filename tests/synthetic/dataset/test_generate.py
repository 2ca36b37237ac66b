"""Rendering of a chunk."""

import cv2
import numpy as np
import pytest

from blazepose.synthetic.dataset.folder import RECIPE_VERSION, describe_recipe
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk
from blazepose.synthetic.poses.families import FAMILIES


def decode(image) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(image.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(scope="module")
def chunk():
    return list(render_chunk(Recipe(size=64), 0, 2))


def test_a_chunk_is_eight_images_of_people_and_a_negative_one(chunk):
    assert [image.number for image in chunk] == [16, 17, 18, 19, 20, 21, 22, 23, 2]
    assert [image.entry is None for image in chunk] == [False] * CHUNK + [True]
    assert chunk[-1].annotations == []
    for image in chunk[:-1]:
        assert image.entry["file_name"] == f"{image.number:06d}.jpg"
        assert image.entry["width"] == image.entry["height"] == 64
        assert image.annotations[0]["iscrowd"] == 0
        assert {person["image_id"] for person in image.annotations} == {image.number}
    assert all(decode(image).shape == (64, 64, 3) for image in chunk)


def test_a_chunk_depends_on_seed_split_and_number_only(chunk):
    list(render_chunk(Recipe(size=64, seed=5), 1, 7))  # another chunk before
    again = list(render_chunk(Recipe(size=64), 0, 2))
    assert [image.jpeg for image in again] == [image.jpeg for image in chunk]
    assert [image.annotations for image in again] == [image.annotations for image in chunk]
    others = [
        render_chunk(Recipe(size=64, seed=1), 0, 2),
        render_chunk(Recipe(size=64), 1, 2),
        render_chunk(Recipe(size=64), 0, 3),
    ]
    assert len({next(iter(other)).jpeg for other in others} | {chunk[0].jpeg}) == 4


def test_a_seed_gives_the_same_people_in_every_version(chunk):
    """If this changes, raise folder.RECIPE_VERSION: unfinished sets must not resume with other people."""
    people = [(image.annotations[0]["attributes"], image.entry["camera"]) for image in chunk[:-1]]
    sampled = [
        (attributes["family"], attributes["top"], attributes["occluder"], round(camera["pitch_deg"]))
        for attributes, camera in people
    ]
    assert RECIPE_VERSION == 2
    assert sampled == [
        ("stand", "long sleeves", "bar", -36),
        ("sit", "jumper", "none", -2),
        ("handstand", "sports bra", "none", -2),
        ("arms_overhead", "long sleeves", "none", -3),
        ("downward_dog", "jumper", "none", -34),
        ("press", "none", "none", -1),
        ("downward_dog", "long sleeves", "none", -38),
        ("stand", "tank top", "none", 12),
    ]


def test_the_main_person_is_mostly_visible(chunk):
    for image in chunk[:-1]:
        flags = np.array(image.annotations[0]["keypoints"]).reshape(-1, 3)[:, 2]
        assert (flags == 2).mean() > 0.25


def test_families_are_the_requested_ones():
    only = dict.fromkeys(FAMILIES, 0.0) | {"handstand": 1.0}
    images = list(render_chunk(Recipe(size=64, families=only), 0, 0))
    assert {person["attributes"]["family"] for image in images for person in image.annotations} == {
        "handstand"
    }


def test_the_users_backgrounds_are_visible_in_the_corners(tmp_path):
    cv2.imwrite(str(tmp_path / "pink.png"), np.full((80, 80, 3), (230, 20, 230), np.uint8))
    images = list(render_chunk(Recipe(size=64, backgrounds=(tmp_path / "pink.png",)), 0, 0))
    pink = 0
    for image in images:
        assert image.entry is None or image.entry["place"] == "picture"
        red, green, blue = decode(image)[:8, :8].reshape(-1, 3).mean(axis=0)
        pink += min(red, blue) > 1.6 * green
    assert pink >= 7


def test_the_recipe_distinguishes_backgrounds_by_content(tmp_path):
    for name, gray in (("a", 1), ("b", 1), ("a2", 2)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "x.png"), np.full((9, 9, 3), gray, np.uint8))
    a, b, other = (
        describe_recipe(Recipe(backgrounds=(tmp_path / name / "x.png",))) for name in ("a", "b", "a2")
    )
    assert a == b
    assert a != other
    assert a["pictures"].startswith("1, sha256 ")
