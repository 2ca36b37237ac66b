"""What people look like."""

import numpy as np
import pytest

from blazepose.synthetic.appearance.wardrobe import FITZPATRICK, Appearance

WORDS = {"skin_tone", "eye_color", "hair", "hair_color", "beard", "top", "bottom", "shoes", "gloves"}
LUMA = np.array([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def looks(makers) -> list[Appearance]:
    rng = np.random.default_rng(0)
    shapes = makers.model.sample_shapes(150, rng)
    return [makers.wardrobe.sample_appearance(shape, rng) for shape in shapes]


def test_skin_is_ordered_from_light_to_dark():
    assert FITZPATRICK.shape == (6, 3)
    assert (np.diff(FITZPATRICK @ LUMA) < -0.02).all()


def test_all_six_skin_tones_occur_and_are_seen(makers, looks):
    r = makers.wardrobe.regions
    bare = r.face & ~(r.lips | r.brows | r.chin | r.eyeball | r.scalp)
    assert bare.sum() > 300
    tones: dict[str, list[float]] = {}
    for look in looks:
        tones.setdefault(look.words["skin_tone"], []).append(float((look.color[bare] @ LUMA).mean()))
    assert sorted(tones) == list("123456")
    assert min(map(len, tones.values())) > 10
    means = [np.mean(tones[tone]) for tone in "123456"]
    assert (np.diff(means) < 0).all()


def test_numbers_are_in_range(makers, looks):
    count = len(makers.model.template)
    for look in looks:
        assert look.color.shape == (count, 3)
        assert look.color.min() >= 0
        assert look.color.max() <= 1
        assert look.gloss.shape == look.thickness_m.shape == (count,)
        assert 0 <= look.gloss.min() <= look.gloss.max() <= 1
        assert 0 <= look.thickness_m.min() <= look.thickness_m.max() < 0.08
        assert all((part >= 0).all() for part in look.tail[:1])


def test_words_are_recorded_and_true(makers, looks):
    r = makers.wardrobe.regions
    for look in looks:
        words = look.words
        assert words.keys() == WORDS
        assert all(isinstance(word, str) for word in words.values())
        assert (look.thickness_m[r.foot].min() > 0) == (words["shoes"] != "barefoot")
        assert (look.thickness_m[r.scalp].min() > 0) == (words["hair"] != "bald")
        assert (look.tail[0].min() > 0) == (words["hair"] in ("bun", "long"))
        chest = (r.trunk > 0.7) & (r.trunk < 0.78) & (np.abs(r.across) < 0.1)
        assert (look.thickness_m[chest].min() > 0) == (words["top"] != "none")
        assert look.thickness_m[r.face & ~r.scalp & ~r.chin].max() == 0
        # Somebody always wears something.
        assert look.thickness_m[(r.trunk >= 0) & (r.trunk < 0.15)].min() > 0


def test_children_wear_clothes(makers):
    rng = np.random.default_rng(1)
    minors = [shape for shape in makers.model.sample_shapes(250, rng) if shape.years < 18]
    assert len(minors) > 20
    for shape in minors:
        words = makers.wardrobe.sample_appearance(shape, rng).words
        assert words["top"] not in ("none", "sports bra")
        assert words["bottom"] != "briefs"
        assert words["beard"] == "no" or shape.years > 17


def test_clothes_are_many(looks):
    for word, least in (
        ("top", 5),
        ("bottom", 5),
        ("shoes", 4),
        ("hair", 6),
        ("hair_color", 6),
        ("eye_color", 3),
    ):
        assert len({look.words[word] for look in looks}) >= least, word


def test_limbs_are_measured_from_the_trunk(makers):
    r, template = makers.wardrobe.regions, makers.model.template
    joint = dict(zip(makers.model.skeleton.index, makers.model.rest_joints, strict=True))
    for along, names in ((r.arm, ("lowerarm01.L", "wrist.L")), (r.leg, ("lowerleg01.L", "foot.L"))):
        for position, name in enumerate(names, 1):
            near = (np.linalg.norm(template - joint[name], axis=1) < 0.06) & (along >= 0)
            assert near.any()
            assert np.abs(along[near] - position).max() < 0.35
    assert ((r.trunk >= 0) & ((r.arm >= 0) | (r.leg >= 0))).sum() == 0


def test_the_same_randomness_draws_the_same_look(makers, average):
    one, other = (makers.wardrobe.sample_appearance(average, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.color, other.color)
    assert one.words == other.words
