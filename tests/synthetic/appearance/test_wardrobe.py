"""Appearance of people."""

import numpy as np
import pytest

from blazepose.synthetic.appearance.wardrobe import FITZPATRICK, Appearance

ATTRIBUTES = {"skin_tone", "eye_color", "hair", "hair_color", "beard", "top", "bottom", "shoes", "gloves"}
LUMA = np.array([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def appearances(builder) -> list[Appearance]:
    rng = np.random.default_rng(0)
    shapes = builder.model.sample_shapes(150, rng)
    return [builder.appearance_sampler.sample_appearance(shape, rng) for shape in shapes]


def test_skin_is_ordered_from_light_to_dark():
    assert FITZPATRICK.shape == (6, 3)
    assert (np.diff(FITZPATRICK @ LUMA) < -0.02).all()


def test_all_six_skin_tones_occur_and_are_visible(builder, appearances):
    r = builder.appearance_sampler.regions
    bare = r.face & ~(r.lips | r.brows | r.chin | r.eyeball | r.scalp)
    assert bare.sum() > 300
    tones: dict[str, list[float]] = {}
    for appearance in appearances:
        tones.setdefault(appearance.attributes["skin_tone"], []).append(
            float((appearance.color[bare] @ LUMA).mean())
        )
    assert sorted(tones) == list("123456")
    assert min(map(len, tones.values())) > 10
    means = [np.mean(tones[tone]) for tone in "123456"]
    assert (np.diff(means) < 0).all()


def test_numbers_are_in_range(builder, appearances):
    count = len(builder.model.template)
    for appearance in appearances:
        assert appearance.color.shape == (count, 3)
        assert appearance.color.min() >= 0
        assert appearance.color.max() <= 1
        assert appearance.gloss.shape == appearance.thickness_m.shape == (count,)
        assert 0 <= appearance.gloss.min() <= appearance.gloss.max() <= 1
        assert 0 <= appearance.thickness_m.min() <= appearance.thickness_m.max() < 0.08
        assert all((part >= 0).all() for part in appearance.tail[:1])


def test_attributes_match_the_vertices(builder, appearances):
    r = builder.appearance_sampler.regions
    for appearance in appearances:
        attributes = appearance.attributes
        assert attributes.keys() == ATTRIBUTES
        assert all(isinstance(value, str) for value in attributes.values())
        assert (appearance.thickness_m[r.foot].min() > 0) == (attributes["shoes"] != "barefoot")
        assert (appearance.thickness_m[r.scalp].min() > 0) == (attributes["hair"] != "bald")
        assert (appearance.tail[0].min() > 0) == (attributes["hair"] in ("bun", "long"))
        chest = (r.trunk > 0.7) & (r.trunk < 0.78) & (np.abs(r.across) < 0.1)
        assert (appearance.thickness_m[chest].min() > 0) == (attributes["top"] != "none")
        assert appearance.thickness_m[r.face & ~r.scalp & ~r.chin].max() == 0
        # The hips are always covered.
        assert appearance.thickness_m[(r.trunk >= 0) & (r.trunk < 0.15)].min() > 0


def test_children_wear_clothes(builder):
    rng = np.random.default_rng(1)
    minors = [shape for shape in builder.model.sample_shapes(250, rng) if shape.years < 18]
    assert len(minors) > 20
    for shape in minors:
        attributes = builder.appearance_sampler.sample_appearance(shape, rng).attributes
        assert attributes["top"] not in ("none", "sports bra")
        assert attributes["bottom"] != "briefs"
        assert attributes["beard"] == "no" or shape.years > 17


def test_clothes_are_varied(appearances):
    for attribute, minimum in (
        ("top", 5),
        ("bottom", 5),
        ("shoes", 4),
        ("hair", 6),
        ("hair_color", 6),
        ("eye_color", 3),
    ):
        assert len({appearance.attributes[attribute] for appearance in appearances}) >= minimum, attribute


def test_limbs_are_measured_from_the_trunk(builder):
    r, template = builder.appearance_sampler.regions, builder.model.template
    joint = dict(zip(builder.model.skeleton.index, builder.model.rest_joints, strict=True))
    for along, names in ((r.arm, ("lowerarm01.L", "wrist.L")), (r.leg, ("lowerleg01.L", "foot.L"))):
        for position, name in enumerate(names, 1):
            near = (np.linalg.norm(template - joint[name], axis=1) < 0.06) & (along >= 0)
            assert near.any()
            assert np.abs(along[near] - position).max() < 0.35
    assert ((r.trunk >= 0) & ((r.arm >= 0) | (r.leg >= 0))).sum() == 0


def test_the_same_seed_samples_the_same_appearance(builder, average):
    one, other = (
        builder.appearance_sampler.sample_appearance(average, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.color, other.color)
    assert one.attributes == other.attributes
