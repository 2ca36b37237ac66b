"""Postures of every family, and weights of families."""

import numpy as np
import pytest

from blazepose.synthetic.body.skeleton import DOFS
from blazepose.synthetic.poses.families import FAMILIES, parse_weights, sample_families, sample_posture


@pytest.mark.parametrize("family", FAMILIES)
def test_postures_are_within_the_limits_of_all_joints_and_differ(family):
    rng = np.random.default_rng(1)
    postures = [sample_posture(family, rng) for _ in range(50)]
    for posture in postures:
        assert posture.family == family
        for name, value in posture.angles.items():
            assert DOFS[name].low <= value <= DOFS[name].high, (name, value)
    assert len({tuple(posture.angles.items()) for posture in postures}) == 50


def test_the_same_seed_samples_the_same_posture():
    one, other = (sample_posture("dance", np.random.default_rng(9)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("family", "name"),
    [("kick", "hip_flexion"), ("mountain_climber", "hip_flexion"), ("side_lunge", "knee_flexion")],
)
def test_half_of_the_postures_are_mirrored(family, name):
    rng = np.random.default_rng(2)
    angles = [sample_posture(family, rng).angles for _ in range(300)]
    left = np.mean([values.get(f"left_{name}", 0) > values.get(f"right_{name}", 0) for values in angles])
    assert 0.4 < left < 0.6


def test_a_mirrored_side_plank_rests_on_the_other_side():
    rng = np.random.default_rng(3)
    postures = [sample_posture("side_plank", rng) for _ in range(100)]
    sides = [posture.roll_deg for posture in postures]
    assert set(sides) == {75, -75}
    for posture in postures:  # the lower arm is the support
        below = "left" if posture.roll_deg > 0 else "right"
        assert posture.angles[f"{below}_wrist_flexion"] < -45


def test_weights_are_relative():
    rng = np.random.default_rng(4)
    names = sample_families(20_000, {"stand": 40, "squat": 0}, rng)
    total = sum(family.weight for family in FAMILIES.values()) + 40 - 10 - 8
    assert "squat" not in names
    assert names.count("stand") / 20_000 == pytest.approx(40 / total, rel=0.1)
    assert names.count("handstand") / 20_000 == pytest.approx(5 / total, rel=0.15)
    assert set(names) == {name for name, family in FAMILIES.items() if family.weight} - {"squat"}


def test_only_one_family():
    others = dict.fromkeys(FAMILIES, 0.0) | {"wheel": 1}
    assert set(sample_families(30, others, np.random.default_rng(0))) == {"wheel"}


def test_weights_are_parsed():
    assert parse_weights("") == {}
    assert parse_weights("squat=3, handstand=0.5,") == {"squat": 3.0, "handstand": 0.5}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "squat=3,handstnd=1",
            f"unknown pose family 'handstnd'; the families are {', '.join(FAMILIES)}$",
        ),
        ("squat", r"'squat' is not family=weight; the families are stand, "),
        ("squat=many", r"'squat=many' is not family=weight"),
        ("squat=-1", r"weights of pose families must be numbers >= 0"),
        ("squat=nan", r"weights of pose families must be numbers >= 0"),
        ("squat=inf", r"weights of pose families must be numbers >= 0"),
        (",".join(f"{name}=0" for name in FAMILIES), r"numbers >= 0, not all of them 0"),
    ],
)
def test_invalid_weights_are_rejected(text, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        parse_weights(text)
    assert "\n" not in str(error.value)
