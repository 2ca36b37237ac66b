"""Where the camera stands and what it sees."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from blazepose.synthetic.scene.camera import look_at, place_camera, project, sample_camera
from blazepose.synthetic.scene.solids import quad
from tests.synthetic.stage import stage

EYE, TARGET = np.array([2.0, -3.0, 1.5]), np.array([0.0, 0.5, 0.9])
UP = np.array([0.0, 0.0, 1.0])


def shots(count: int):
    rng = np.random.default_rng(0)
    return [sample_camera(rng) for _ in range(count)]


@pytest.mark.parametrize("target", [TARGET, EYE - UP, EYE + UP, EYE + UP[::-1]])
@pytest.mark.parametrize("roll", [0.0, 0.4, -2.0])
def test_axes_are_orthonormal_and_right_handed(target, roll):
    camera = look_at(EYE, target, roll, 100.0, 64)
    right, down, ahead = camera.axes
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(right, down), ahead, atol=1e-12)
    np.testing.assert_allclose(ahead, (target - EYE) / np.linalg.norm(target - EYE), atol=1e-12)


def test_down_is_down_and_right_is_right():
    camera = look_at(np.array([0.0, -3.0, 1.0]), np.array([0.0, 0.0, 1.0]), 0.0, 100.0, 65)
    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 1.0])), [32, 32])
    np.testing.assert_allclose(camera.project(np.array([0.3, 0.0, 1.0])), [42, 32])
    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 0.7])), [32, 42])


def test_roll_turns_the_phone_clockwise_and_the_picture_the_other_way():
    camera = look_at(np.array([0.0, -3.0, 1.0]), np.array([0.0, 0.0, 1.0]), math.pi / 2, 100.0, 65)
    np.testing.assert_allclose(camera.project(np.array([0.3, 0.0, 1.0])), [32, 22], atol=1e-9)


def test_there_and_back():
    camera = look_at(EYE, TARGET, 0.3, 120.0, 64)
    points = np.random.default_rng(1).normal(0, 0.5, (20, 3))
    seen = camera.to_camera(points)
    np.testing.assert_allclose(seen @ camera.axes + camera.origin, points)
    pixels, depth = camera.project(points), seen[:, 2:]
    np.testing.assert_array_equal(pixels, project(seen, camera.focal_px, camera.center_px))
    again = np.concatenate([(pixels - camera.center_px) / camera.focal_px, np.ones((20, 1))], axis=1) * depth
    np.testing.assert_allclose(again, seen)


def test_shots_are_what_phones_take():
    drawn = shots(500)
    assert 1.3 <= min(shot.distance_m for shot in drawn) < 1.6
    assert 4.5 < max(shot.distance_m for shot in drawn) <= 5
    assert min(shot.height_m for shot in drawn) < 0.4
    assert max(shot.height_m for shot in drawn) > 2.3
    behind = np.mean([abs(shot.bearing_rad) > math.pi / 2 for shot in drawn])
    assert 0.2 < behind < 0.4
    cut = [shot for shot in drawn if shot.fill > 0.85]
    assert 0.08 < len(cut) / 500 < 0.2
    for shot in drawn:  # whom the picture can hold it does
        if shot.fill <= 0.85:
            assert max(map(abs, shot.shift)) + shot.fill / 2 <= 0.5 + 1e-9


def test_a_shot_frames_the_person_as_asked():
    points = np.random.default_rng(2).normal(0, [0.3, 0.2, 0.5], (400, 3)) + UP
    for shot in shots(60):
        camera = place_camera(shot, 0.7, points, 256)
        assert camera.to_camera(points)[:, 2].min() > 0.1
        seen = camera.project(points)
        low, high = seen.min(axis=0), seen.max(axis=0)
        assert (high - low).max() == pytest.approx(shot.fill * 256, rel=0.01)
        np.testing.assert_allclose((low + high) / 2 - 127.5, np.array(shot.shift) * 256, atol=0.01 * 256)


def test_a_shot_is_taken_from_where_it_says():
    points = np.random.default_rng(3).normal(0, 0.2, (400, 3)) + UP
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    shot = replace(shots(1)[0], distance_m=3.0, height_m=1.2, aim_rad=(0.0, 0.0), roll_rad=0.0)
    for bearing, front, towards in (
        (0.0, 0.0, (0, -1)),
        (math.pi / 2, 0.0, (1, 0)),
        (0.0, math.pi / 2, (1, 0)),
    ):
        camera = place_camera(replace(shot, bearing_rad=bearing), front, points, 64)
        assert camera.origin[2] == pytest.approx(1.2)
        assert np.linalg.norm(camera.origin - middle) == pytest.approx(3)
        away = (camera.origin - middle)[:2]
        assert away @ towards / np.linalg.norm(away) == pytest.approx(1)


def test_the_phone_points_beside_and_above_the_person():
    points = np.random.default_rng(4).normal(0, 0.05, (400, 3)) + UP
    plain = replace(shots(1)[0], distance_m=3.0, height_m=1.0, roll_rad=0.0)
    straight = place_camera(replace(plain, aim_rad=(0.0, 0.0)), 0.0, points, 64)
    aside = place_camera(replace(plain, aim_rad=(0.2, 0.1)), 0.0, points, 64)
    ahead = straight.axes @ aside.axes[2]  # in the axes of the one that points at the person
    np.testing.assert_allclose(ahead[:2] / ahead[2], np.tan([0.2, -0.1]), atol=0.01)


def test_nobody_films_from_inside_or_from_under_the_ground(crowd):
    for figures in crowd.values():
        for shot in shots(8):
            camera = place_camera(shot, figures[0].front_rad, figures[0].vertices, 64)
            assert np.linalg.norm(figures[0].vertices - camera.origin, axis=1).min() > 0.2
            assert camera.origin[2] >= 0.05


def test_projection_agrees_with_the_picture(renderer):
    """The middle of what is drawn is where the middle is projected to: no half pixel is lost."""
    camera = look_at(EYE, TARGET, 0.3, 180.0, 160)
    across, up = camera.axes.T @ [0.09, 0.027, 0], camera.axes.T @ [-0.04, 0.1, 0]
    for shift in ((0.0, 0.0), (0.5, 0.3), (-0.5, -0.35), (0.1, 0.47)):
        middle = camera.origin + camera.axes.T @ [*shift, 1.5]
        card = quad(middle + np.array([-across - up, across - up, across + up, up - across]))
        scene = stage([], camera, card)
        renderer.load(scene)
        rows, columns = np.nonzero(renderer.frame(scene).kind == -3)  # its material, see shade.draw
        assert len(rows) > 300
        np.testing.assert_allclose([columns.mean(), rows.mean()], camera.project(middle), atol=0.1)


def test_the_whole_body_is_drawn_where_it_is_projected(renderer, crowd):
    for name in ("stand", "cartwheel", "plank"):
        figure = crowd[name][0]
        shot = replace(shots(1)[0], fill=0.9, shift=(0.0, 0.0))
        camera = place_camera(shot, figure.front_rad, figure.vertices, 128)
        scene = stage([figure], camera)
        renderer.load(scene)
        seen = camera.project(figure.vertices)
        person = renderer.frame(scene).kind == 1
        rows, columns = np.nonzero(person)
        drawn = [columns.min(), rows.min(), columns.max(), rows.max()]
        np.testing.assert_allclose(drawn, [*seen.min(axis=0), *seen.max(axis=0)], atol=1.6)
        columns, rows = np.rint(seen).astype(int).T
        assert cv2.dilate(person.astype(np.uint8), np.ones((3, 3)))[rows, columns].mean() > 0.99
