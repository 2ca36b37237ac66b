"""Pose families of fitness, yoga, dance and daily life, which frontal photos lack."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from blazepose.exceptions import InputError
from blazepose.synthetic.body.skeleton import clip_to_limits, mirror_angles
from blazepose.synthetic.poses import lying, seated, standing
from blazepose.synthetic.poses.posture import Posture, Rng, sample_relaxed


class Family(NamedTuple):
    """A kind of posture.

    Attributes:
        sample: function that samples a posture.
        weight: sampling weight relative to other families.
        upright: whether the head is above the hips, as in most photos.
    """

    sample: Callable[[Rng], Posture]
    weight: float
    upright: bool = True


FAMILIES: Mapping[str, Family] = {
    "stand": Family(standing.stand, 10),
    "walk": Family(standing.walk, 7),
    "arms_overhead": Family(standing.arms_overhead, 5),
    "squat": Family(standing.squat, 8),
    "lunge": Family(standing.lunge, 6),
    "side_lunge": Family(standing.side_lunge, 4),
    "forward_fold": Family(standing.forward_fold, 4, upright=False),
    "deadlift": Family(standing.deadlift, 4),
    "press": Family(standing.press, 4),
    "twist": Family(standing.twist, 5),
    "dance": Family(standing.dance, 7),
    "balance": Family(standing.balance, 4),
    "kick": Family(standing.kick, 4),
    "jump": Family(standing.jump, 3),
    "sit": Family(seated.sit, 5),
    "sit_on_floor": Family(seated.sit_on_floor, 5),
    "kneel": Family(seated.kneel, 4),
    "push_up": Family(seated.push_up, 5, upright=False),
    "plank": Family(seated.plank, 4, upright=False),
    "all_fours": Family(seated.all_fours, 3, upright=False),
    "downward_dog": Family(seated.downward_dog, 4, upright=False),
    "mountain_climber": Family(seated.mountain_climber, 3, upright=False),
    "side_plank": Family(seated.side_plank, 4, upright=False),
    "bridge": Family(seated.bridge, 4, upright=False),
    "wheel": Family(seated.wheel, 3, upright=False),
    "lie_on_back": Family(lying.lie_on_back, 4, upright=False),
    "crunch": Family(lying.crunch, 4, upright=False),
    "lie_on_front": Family(lying.lie_on_front, 3, upright=False),
    "lie_on_side": Family(lying.lie_on_side, 4, upright=False),
    "handstand": Family(lying.handstand, 5, upright=False),
    "cartwheel": Family(lying.cartwheel, 4, upright=False),
    "headstand": Family(lying.headstand, 3, upright=False),
    "hang": Family(lying.hang, 3),
    "hang_upside_down": Family(lying.hang_upside_down, 2, upright=False),
}
"""{name: family}; `--families squat=30` changes a weight."""


def sample_posture(name: str, rng: Rng) -> Posture:
    """Sample a posture of a family, with noise, within the joint limits, mirrored half of the time."""
    posture = FAMILIES[name].sample(rng)
    angles = {**sample_relaxed(rng), **posture.angles}
    angles = {key: value + rng.normal(0, 3) for key, value in angles.items()}
    if rng.random() < 0.5:
        posture = posture._replace(roll_deg=-posture.roll_deg)
        angles = mirror_angles(angles)
    return posture._replace(family=name, angles=clip_to_limits(angles))


def sample_families(count: int, weights: Mapping[str, float], rng: Rng) -> list[str]:
    """Sample names of families by their weights.

    Args:
        count: number of names.
        weights: {name: weight}, in place of FAMILIES'.
        rng: source of randomness.

    Raises:
        ValueError: for an unknown family, or invalid weights.
    """
    for name in weights:
        if name not in FAMILIES:
            raise InputError(f"unknown pose family {name!r}; the families are {', '.join(FAMILIES)}")
    all_weights = np.array([weights.get(name, family.weight) for name, family in FAMILIES.items()])
    if not (np.isfinite(all_weights).all() and (all_weights >= 0).all() and all_weights.sum() > 0):
        raise InputError("weights of pose families must be numbers >= 0, not all of them 0")
    return [str(name) for name in rng.choice(list(FAMILIES), size=count, p=all_weights / all_weights.sum())]


def parse_weights(text: str) -> dict[str, float]:
    """Parse `squat=3,handstand=0` into weights.

    Raises:
        ValueError: for an invalid number, or an unknown family.
    """
    weights = {}
    for item in filter(None, text.split(",")):
        name, _, weight = item.strip().partition("=")
        try:
            weights[name] = float(weight)
        except ValueError:
            raise InputError(
                f"{item!r} is not family=weight; the families are {', '.join(FAMILIES)}"
            ) from None
    sample_families(1, weights, np.random.default_rng(0))
    return weights
