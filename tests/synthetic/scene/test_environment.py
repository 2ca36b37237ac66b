"""Rooms, landscapes and the user's background images."""

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
    for name in ("PLAIN", "CHECKS", "STRIPES", "SPECKLES", "TILES", "PLANKS", "SHADOW_CATCHER")
}


@pytest.fixture(scope="module")
def environments(crowd):
    """Return figure, camera and environment for people of each family."""
    rng = np.random.default_rng(0)
    sampled = []
    for figures in crowd.values():
        for figure in figures:
            camera = place_camera(sample_camera(rng), figure.heading_rad, figure.vertices[::9], 48)
            radius = float(np.abs(figure.vertices[:, :2]).max()) + 0.2
            height = float(figure.vertices[:, 2].max())
            sampled.append((figure, camera, sample_environment(camera, np.zeros(2), radius, height, [], rng)))
    return sampled


@pytest.fixture
def background(tmp_path) -> Path:
    """Write an image with a red left half and a blue right half."""
    image = np.zeros((90, 120, 3), np.uint8)
    image[:, :60], image[:, 60:] = (200, 20, 20), (20, 20, 200)
    cv2.imwrite(str(tmp_path / "halves.png"), image[..., ::-1])
    return tmp_path / "halves.png"


def test_both_kinds_are_sampled(environments):
    kinds = [env.kind for _, _, env in environments]
    assert 0.4 < kinds.count("indoors") / len(kinds) < 0.8
    assert set(kinds) == {"indoors", "outdoors"}


def test_camera_and_person_are_inside_the_walls(environments):
    for figure, camera, env in environments:
        walls = env.shell.build()[0]
        low, high = walls.min(axis=0), walls.max(axis=0)
        assert (low[:2] < figure.vertices[:, :2].min(axis=0)).all()
        assert (high[:2] > figure.vertices[:, :2].max(axis=0)).all()
        assert (low[:2] + 0.25 < camera.origin[:2]).all()
        assert (camera.origin[:2] < high[:2] - 0.25).all()
        assert low[2] == 0
        if env.kind == "indoors":
            assert camera.origin[2] < high[2] - 0.15
            assert 2.3 < high[2] < 4
            assert figure.vertices[:, 2].max() < high[2] - 0.15


def test_objects_stand_on_the_ground_beside_people(environments):
    for figure, _, env in environments:
        objects = env.objects.build()[0]
        if len(objects):
            assert objects[:, 2].min() > -1e-5 or env.kind == "outdoors"  # leaves may touch the ground
            reach = np.abs(figure.vertices[:, :2]).max()
            assert np.linalg.norm(objects[:, :2], axis=1).max() > reach


def test_materials_lights_and_background_are_valid_for_the_renderer(environments):
    for _, camera, env in environments:
        used = np.concatenate([env.shell.build()[2], env.objects.build()[2]])
        assert 0 <= used.min() <= used.max() < len(env.materials)
        for material in env.materials:
            assert material.pattern in PATTERNS - {pattern.SHADOW_CATCHER}
            for color in (material.first_color, material.second_color):
                assert 0 <= np.min(color) <= np.max(color) <= 1
            assert material.size_m > 0
            assert material.gloss >= 0
        assert 1 <= len(env.lights) <= 3
        for light in env.lights:
            assert light.position[2] > 0
            assert light.color.min() > 0
        assert env.ambient.shape == (2, 3)
        assert (env.ambient > 0).all()
        assert (env.ambient[1] <= env.ambient[0]).all()  # less from below
        assert env.background.shape == (camera.size, camera.size, 3)
        assert np.isfinite(env.background).all()


def test_indoors_every_ray_hits_a_surface(renderer, environments):
    for figure, camera, env in [each for each in environments if each[2].kind == "indoors"][:6]:
        scene = stage([figure], camera)
        scene.environment = env
        renderer.load(scene)
        assert (renderer.render(scene).kind != -1).all()


def test_the_sky_is_above_the_horizon(renderer, environments):
    sky_pixels = 0
    for figure, camera, env in [each for each in environments if each[2].kind == "outdoors"][:12]:
        scene = stage([figure], camera)
        scene.environment = env
        renderer.load(scene)
        rows, columns = np.nonzero(renderer.render(scene).kind == -1)
        steps = np.column_stack(
            [np.stack([columns, rows], 1) - camera.center_px, np.full(len(rows), camera.focal_px)]
        )
        ways = steps @ camera.axes
        # The ground reaches 60 m, so empty pixels are above the horizon or at most a degree below it.
        assert (ways[:, 2] > -0.05 * np.linalg.norm(ways, axis=1)).all()
        sky_pixels += len(rows)
    assert sky_pixels > 1000


def test_a_background_is_cropped_resized_and_flipped_only(crowd, background):
    rng = np.random.default_rng(1)
    figure = crowd["stand"][0]
    camera = place_camera(sample_camera(rng), figure.heading_rad, figure.vertices, 64)
    red, blue = to_linear(np.array([[200, 20, 20], [20, 20, 200]]) / 255)
    mirrored = []
    for _ in range(12):
        env = sample_environment(camera, np.zeros(2), 1.0, 1.8, [background], rng)
        assert env.kind == "picture"
        assert env.background.shape == (64, 64, 3)
        left, right = env.background[:, 0], env.background[:, -1]
        for column in (left, right):
            np.testing.assert_allclose(column, column[:1].repeat(64, axis=0), atol=1e-6)
            assert min(np.abs(column[0] - red).max(), np.abs(column[0] - blue).max()) < 0.01
        mirrored.append(np.abs(left[0] - blue).max() < 0.01)
    assert set(mirrored) == {True, False}


def test_a_background_is_unchanged_outside_of_shadows(renderer, crowd, background):
    rng = np.random.default_rng(2)
    figure = crowd["stand"][0]
    camera = place_camera(sample_camera(rng), figure.heading_rad, figure.vertices, 64)
    scene = stage([figure], camera)
    scene.environment = sample_environment(camera, np.zeros(2), 1.0, 1.8, [background], rng)
    renderer.load(scene)
    frame = renderer.render(scene)
    not_person = cv2.erode((frame.kind < 1).astype(np.uint8), np.ones((3, 3))) > 0
    ratio = frame.color[not_person] / scene.environment.background[not_person]
    assert ratio.max() < 1.001
    assert (ratio > 0.99).all(axis=1).mean() > 0.5


def test_a_damaged_background_is_reported(tmp_path, environments):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"torn\.jpg"):
        sample_environment(
            environments[0][1], np.zeros(2), 1.0, 1.8, [tmp_path / "torn.jpg"], np.random.default_rng(0)
        )
