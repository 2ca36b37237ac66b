"""Scenes of one or two people."""

import numpy as np

from blazepose.synthetic.scene.scene import sample_empty_scene, sample_scene
from tests.synthetic.stage import sample_people


def test_the_main_person_stays_and_others_are_moved(builder):
    rng = np.random.default_rng(0)
    for _ in range(6):
        main, other = sample_people(builder, ["stand", "squat"], rng)
        scene = sample_scene([main, other], builder, 64, [], rng)
        assert scene.figures[0] is main
        moved = scene.figures[1].landmarks - other.landmarks
        np.testing.assert_allclose(moved, np.tile(moved[0], (33, 1)), atol=1e-5)
        assert abs(moved[0, 2]) < 1e-6
        assert np.linalg.norm(moved[0, :2]) > 0.2
        assert len(scene.attributes) == 2
        assert all(attributes["place"] == scene.environment.kind for attributes in scene.attributes)


def test_an_empty_scene_has_props_but_no_person(builder):
    rng = np.random.default_rng(1)
    (figure,) = sample_people(builder, ["hang"], rng)
    scene = sample_empty_scene(figure, builder, 64, [], rng)
    assert not scene.figures
    assert not scene.attributes
    assert len(scene.environment.objects.build()[0]) > 0  # the bar


def test_the_same_seed_samples_the_same_scene(builder):
    (figure,) = sample_people(builder, ["dance"], np.random.default_rng(2))
    one, other = (sample_scene([figure], builder, 64, [], np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.camera.axes, other.camera.axes)
    np.testing.assert_array_equal(one.environment.shell.build()[0], other.environment.shell.build()[0])
    np.testing.assert_array_equal(one.environment.objects.build()[0], other.environment.objects.build()[0])
    assert one.attributes == other.attributes
