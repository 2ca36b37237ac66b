"""Families of postures: what fitness, yoga, dance and daily life need and face-on photos lack."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from blazepose.synthetic.body.skeleton import clip_to_limits, mirrored
from blazepose.synthetic.poses import lying, standing
from blazepose.synthetic.poses import seated as low
from blazepose.synthetic.poses.posture import Posture, Rng, relaxed


class Family(NamedTuple):
    """A kind of posture.

    Attributes:
        draw: one of it.
        weight: how often, relative to the others.
        upright: the head is above the hips, as in most photos.
    """

    draw: Callable[[Rng], Posture]
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
    "sit": Family(low.sit, 5),
    "sit_on_floor": Family(low.sit_on_floor, 5),
    "kneel": Family(low.kneel, 4),
    "push_up": Family(low.push_up, 5, upright=False),
    "plank": Family(low.plank, 4, upright=False),
    "all_fours": Family(low.all_fours, 3, upright=False),
    "downward_dog": Family(low.downward_dog, 4, upright=False),
    "mountain_climber": Family(low.mountain_climber, 3, upright=False),
    "side_plank": Family(low.side_plank, 4, upright=False),
    "bridge": Family(low.bridge, 4, upright=False),
    "wheel": Family(low.wheel, 3, upright=False),
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
"""{name: family}; `--families squat=30` asks for more of one."""


def sample_posture(name: str, rng: Rng) -> Posture:
    """One posture of a family: mirrored half of the time, never twice the same, within the limits."""
    posture = FAMILIES[name].draw(rng)
    angles = {**relaxed(rng), **posture.angles}
    angles = {key: value + rng.normal(0, 3) for key, value in angles.items()}
    if rng.random() < 0.5:
        posture = posture._replace(side_deg=-posture.side_deg)
        angles = mirrored(angles)
    return posture._replace(family=name, angles=clip_to_limits(angles))


def choose_families(count: int, weights: Mapping[str, float], rng: Rng) -> list[str]:
    """Names of families, drawn by their weights.

    Args:
        count: how many.
        weights: {name: weight}, in place of the table's.
        rng: source of randomness.

    Raises:
        ValueError: names the family that does not exist, or says that nothing is left.
    """
    for name in weights:
        if name not in FAMILIES:
            raise ValueError(f"unknown pose family {name!r}; the families are {', '.join(FAMILIES)}")
    shares = np.array([weights.get(name, family.weight) for name, family in FAMILIES.items()])
    if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
        raise ValueError("weights of pose families are numbers from 0 up, not all of them 0")
    return [str(name) for name in rng.choice(list(FAMILIES), size=count, p=shares / shares.sum())]


def parse_weights(text: str) -> dict[str, float]:
    """`squat=3,handstand=0` as weights.

    Raises:
        ValueError: names what is no number, or no family.
    """
    weights = {}
    for item in filter(None, text.split(",")):
        name, _, weight = item.strip().partition("=")
        try:
            weights[name] = float(weight)
        except ValueError:
            raise ValueError(
                f"{item!r} is not family=weight; the families are {', '.join(FAMILIES)}"
            ) from None
    choose_families(1, weights, np.random.default_rng(0))
    return weights
