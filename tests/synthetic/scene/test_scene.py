"""Somebody somewhere, alone or not."""

import numpy as np

from blazepose.synthetic.scene.scene import sample_empty_scene, sample_scene
from tests.synthetic.stage import people


def test_the_person_the_picture_is_of_stays_and_others_are_moved(makers):
    rng = np.random.default_rng(0)
    for _ in range(6):
        main, other = people(makers, ["stand", "squat"], rng)
        scene = sample_scene([main, other], makers, 64, [], rng)
        assert scene.figures[0] is main
        moved = scene.figures[1].landmarks - other.landmarks
        np.testing.assert_allclose(moved, np.tile(moved[0], (33, 1)), atol=1e-5)
        assert abs(moved[0, 2]) < 1e-6
        assert np.linalg.norm(moved[0, :2]) > 0.2
        assert len(scene.words) == 2
        assert all(words["place"] == scene.room.kind for words in scene.words)


def test_an_empty_scene_has_the_things_but_nobody(makers):
    rng = np.random.default_rng(1)
    (figure,) = people(makers, ["hang"], rng)
    scene = sample_empty_scene(figure, makers, 64, [], rng)
    assert not scene.figures
    assert not scene.words
    assert len(scene.room.things.mesh()[0]) > 0  # the bar


def test_the_same_randomness_draws_the_same_scene(makers):
    (figure,) = people(makers, ["dance"], np.random.default_rng(2))
    one, other = (sample_scene([figure], makers, 64, [], np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.camera.axes, other.camera.axes)
    np.testing.assert_array_equal(one.room.shell.mesh()[0], other.room.shell.mesh()[0])
    np.testing.assert_array_equal(one.room.things.mesh()[0], other.room.things.mesh()[0])
    assert one.words == other.words
