"""A chunk of a set."""

import cv2
import numpy as np
import pytest

from blazepose.synthetic.dataset.folder import RECIPE_VERSION, describe
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk
from blazepose.synthetic.poses.families import FAMILIES


def decoded(shot) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(scope="module")
def chunk():
    return list(render_chunk(Recipe(size=64), 0, 2))


def test_a_chunk_is_eight_pictures_of_people_and_one_of_nobody(chunk):
    assert [shot.number for shot in chunk] == [16, 17, 18, 19, 20, 21, 22, 23, 2]
    assert [shot.image is None for shot in chunk] == [False] * CHUNK + [True]
    assert chunk[-1].people == []
    for shot in chunk[:-1]:
        assert shot.image["file_name"] == f"{shot.number:06d}.jpg"
        assert shot.image["width"] == shot.image["height"] == 64
        assert shot.people[0]["iscrowd"] == 0
        assert {person["image_id"] for person in shot.people} == {shot.number}
    assert all(decoded(shot).shape == (64, 64, 3) for shot in chunk)


def test_a_chunk_depends_on_seed_split_and_number_only(chunk):
    list(render_chunk(Recipe(size=64, seed=5), 1, 7))  # whatever was rendered before
    again = list(render_chunk(Recipe(size=64), 0, 2))
    assert [shot.jpeg for shot in again] == [shot.jpeg for shot in chunk]
    assert [shot.people for shot in again] == [shot.people for shot in chunk]
    others = [
        render_chunk(Recipe(size=64, seed=1), 0, 2),
        render_chunk(Recipe(size=64), 1, 2),
        render_chunk(Recipe(size=64), 0, 3),
    ]
    assert len({next(iter(other)).jpeg for other in others} | {chunk[0].jpeg}) == 4


def test_the_same_seed_gives_the_same_people_as_before(chunk):
    """Where this changes, raise folder.RECIPE_VERSION: a set that was begun must not go on with others."""
    people = [(shot.people[0]["attributes"], shot.image["camera"]) for shot in chunk[:-1]]
    drawn = [
        (words["family"], words["top"], words["occluder"], round(at["pitch_deg"])) for words, at in people
    ]
    assert RECIPE_VERSION == 2
    assert drawn == [
        ("stand", "long sleeves", "bar", -36),
        ("sit", "jumper", "none", -2),
        ("handstand", "sports bra", "none", -2),
        ("arms_overhead", "long sleeves", "none", -3),
        ("downward_dog", "jumper", "none", -34),
        ("press", "none", "none", -1),
        ("downward_dog", "long sleeves", "none", -38),
        ("stand", "tank top", "none", 12),
    ]


def test_most_of_the_person_a_picture_is_of_can_be_seen(chunk):
    for shot in chunk[:-1]:
        flags = np.array(shot.people[0]["keypoints"]).reshape(-1, 3)[:, 2]
        assert (flags == 2).mean() > 0.25


def test_families_are_those_asked_for():
    only = dict.fromkeys(FAMILIES, 0.0) | {"handstand": 1.0}
    shots = list(render_chunk(Recipe(size=64, families=only), 0, 0))
    assert {person["attributes"]["family"] for shot in shots for person in shot.people} == {"handstand"}


def test_the_users_pictures_are_seen_in_the_corners(tmp_path):
    image = np.full((80, 80, 3), (230, 20, 230), np.uint8)
    cv2.imwrite(str(tmp_path / "pink.png"), image)
    shots = list(render_chunk(Recipe(size=64, pictures=(tmp_path / "pink.png",)), 0, 0))
    pink = 0
    for shot in shots:
        assert shot.image is None or shot.image["place"] == "picture"
        red, green, blue = decoded(shot)[:8, :8].reshape(-1, 3).mean(axis=0)
        pink += min(red, blue) > 1.6 * green
    assert pink >= 7


def test_the_recipe_tells_pictures_apart_by_content(tmp_path):
    for name, grey in (("a", 1), ("b", 1), ("a2", 2)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "x.png"), np.full((9, 9, 3), grey, np.uint8))
    a, b, other = (describe(Recipe(pictures=(tmp_path / name / "x.png",))) for name in ("a", "b", "a2"))
    assert a == b
    assert a != other
    assert a["pictures"].startswith("1, sha256 ")
