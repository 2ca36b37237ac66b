"""Rooms, landscapes and the user's pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.synthetic.appearance.color import to_linear
from blazepose.synthetic.render import pattern
from blazepose.synthetic.scene.camera import place_camera, sample_camera
from blazepose.synthetic.scene.environment import sample_environment
from tests.synthetic.stage import stage

PATTERNS = {
    getattr(pattern, name)
    for name in ("PLAIN", "CHECKS", "STRIPES", "SPECKLES", "TILES", "PLANKS", "PICTURE")
}


@pytest.fixture(scope="module")
def rooms(crowd):
    """Camera and room around somebody of each family."""
    rng = np.random.default_rng(0)
    drawn = []
    for figures in crowd.values():
        for figure in figures:
            camera = place_camera(sample_camera(rng), figure.front_rad, figure.vertices[::9], 48)
            radius = float(np.abs(figure.vertices[:, :2]).max()) + 0.2
            height = float(figure.vertices[:, 2].max())
            drawn.append((figure, camera, sample_environment(camera, np.zeros(2), radius, height, [], rng)))
    return drawn


@pytest.fixture
def picture(tmp_path) -> Path:
    """Red left half, blue right half."""
    image = np.zeros((90, 120, 3), np.uint8)
    image[:, :60], image[:, 60:] = (200, 20, 20), (20, 20, 200)
    cv2.imwrite(str(tmp_path / "halves.png"), image[..., ::-1])
    return tmp_path / "halves.png"


def test_both_kinds_are_built(rooms):
    kinds = [room.kind for _, _, room in rooms]
    assert 0.4 < kinds.count("indoors") / len(kinds) < 0.8
    assert set(kinds) == {"indoors", "outdoors"}


def test_camera_and_person_are_inside_the_walls(rooms):
    for figure, camera, room in rooms:
        walls = room.shell.mesh()[0]
        low, high = walls.min(axis=0), walls.max(axis=0)
        assert (low[:2] < figure.vertices[:, :2].min(axis=0)).all()
        assert (high[:2] > figure.vertices[:, :2].max(axis=0)).all()
        assert (low[:2] + 0.25 < camera.origin[:2]).all()
        assert (camera.origin[:2] < high[:2] - 0.25).all()
        assert low[2] == 0
        if room.kind == "indoors":
            assert camera.origin[2] < high[2] - 0.15
            assert 2.3 < high[2] < 4
            assert figure.vertices[:, 2].max() < high[2] - 0.15


def test_things_stand_on_the_ground_beside_people(rooms):
    for figure, _, room in rooms:
        things = room.things.mesh()[0]
        if len(things):
            assert things[:, 2].min() > -1e-5 or room.kind == "outdoors"  # leaves may touch the ground
            reach = np.abs(figure.vertices[:, :2]).max()
            assert np.linalg.norm(things[:, :2], axis=1).max() > reach


def test_materials_lights_and_backdrop_are_what_the_renderer_takes(rooms):
    for _, camera, room in rooms:
        used = np.concatenate([room.shell.mesh()[2], room.things.mesh()[2]])
        assert 0 <= used.min() <= used.max() < len(room.materials)
        for material in room.materials:
            assert material.pattern in PATTERNS - {pattern.PICTURE}
            for color in (material.first, material.second):
                assert 0 <= np.min(color) <= np.max(color) <= 1
            assert material.size_m > 0
            assert material.gloss >= 0
        assert 1 <= len(room.lights) <= 3
        for light in room.lights:
            assert light.position[2] > 0
            assert light.color.min() > 0
        assert room.ambient.shape == (2, 3)
        assert (room.ambient > 0).all()
        assert (room.ambient[1] <= room.ambient[0]).all()  # less from below
        assert room.backdrop.shape == (camera.size, camera.size, 3)
        assert np.isfinite(room.backdrop).all()


def test_indoors_nothing_is_behind_the_walls(renderer, rooms):
    for figure, camera, room in [each for each in rooms if each[2].kind == "indoors"][:6]:
        scene = stage([figure], camera)
        scene.room = room
        renderer.load(scene)
        assert (renderer.frame(scene).kind != -1).all()


def test_the_sky_is_above(renderer, rooms):
    seen = 0
    for figure, camera, room in [each for each in rooms if each[2].kind == "outdoors"][:12]:
        scene = stage([figure], camera)
        scene.room = room
        renderer.load(scene)
        rows, columns = np.nonzero(renderer.frame(scene).kind == -1)
        steps = np.column_stack(
            [np.stack([columns, rows], 1) - camera.center_px, np.full(len(rows), camera.focal_px)]
        )
        ways = steps @ camera.axes
        # The ground reaches 60 m, so what is nothing is above the horizon or a degree below it.
        assert (ways[:, 2] > -0.05 * np.linalg.norm(ways, axis=1)).all()
        seen += len(rows)
    assert seen > 1000


def test_a_picture_is_shown_as_it_is_but_for_size_part_and_mirror(crowd, picture):
    rng = np.random.default_rng(1)
    figure = crowd["stand"][0]
    camera = place_camera(sample_camera(rng), figure.front_rad, figure.vertices, 64)
    red, blue = to_linear(np.array([[200, 20, 20], [20, 20, 200]]) / 255)
    mirrored = []
    for _ in range(12):
        room = sample_environment(camera, np.zeros(2), 1.0, 1.8, [picture], rng)
        assert room.kind == "picture"
        assert room.backdrop.shape == (64, 64, 3)
        left, right = room.backdrop[:, 0], room.backdrop[:, -1]
        for column in (left, right):
            np.testing.assert_allclose(column, column[:1].repeat(64, axis=0), atol=1e-6)
            assert min(np.abs(column[0] - red).max(), np.abs(column[0] - blue).max()) < 0.01
        mirrored.append(np.abs(left[0] - blue).max() < 0.01)
    assert set(mirrored) == {True, False}


def test_a_picture_is_shown_free_of_shadows_and_darker_in_them(renderer, crowd, picture):
    rng = np.random.default_rng(2)
    figure = crowd["stand"][0]
    camera = place_camera(sample_camera(rng), figure.front_rad, figure.vertices, 64)
    scene = stage([figure], camera)
    scene.room = sample_environment(camera, np.zeros(2), 1.0, 1.8, [picture], rng)
    renderer.load(scene)
    frame = renderer.frame(scene)
    free = cv2.erode((frame.kind < 1).astype(np.uint8), np.ones((3, 3))) > 0
    share = frame.color[free] / scene.room.backdrop[free]
    assert share.max() < 1.001
    assert (share > 0.99).all(axis=1).mean() > 0.5


def test_a_damaged_picture_is_named(tmp_path, rooms):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"torn\.jpg"):
        sample_environment(
            rooms[0][1], np.zeros(2), 1.0, 1.8, [tmp_path / "torn.jpg"], np.random.default_rng(0)
        )
