"""Seats, bars, weights, and what is in the way."""

import numpy as np
import pytest

from blazepose.synthetic.scene.camera import place_camera, sample_camera
from blazepose.synthetic.scene.environment import Environment
from blazepose.synthetic.scene.props import OCCLUDERS, add_occluder, add_props
from blazepose.topology import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from tests.synthetic.stage import people


def given(makers, families, seed: int = 0):
    """Each figure, the name of what it was given, and the vertices of that."""
    rng = np.random.default_rng(seed)
    for figure in people(makers, families, rng):
        room = Environment("indoors")
        yield figure, add_props(figure, room, makers, rng), room.things.mesh()[0]


def away_from_axis(points: np.ndarray, rod: np.ndarray) -> np.ndarray:
    """Of points, from the axis of a rod of `solids.rod`, whose last two vertices are its ends."""
    start, end = rod[-2].astype(float), rod[-1].astype(float)
    axis = (end - start) / np.linalg.norm(end - start)
    return np.linalg.norm(np.cross(points - start, axis), axis=1)


def fists(figure) -> np.ndarray:
    return np.stack(
        [
            figure.landmarks[[INDEX[f"{side}_index"], INDEX[f"{side}_pinky"]]].mean(axis=0)
            for side in ("left", "right")
        ]
    )


def test_a_seat_is_under_who_sits(makers):
    seats = 0
    for figure, name, vertices in given(makers, ["sit"] * 12):
        assert (name == "seat") == (len(vertices) > 0)
        if name == "nothing":
            continue  # somebody small who sits on the floor
        seat = figure.vertices[makers.group(figure.posture.seat)]
        lowest = seat[seat[:, 2].argmin()]
        assert vertices[:, 2].max() == pytest.approx(lowest[2], abs=0.04)
        assert vertices[:, 2].min() > -1e-5
        # Under it, not beside it.
        hips = figure.landmarks[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
        assert np.linalg.norm(vertices[:, :2].mean(axis=0) - hips[:2]) < 0.2
        seats += 1
    assert seats >= 10


def test_a_bar_is_in_both_hands_of_who_hangs(makers):
    for figure, name, vertices in given(makers, ["hang"] * 6):
        assert name == "pull-up bar"
        assert np.linalg.norm(vertices[-1] - vertices[-2]) == pytest.approx(2.4, abs=1e-4)
        assert away_from_axis(fists(figure), vertices).max() < 0.03


def test_a_bar_is_at_both_knees_of_who_hangs_upside_down(makers):
    for figure, name, vertices in given(makers, ["hang_upside_down"] * 6):
        assert name == "pull-up bar"
        knees = figure.landmarks[[INDEX["left_knee"], INDEX["right_knee"]]]
        assert away_from_axis(knees, vertices).max() < 0.03


def test_weights_are_in_the_hands_or_on_the_back(makers):
    names = set()
    for figure, name, vertices in given(makers, ["deadlift", "press"] * 12, seed=1):
        names.add(name)
        bar = vertices[:26]  # twelve sides at both ends, and the ends
        if name == "barbell":
            assert away_from_axis(fists(figure), bar).max() < 0.03
            assert np.linalg.norm(bar[-1] - bar[-2]) == pytest.approx(2, abs=1e-4)
            plates = vertices[26:]
            assert np.linalg.norm(plates - bar[-2:].mean(axis=0), axis=1).min() > 0.3
        if name == "dumbbells":
            assert np.linalg.norm(bar.mean(axis=0) - fists(figure)[0]) < 0.03
    assert names == {"barbell", "dumbbells", "nothing"}
    backs = 0
    for figure, name, vertices in given(makers, ["squat"] * 40, seed=2):
        if name == "barbell":
            shoulders = figure.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER]]
            up = shoulders.mean(axis=0) - figure.landmarks[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
            ahead = np.cross(shoulders[0] - shoulders[1], up)
            behind = (shoulders.mean(axis=0) - vertices[24:26].mean(axis=0)) @ ahead / np.linalg.norm(ahead)
            assert 0.02 < behind < 0.12
            backs += 1
    assert backs >= 3


def test_most_families_are_given_nothing(makers):
    for _, name, vertices in given(makers, ["stand", "handstand", "plank", "jump"]):
        assert name == "nothing"
        assert len(vertices) == 0


def test_occluders_are_named_and_stand_before_the_body(crowd):
    rng = np.random.default_rng(3)
    names = []
    for figures in crowd.values():
        for figure in figures * 3:
            camera = place_camera(sample_camera(rng), figure.front_rad, figure.vertices[::9], 64)
            room = Environment("indoors")
            name = add_occluder(figure, room, camera, rng)
            vertices = room.things.mesh()[0]
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
    figure, found = crowd["stand"][0], 0
    for _ in range(120):
        camera = place_camera(sample_camera(rng), figure.front_rad, figure.vertices[::9], 64)
        room = Environment("indoors")
        if add_occluder(figure, room, camera, rng) == "furniture":
            assert room.things.mesh()[0][:, 2].min() == pytest.approx(0, abs=1e-5)
            found += 1
    assert found > 2
