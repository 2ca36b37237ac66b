"""The body model."""

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from blazepose.synthetic.body import body_model as body
from blazepose.synthetic.body.body_model import AGES


def test_people_differ_and_are_of_all_ages(builder):
    rng = np.random.default_rng(0)
    shapes = builder.model.sample_shapes(200, rng)
    years = np.array([shape.years for shape in shapes])
    assert AGES[0] <= years.min() < years.max() <= AGES[1]
    assert (years < 13).any()
    assert (years > 60).any()
    assert set(shapes[0].phenotype) == set(builder.model.anny.phenotype_labels)
    values = np.array([list(shape.phenotype.values()) for shape in shapes])
    assert values.min() >= 0
    assert values.max() <= 1
    genders = np.array([shape.phenotype["gender"] for shape in shapes])
    assert 0.3 < (genders > 0.5).mean() < 0.7


def test_shapes_depend_on_the_generator_and_leave_torchs_unchanged(builder):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    one, other = (builder.model.sample_shapes(5, np.random.default_rng(1)) for _ in range(2))
    assert one == other
    assert torch.equal(torch.random.get_rng_state(), before)
    assert builder.model.sample_shapes(5, np.random.default_rng(2)) != one


def test_statures_are_human(builder):
    shapes = builder.model.sample_shapes(60, np.random.default_rng(4))
    bodies = builder.model.pose(shapes, [{}] * 60)
    adults = [body.stature for body, shape in zip(bodies, shapes, strict=True) if shape.years > 20]
    assert 1.4 < min(adults) < max(adults) < 2.1
    assert 1.55 < np.mean(adults) < 1.8


def test_a_batch_equals_single_bodies(builder, average):
    postures = [{"left_knee_flexion": 60.0}, {"spine_twist": 30.0}]
    batch = builder.model.pose([average] * 2, postures)
    for one, posture in zip(batch, postures, strict=True):
        (single,) = builder.model.pose([average], [posture])
        np.testing.assert_allclose(one.vertices, single.vertices, atol=1e-5)


def test_bone_rotations_are_from_rest(builder, average):
    (body,) = builder.model.pose([average], [{"spine_twist": 40, "neck_flexion": 20}])
    np.testing.assert_allclose(
        body.bone_rotations @ body.bone_rotations.transpose(0, 2, 1),
        np.tile(np.eye(3), (len(body.bone_rotations), 1, 1)),
        atol=1e-4,
    )
    ahead = body.bone_rotations[builder.model.skeleton.index["head"]] @ [0, -1, 0]
    assert ahead[0] == pytest.approx(np.sin(np.radians(40)) * np.cos(np.radians(20)), abs=0.03)
    assert ahead[2] == pytest.approx(-np.sin(np.radians(20)), abs=0.03)


def test_parts_and_bones_select_vertices(builder):
    model = builder.model
    left = model.bone_mask("foot.L")
    assert 50 < left.sum() < 2000
    assert model.template[left, 0].min() > 0
    assert model.part_mask("eye_front.L").any()
    assert model.template[model.part_mask("eye_front.L"), 0].min() > 0
    assert 0 <= model.texture_mask("lips").min() <= model.texture_mask("lips").max() <= 1


def test_a_damaged_cache_of_the_body_model_is_reported(tmp_path, monkeypatch):
    def load():
        assert (tmp_path / "cache" / ".blazepose.lock").is_file()
        raise SafetensorError("header too small")

    monkeypatch.setattr(body, "BodyModel", load)
    monkeypatch.setattr(body, "get_anny_cache_path", lambda: tmp_path / "cache")
    with pytest.raises(OSError, match=r"cache holds a damaged file .header too small.*: delete the folder"):
        body.body_model.__wrapped__()
