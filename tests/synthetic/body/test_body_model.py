"""The body model."""

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from blazepose.synthetic.body import body_model as body
from blazepose.synthetic.body.body_model import AGES


def test_people_differ_and_are_of_all_ages(makers):
    rng = np.random.default_rng(0)
    shapes = makers.model.sample_shapes(200, rng)
    years = np.array([shape.years for shape in shapes])
    assert AGES[0] <= years.min() < years.max() <= AGES[1]
    assert (years < 13).any()
    assert (years > 60).any()
    assert set(shapes[0].values) == set(makers.model.anny.phenotype_labels)
    values = np.array([list(shape.values.values()) for shape in shapes])
    assert values.min() >= 0
    assert values.max() <= 1
    genders = np.array([shape.values["gender"] for shape in shapes])
    assert 0.3 < (genders > 0.5).mean() < 0.7


def test_shapes_depend_on_the_generator_and_leave_torchs_alone(makers):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    one, other = (makers.model.sample_shapes(5, np.random.default_rng(1)) for _ in range(2))
    assert one == other
    assert torch.equal(torch.random.get_rng_state(), before)
    assert makers.model.sample_shapes(5, np.random.default_rng(2)) != one


def test_statures_are_human(makers):
    shapes = makers.model.sample_shapes(60, np.random.default_rng(4))
    bodies = makers.model.pose(shapes, [{}] * 60)
    grown = [body.stature for body, shape in zip(bodies, shapes, strict=True) if shape.years > 20]
    assert 1.4 < min(grown) < max(grown) < 2.1
    assert 1.55 < np.mean(grown) < 1.8


def test_one_by_one_as_together(makers, average):
    postures = [{"left_knee_flexion": 60.0}, {"spine_twist": 30.0}]
    together = makers.model.pose([average] * 2, postures)
    for one, posture in zip(together, postures, strict=True):
        (alone,) = makers.model.pose([average], [posture])
        np.testing.assert_allclose(one.vertices, alone.vertices, atol=1e-5)


def test_frames_turn_bones_from_rest(makers, average):
    (body,) = makers.model.pose([average], [{"spine_twist": 40, "neck_flexion": 20}])
    np.testing.assert_allclose(
        body.frames @ body.frames.transpose(0, 2, 1), np.tile(np.eye(3), (len(body.frames), 1, 1)), atol=1e-4
    )
    ahead = body.frames[makers.model.skeleton.index["head"]] @ [0, -1, 0]
    assert ahead[0] == pytest.approx(np.sin(np.radians(40)) * np.cos(np.radians(20)), abs=0.03)
    assert ahead[2] == pytest.approx(-np.sin(np.radians(20)), abs=0.03)


def test_parts_and_bones_name_vertices(makers):
    model = makers.model
    left = model.bones("foot.L")
    assert 50 < left.sum() < 2000
    assert model.template[left, 0].min() > 0
    assert model.part("eye_front.L").any()
    assert model.template[model.part("eye_front.L"), 0].min() > 0
    assert 0 <= model.painted("lips").min() <= model.painted("lips").max() <= 1


def test_a_damaged_cache_of_the_body_model_is_named(tmp_path, monkeypatch):
    def load():
        assert (tmp_path / "cache" / ".blazepose.lock").is_file()
        raise SafetensorError("header too small")

    monkeypatch.setattr(body, "BodyModel", load)
    monkeypatch.setattr(body, "get_anny_cache_path", lambda: tmp_path / "cache")
    with pytest.raises(OSError, match=r"cache holds a damaged file .header too small.*: delete the folder"):
        body.body_model.__wrapped__()
