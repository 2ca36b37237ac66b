"""Seats, bars, weights and occluders."""

import numpy as np
import pytest

from blazepose.synthetic.scene.camera import place_camera, sample_camera
from blazepose.synthetic.scene.environment import Environment
from blazepose.synthetic.scene.props import OCCLUDERS, add_occluder, add_props
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from tests.synthetic.stage import sample_people


def with_props(builder, families, seed: int = 0):
    """Yield each figure, the name of its prop, and the prop's vertices."""
    rng = np.random.default_rng(seed)
    for figure in sample_people(builder, families, rng):
        env = Environment("indoors")
        yield figure, add_props(figure, env, builder, rng), env.objects.build()[0]


def distance_to_axis(points: np.ndarray, cylinder: np.ndarray) -> np.ndarray:
    """Compute the distance of points to the axis of a `solids.cylinder`: its last two vertices."""
    start, end = cylinder[-2].astype(float), cylinder[-1].astype(float)
    axis = (end - start) / np.linalg.norm(end - start)
    return np.linalg.norm(np.cross(points - start, axis), axis=1)


def fists(figure) -> np.ndarray:
    return np.stack(
        [
            figure.landmarks[[INDEX[f"{side}_index"], INDEX[f"{side}_pinky"]]].mean(axis=0)
            for side in ("left", "right")
        ]
    )


def test_a_seat_is_under_a_sitting_person(builder):
    seats = 0
    for figure, name, vertices in with_props(builder, ["sit"] * 12):
        assert (name == "seat") == (len(vertices) > 0)
        if name == "nothing":
            continue  # a small person who sits on the floor
        seat = figure.vertices[builder.bone_vertices(figure.posture.seat)]
        lowest = seat[seat[:, 2].argmin()]
        assert vertices[:, 2].max() == pytest.approx(lowest[2], abs=0.04)
        assert vertices[:, 2].min() > -1e-5
        # Under it, not beside it.
        hips = figure.landmarks[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
        assert np.linalg.norm(vertices[:, :2].mean(axis=0) - hips[:2]) < 0.2
        seats += 1
    assert seats >= 10


def test_a_bar_is_in_both_hands_of_a_hanging_person(builder):
    for figure, name, vertices in with_props(builder, ["hang"] * 6):
        assert name == "pull-up bar"
        assert np.linalg.norm(vertices[-1] - vertices[-2]) == pytest.approx(2.4, abs=1e-4)
        assert distance_to_axis(fists(figure), vertices).max() < 0.03


def test_a_bar_is_at_both_knees_of_a_person_hanging_upside_down(builder):
    for figure, name, vertices in with_props(builder, ["hang_upside_down"] * 6):
        assert name == "pull-up bar"
        knees = figure.landmarks[[INDEX["left_knee"], INDEX["right_knee"]]]
        assert distance_to_axis(knees, vertices).max() < 0.03


def test_weights_are_in_the_hands_or_on_the_back(builder):
    names = set()
    for figure, name, vertices in with_props(builder, ["deadlift", "press"] * 12, seed=1):
        names.add(name)
        bar = vertices[:26]  # twelve sides at both ends, and the ends
        if name == "barbell":
            assert distance_to_axis(fists(figure), bar).max() < 0.03
            assert np.linalg.norm(bar[-1] - bar[-2]) == pytest.approx(2, abs=1e-4)
            plates = vertices[26:]
            assert np.linalg.norm(plates - bar[-2:].mean(axis=0), axis=1).min() > 0.3
        if name == "dumbbells":
            assert np.linalg.norm(bar.mean(axis=0) - fists(figure)[0]) < 0.03
    assert names == {"barbell", "dumbbells", "nothing"}
    backs = 0
    for figure, name, vertices in with_props(builder, ["squat"] * 40, seed=2):
        if name == "barbell":
            shoulders = figure.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER]]
            up = shoulders.mean(axis=0) - figure.landmarks[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
            ahead = np.cross(shoulders[0] - shoulders[1], up)
            behind = (shoulders.mean(axis=0) - vertices[24:26].mean(axis=0)) @ ahead / np.linalg.norm(ahead)
            assert 0.02 < behind < 0.12
            backs += 1
    assert backs >= 3


def test_most_families_have_no_prop(builder):
    for _, name, vertices in with_props(builder, ["stand", "handstand", "plank", "jump"]):
        assert name == "nothing"
        assert len(vertices) == 0


def test_occluders_have_a_kind_and_stand_before_the_body(crowd):
    rng = np.random.default_rng(3)
    names = []
    for figures in crowd.values():
        for figure in figures * 3:
            camera = place_camera(sample_camera(rng), figure.heading_rad, figure.vertices[::9], 64)
            env = Environment("indoors")
            name = add_occluder(figure, env, camera, rng)
            vertices = env.objects.build()[0]
            names.append(name)
            assert (len(vertices) == 0) == (name == "none")
            if name == "board":
                middle = camera.to_camera(vertices.mean(axis=0).astype(float))
                assert 0 < middle[2] < camera.to_camera(figure.landmarks)[:, 2].max()
                # In line with one of the landmarks.
                at = camera.project(vertices.mean(axis=0).astype(float))
                assert np.linalg.norm(camera.project(figure.landmarks) - at, axis=1).min() < 1
    assert set(names) == set(OCCLUDERS)
    assert names.count("none") / len(names) == pytest.approx(0.72, abs=0.08)


def test_furniture_stands_on_the_ground(crowd):
    rng = np.random.default_rng(4)
    figure, count = crowd["stand"][0], 0
    for _ in range(120):
        camera = place_camera(sample_camera(rng), figure.heading_rad, figure.vertices[::9], 64)
        env = Environment("indoors")
        if add_occluder(figure, env, camera, rng) == "furniture":
            assert env.objects.build()[0][:, 2].min() == pytest.approx(0, abs=1e-5)
            count += 1
    assert count > 2
