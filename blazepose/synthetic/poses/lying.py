"""Postures lying, upside down, and hanging."""

from blazepose.synthetic.poses.posture import Posture, Rng, both, left, right, sample_arms, sample_front_arms


def lie_on_back(rng: Rng) -> Posture:
    legs: dict[str, float] = {}
    for side in ("left", "right"):
        hip = rng.choice([rng.uniform(-5, 10), rng.uniform(40, 100)])
        legs |= {
            f"{side}_hip_flexion": hip,
            f"{side}_knee_flexion": rng.uniform(0, 110) if hip > 30 else 3,
            f"{side}_hip_abduction": rng.uniform(0, 25),
            f"{side}_hip_rotation": rng.uniform(0, 35),
            f"{side}_ankle_flexion": rng.uniform(-45, 0),
        }
    return Posture(sample_front_arms(rng) | legs | {"spine_flexion": rng.uniform(-4, 8)}, pitch_deg=-90)


def crunch(rng: Rng) -> Posture:
    """Sample a sit-up, leg raise, boat or hollow hold."""
    up = rng.uniform(0, 75)
    hip = rng.uniform(45, 100)
    return Posture(
        {
            **sample_front_arms(rng),
            **both(hip_flexion=hip + 0.3 * up, knee_flexion=rng.uniform(0, 110)),
            "spine_flexion": rng.uniform(15, 60),
            "neck_flexion": rng.uniform(0, 40),
        },
        pitch_deg=-90 + 0.8 * up,
    )


def lie_on_front(rng: Rng) -> Posture:
    lift = rng.uniform(0, 1)
    arms = (
        both(shoulder_flexion=rng.uniform(120, 178), elbow_flexion=rng.uniform(0, 80))
        if rng.random() < 0.5
        else both(shoulder_flexion=rng.uniform(-20, 10), shoulder_abduction=rng.uniform(5, 50))
    )
    return Posture(
        {
            **arms,
            **both(
                hip_flexion=-15 * lift,
                knee_flexion=rng.uniform(0, 40),
                ankle_flexion=-50,
                hip_abduction=rng.uniform(0, 20),
            ),
            "spine_flexion": -35 * lift,
            "neck_flexion": -45 * lift,
            "neck_twist": rng.uniform(-60, 60),
        },
        pitch_deg=90,
    )


def lie_on_side(rng: Rng) -> Posture:
    return Posture(
        {
            **sample_front_arms(rng),
            **left(hip_flexion=rng.uniform(0, 70), knee_flexion=rng.uniform(0, 90)),
            **right(
                hip_flexion=rng.uniform(0, 70),
                knee_flexion=rng.uniform(0, 90),
                hip_abduction=rng.uniform(-10, 55),
            ),
            "spine_bend": rng.uniform(-20, 10),
            "neck_bend": rng.uniform(-20, 20),
        },
        roll_deg=rng.uniform(75, 100),
        pitch_deg=rng.normal(0, 8),
    )


def handstand(rng: Rng) -> Posture:
    legs: dict[str, float] = {}
    for side in ("left", "right"):
        legs |= {
            f"{side}_hip_flexion": rng.uniform(-30, 70),
            f"{side}_hip_abduction": rng.uniform(-5, 50),
            f"{side}_knee_flexion": rng.choice([0, rng.uniform(0, 110)]),
            f"{side}_ankle_flexion": rng.uniform(-50, 0),
        }
    return Posture(
        {
            **both(
                shoulder_flexion=rng.uniform(165, 182),
                elbow_flexion=rng.uniform(0, 30),
                wrist_flexion=-65,
                finger_flexion=0,
                shoulder_abduction=rng.uniform(-5, 20),
            ),
            **legs,
            "spine_flexion": rng.uniform(-35, 15),
            "neck_flexion": rng.uniform(-50, 10),
        },
        pitch_deg=rng.uniform(165, 195),
        roll_deg=rng.normal(0, 12),
    )


def cartwheel(rng: Rng) -> Posture:
    return Posture(
        {
            **both(
                shoulder_abduction=rng.uniform(120, 175),
                elbow_flexion=rng.uniform(0, 25),
                hip_abduction=rng.uniform(30, 75),
                ankle_flexion=-40,
                finger_flexion=0,
            ),
            "spine_bend": rng.uniform(-25, 25),
        },
        roll_deg=rng.uniform(60, 170),
        pitch_deg=rng.normal(0, 10),
    )


def headstand(rng: Rng) -> Posture:
    bent = rng.uniform(0, 120)
    return Posture(
        both(
            shoulder_flexion=rng.uniform(110, 150),
            elbow_flexion=rng.uniform(100, 135),
            hip_flexion=rng.uniform(-10, 110),
            knee_flexion=bent,
            hip_abduction=rng.uniform(0, 35),
            ankle_flexion=-30,
        )
        | {"neck_flexion": 0.0},
        pitch_deg=rng.uniform(172, 188),
    )


def hang(rng: Rng) -> Posture:
    pull = rng.uniform(0, 1)
    legs = both(hip_flexion=rng.uniform(-10, 100), knee_flexion=rng.uniform(0, 100), ankle_flexion=-25)
    return Posture(
        legs
        | both(
            shoulder_flexion=182 - 80 * pull,
            shoulder_abduction=15 + 20 * pull,
            elbow_flexion=130 * pull,
            finger_flexion=92,
            forearm_pronation=60,
        ),
        grip="hands",
        lift_m=rng.uniform(0.15, 0.6),
    )


def hang_upside_down(rng: Rng) -> Posture:
    return Posture(
        sample_arms(rng)
        | both(hip_flexion=rng.uniform(10, 100), knee_flexion=rng.uniform(70, 120))
        | {"spine_flexion": rng.uniform(-15, 40)},
        pitch_deg=180,
        grip="knees",
        lift_m=rng.uniform(0.3, 0.8),
    )
