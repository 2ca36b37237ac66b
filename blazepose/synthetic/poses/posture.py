"""Posture: joint angles and placement on the ground; samplers of limbs that many postures share."""

from typing import NamedTuple

import numpy as np

from blazepose.synthetic.body.skeleton import Angles

Rng = np.random.Generator


class Posture(NamedTuple):
    """Joint angles and placement on the ground.

    Attributes:
        angles: joint angles, degrees; missing ones are relaxed.
        pitch_deg: pitch of the body: 0 upright, 90 face down, -90 on the back, 180 upside down.
        roll_deg: roll of the body: 90 on its left side, -90 on the right.
        supports: two groups of bones on the ground; the body is tilted until both touch it.
        seat: bones on a seat.
        grip: hands or knees, if they hang from a bar.
        lift_m: height above the ground.
        family: name in families.FAMILIES.
    """

    angles: Angles
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    supports: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    seat: tuple[str, ...] = ()
    grip: str = ""
    lift_m: float = 0.0
    family: str = ""


HANDS = ("wrist", "metacarpal", "finger")
FEET = ("foot", "toe")
TOES = ("toe",)
ELBOWS = ("lowerarm",)
HEAD_AND_SHOULDERS = ("head", "clavicle", "shoulder01", "spine01", "spine02", "upperarm")
SEAT = ("pelvis", "upperleg01")
"""Prefixes of the bone names of a group."""


def both(**angles: float) -> dict[str, float]:
    return {f"{side}_{name}": value for name, value in angles.items() for side in ("left", "right")}


def left(**angles: float) -> dict[str, float]:
    return {f"left_{name}": value for name, value in angles.items()}


def right(**angles: float) -> dict[str, float]:
    return {f"right_{name}": value for name, value in angles.items()}


def sample_relaxed(rng: Rng) -> dict[str, float]:
    """Sample relaxed hands, feet, head and trunk."""
    angles = {
        "neck_flexion": rng.normal(0, 14),
        "neck_twist": rng.normal(0, 22),
        "neck_bend": rng.normal(0, 7),
        "spine_flexion": rng.normal(3, 6),
        "spine_bend": rng.normal(0, 5),
        "spine_twist": rng.normal(0, 7),
    }
    for side in ("left", "right"):
        fist = rng.choice([rng.uniform(5, 30), rng.uniform(65, 90), rng.uniform(-5, 5)], p=[0.6, 0.25, 0.15])
        angles |= {
            f"{side}_finger_flexion": fist,
            f"{side}_thumb_flexion": 0.4 * fist + rng.normal(0, 8),
            f"{side}_wrist_flexion": rng.normal(0, 14),
            f"{side}_wrist_deviation": rng.normal(0, 7),
            f"{side}_forearm_pronation": rng.normal(15, 25),
            f"{side}_ankle_flexion": rng.normal(0, 3),
        }
    return angles


def sample_arms(rng: Rng) -> dict[str, float]:
    """Sample two arms: hanging, on the hips, crossed, pointing, raised, at the head, and others."""
    return _sample_arm(rng, "left") | _sample_arm(rng, "right")


def _sample_arm(rng: Rng, side: str) -> dict[str, float]:
    kind = rng.choice(
        ["hang", "hip", "front", "point", "up", "head", "wide", "any"],
        p=[0.25, 0.1, 0.15, 0.1, 0.12, 0.06, 0.1, 0.12],
    )
    flexion, abduction, rotation, elbow = {
        "hang": (rng.normal(0, 12), rng.uniform(2, 18), rng.normal(0, 15), rng.uniform(2, 35)),
        "hip": (rng.uniform(-25, 0), rng.uniform(30, 50), rng.uniform(-60, -30), rng.uniform(80, 110)),
        "front": (rng.uniform(15, 75), rng.uniform(-15, 20), rng.uniform(-50, 20), rng.uniform(30, 125)),
        "point": (rng.uniform(60, 110), rng.uniform(-15, 45), rng.normal(0, 20), rng.uniform(0, 25)),
        "up": (rng.uniform(130, 182), rng.uniform(-10, 30), rng.normal(0, 25), rng.uniform(0, 60)),
        "head": (rng.uniform(90, 150), rng.uniform(20, 60), rng.uniform(0, 50), rng.uniform(110, 145)),
        "wide": (rng.normal(0, 15), rng.uniform(60, 110), rng.normal(0, 40), rng.uniform(0, 60)),
        "any": (rng.uniform(-40, 180), rng.uniform(-10, 100), rng.uniform(-60, 60), rng.uniform(0, 140)),
    }[str(kind)]
    values = {
        "shoulder_flexion": flexion,
        "shoulder_abduction": abduction,
        "shoulder_rotation": rotation,
        "elbow_flexion": elbow,
    }
    return {f"{side}_{name}": float(value) for name, value in values.items()}


def sample_front_arms(rng: Rng) -> dict[str, float]:
    """Sample arms of a person on the back or a side: never behind the back."""
    angles = sample_arms(rng)
    flexions = [name for name in angles if name.endswith("shoulder_flexion")]
    return angles | {name: max(angles[name], 10.0) for name in flexions}


def sample_raised_arms(rng: Rng) -> dict[str, float]:
    return both(
        shoulder_flexion=rng.uniform(155, 182),
        shoulder_abduction=rng.uniform(-8, 25),
        elbow_flexion=rng.uniform(0, 30),
        shoulder_rotation=rng.uniform(-30, 30),
    )


def flat_foot(hip: float, knee: float, trunk: float = 0.0) -> float:
    """Return the ankle flexion that keeps the sole level, for hip, knee and forward pitch of the trunk."""
    return knee - hip + trunk


def sample_squat_legs(rng: Rng, depth: float) -> tuple[dict[str, float], float]:
    """Sample legs bent by `depth` 0..1; return their angles and the pitch of the trunk."""
    knee = 25 + 110 * depth
    pitch = rng.uniform(8, 20) + 25 * depth
    hip = knee * 0.5 + pitch + 12 * depth
    wide = rng.uniform(4, 25)
    legs = both(
        knee_flexion=knee,
        hip_flexion=hip,
        hip_abduction=wide,
        hip_rotation=wide,
        ankle_flexion=flat_foot(hip, knee, pitch),
    )
    return legs, pitch
