"""Projection, and sampled camera placements."""

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


def sample_cameras(count: int):
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


def test_roll_rotates_the_camera_clockwise_and_the_image_counterclockwise():
    camera = look_at(np.array([0.0, -3.0, 1.0]), np.array([0.0, 0.0, 1.0]), math.pi / 2, 100.0, 65)
    np.testing.assert_allclose(camera.project(np.array([0.3, 0.0, 1.0])), [32, 22], atol=1e-9)


def test_projection_is_inverted_by_depth():
    camera = look_at(EYE, TARGET, 0.3, 120.0, 64)
    points = np.random.default_rng(1).normal(0, 0.5, (20, 3))
    projected = camera.to_camera(points)
    np.testing.assert_allclose(projected @ camera.axes + camera.origin, points)
    pixels, depth = camera.project(points), projected[:, 2:]
    np.testing.assert_array_equal(pixels, project(projected, camera.focal_px, camera.center_px))
    again = np.concatenate([(pixels - camera.center_px) / camera.focal_px, np.ones((20, 1))], axis=1) * depth
    np.testing.assert_allclose(again, projected)


def test_placements_are_those_of_phones():
    specs = sample_cameras(500)
    assert 1.3 <= min(spec.distance_m for spec in specs) < 1.6
    assert 4.5 < max(spec.distance_m for spec in specs) <= 5
    assert min(spec.height_m for spec in specs) < 0.4
    assert max(spec.height_m for spec in specs) > 2.3
    behind = np.mean([abs(spec.azimuth_rad) > math.pi / 2 for spec in specs])
    assert 0.2 < behind < 0.4
    cut = [spec for spec in specs if spec.fill > 0.85]
    assert 0.08 < len(cut) / 500 < 0.2
    for spec in specs:  # a person that fits is not cut off
        if spec.fill <= 0.85:
            assert max(map(abs, spec.shift)) + spec.fill / 2 <= 0.5 + 1e-9


def test_the_person_is_framed_as_specified():
    points = np.random.default_rng(2).normal(0, [0.3, 0.2, 0.5], (400, 3)) + UP
    for spec in sample_cameras(60):
        camera = place_camera(spec, 0.7, points, 256)
        assert camera.to_camera(points)[:, 2].min() > 0.1
        projected = camera.project(points)
        low, high = projected.min(axis=0), projected.max(axis=0)
        assert (high - low).max() == pytest.approx(spec.fill * 256, rel=0.01)
        np.testing.assert_allclose((low + high) / 2 - 127.5, np.array(spec.shift) * 256, atol=0.01 * 256)


def test_the_camera_is_placed_as_specified():
    points = np.random.default_rng(3).normal(0, 0.2, (400, 3)) + UP
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    spec = replace(sample_cameras(1)[0], distance_m=3.0, height_m=1.2, aim_rad=(0.0, 0.0), roll_rad=0.0)
    for azimuth, front, towards in (
        (0.0, 0.0, (0, -1)),
        (math.pi / 2, 0.0, (1, 0)),
        (0.0, math.pi / 2, (1, 0)),
    ):
        camera = place_camera(replace(spec, azimuth_rad=azimuth), front, points, 64)
        assert camera.origin[2] == pytest.approx(1.2)
        assert np.linalg.norm(camera.origin - middle) == pytest.approx(3)
        offset = (camera.origin - middle)[:2]
        assert offset @ towards / np.linalg.norm(offset) == pytest.approx(1)


def test_the_camera_aims_beside_and_above_the_person():
    points = np.random.default_rng(4).normal(0, 0.05, (400, 3)) + UP
    plain = replace(sample_cameras(1)[0], distance_m=3.0, height_m=1.0, roll_rad=0.0)
    straight = place_camera(replace(plain, aim_rad=(0.0, 0.0)), 0.0, points, 64)
    aside = place_camera(replace(plain, aim_rad=(0.2, 0.1)), 0.0, points, 64)
    ahead = straight.axes @ aside.axes[2]  # in the axes of the one that points at the person
    np.testing.assert_allclose(ahead[:2] / ahead[2], np.tan([0.2, -0.1]), atol=0.01)


def test_no_camera_is_inside_a_body_or_underground(crowd):
    for figures in crowd.values():
        for spec in sample_cameras(8):
            camera = place_camera(spec, figures[0].heading_rad, figures[0].vertices, 64)
            assert np.linalg.norm(figures[0].vertices - camera.origin, axis=1).min() > 0.2
            assert camera.origin[2] >= 0.05


def test_projection_agrees_with_the_image(renderer):
    """The center of the rendered pixels is the projected center: there is no half-pixel shift."""
    camera = look_at(EYE, TARGET, 0.3, 180.0, 160)
    across, up = camera.axes.T @ [0.09, 0.027, 0], camera.axes.T @ [-0.04, 0.1, 0]
    for shift in ((0.0, 0.0), (0.5, 0.3), (-0.5, -0.35), (0.1, 0.47)):
        middle = camera.origin + camera.axes.T @ [*shift, 1.5]
        card = quad(middle + np.array([-across - up, across - up, across + up, up - across]))
        scene = stage([], camera, card)
        renderer.load(scene)
        rows, columns = np.nonzero(renderer.render(scene).kind == -3)  # its material, see shade.shade_pixels
        assert len(rows) > 300
        np.testing.assert_allclose([columns.mean(), rows.mean()], camera.project(middle), atol=0.1)


def test_the_whole_body_is_rendered_at_its_projection(renderer, crowd):
    for name in ("stand", "cartwheel", "plank"):
        figure = crowd[name][0]
        spec = replace(sample_cameras(1)[0], fill=0.9, shift=(0.0, 0.0))
        camera = place_camera(spec, figure.heading_rad, figure.vertices, 128)
        scene = stage([figure], camera)
        renderer.load(scene)
        projected = camera.project(figure.vertices)
        person = renderer.render(scene).kind == 1
        rows, columns = np.nonzero(person)
        extent = [columns.min(), rows.min(), columns.max(), rows.max()]
        np.testing.assert_allclose(extent, [*projected.min(axis=0), *projected.max(axis=0)], atol=1.6)
        columns, rows = np.rint(projected).astype(int).T
        assert cv2.dilate(person.astype(np.uint8), np.ones((3, 3)))[rows, columns].mean() > 0.99
