"""Postures near the ground: sitting, kneeling, on hands and feet."""

from blazepose.synthetic.poses.posture import (
    ELBOWS,
    FEET,
    HANDS,
    HEAD_AND_SHOULDERS,
    SEAT,
    TOES,
    Posture,
    Rng,
    both,
    flat_foot,
    left,
    right,
    sample_arms,
)


def sit(rng: Rng) -> Posture:
    pitch = rng.uniform(-18, 20)
    legs: dict[str, float] = {}
    for side in ("left", "right"):
        knee = rng.uniform(70, 105)
        hip = 90 + pitch - rng.uniform(-4, 6)
        legs |= {
            f"{side}_hip_flexion": hip,
            f"{side}_knee_flexion": knee,
            f"{side}_ankle_flexion": flat_foot(hip, knee, pitch),
            f"{side}_hip_abduction": rng.uniform(-2, 22),
        }
    return Posture(sample_arms(rng) | legs, pitch_deg=pitch, seat=SEAT)


def sit_on_floor(rng: Rng) -> Posture:
    kind, pitch = int(rng.integers(3)), rng.uniform(-15, 25)
    if kind == 0:  # long sitting, straddle
        wide = rng.uniform(0, 55)
        legs = both(
            hip_flexion=90 + pitch, hip_abduction=wide, hip_rotation=15, knee_flexion=rng.uniform(0, 10)
        )
    elif kind == 1:  # cross-legged
        legs = both(
            hip_flexion=95 + pitch, hip_abduction=40, hip_rotation=50, knee_flexion=rng.uniform(110, 130)
        )
    else:
        legs = both(hip_flexion=110 + pitch, hip_abduction=8, knee_flexion=rng.uniform(80, 120))
    return Posture(
        sample_arms(rng) | legs | {"spine_flexion": rng.uniform(-5, 35), "spine_twist": rng.normal(0, 15)},
        pitch_deg=pitch,
        supports=(SEAT, FEET),
    )


def kneel(rng: Rng) -> Posture:
    if rng.random() < 0.4:  # half kneeling
        pitch = rng.uniform(-5, 10)
        legs = {
            **left(hip_flexion=88 + pitch, knee_flexion=90, ankle_flexion=2),
            **right(hip_flexion=pitch - 3, knee_flexion=92, ankle_flexion=-40),
        }
        return Posture(sample_arms(rng) | legs, pitch_deg=pitch)
    low = rng.uniform(0, 1)  # upright to sitting on the heels
    pitch = rng.uniform(-10, 15)
    legs = both(
        hip_flexion=pitch + 55 * low,
        knee_flexion=90 + 55 * low,
        ankle_flexion=-72,
        hip_abduction=rng.uniform(0, 15),
    )
    return Posture(sample_arms(rng) | legs, pitch_deg=pitch, supports=(("lowerleg01",), TOES))


def push_up(rng: Rng) -> Posture:
    down = rng.uniform(0, 1)
    return Posture(
        {
            **both(
                shoulder_flexion=85 - 45 * down,
                shoulder_abduction=12 + 30 * down,
                elbow_flexion=8 + 100 * down,
                wrist_flexion=-70,
                forearm_pronation=70,
                finger_flexion=0,
                hip_flexion=rng.normal(4, 6),
                ankle_flexion=25,
                toe_extension=55,
                knee_flexion=rng.uniform(0, 8),
            ),
            "neck_flexion": rng.uniform(-45, 5),
            "spine_flexion": rng.normal(0, 4),
        },
        pitch_deg=78,
        supports=(HANDS, TOES),
    )


def plank(rng: Rng) -> Posture:
    shoulder = rng.uniform(75, 95)
    return Posture(
        {
            **both(
                shoulder_flexion=shoulder,
                elbow_flexion=175 - shoulder,  # forearms lie flat
                shoulder_rotation=rng.normal(0, 8),
                hip_flexion=rng.normal(4, 8),
                ankle_flexion=25,
                toe_extension=55,
                forearm_pronation=30,
                wrist_flexion=0,
                wrist_deviation=0,
            ),
            "neck_flexion": rng.uniform(-40, 10),
            "spine_flexion": rng.normal(4, 5),
        },
        pitch_deg=85,
        supports=(ELBOWS, TOES),
    )


def all_fours(rng: Rng) -> Posture:
    angles = both(
        shoulder_flexion=rng.uniform(75, 95),
        elbow_flexion=5,
        wrist_flexion=-70,
        forearm_pronation=70,
        finger_flexion=0,
        hip_flexion=rng.uniform(75, 100),
        knee_flexion=rng.uniform(92, 108),
        ankle_flexion=-72,
    )
    if rng.random() < 0.5:  # bird dog, or a leg raised
        angles |= left(hip_flexion=rng.uniform(-15, 20), knee_flexion=rng.uniform(0, 90))
        angles |= right(shoulder_flexion=rng.uniform(85, 175))
    return Posture(
        angles | {"spine_flexion": rng.uniform(-25, 40), "neck_flexion": rng.uniform(-45, 30)},
        pitch_deg=88,
        supports=(HANDS, ("lowerleg", *FEET)),
    )


def downward_dog(rng: Rng) -> Posture:
    return Posture(
        both(
            shoulder_flexion=rng.uniform(150, 180),
            elbow_flexion=4,
            wrist_flexion=-60,
            forearm_pronation=60,
            finger_flexion=0,
            hip_flexion=rng.uniform(80, 120),
            knee_flexion=rng.uniform(0, 20),
            ankle_flexion=rng.uniform(5, 30),
        ),
        pitch_deg=125,
        supports=(HANDS, FEET),
    )


def mountain_climber(rng: Rng) -> Posture:
    return Posture(
        {
            **both(
                shoulder_flexion=rng.uniform(70, 95),
                elbow_flexion=6,
                wrist_flexion=-70,
                forearm_pronation=70,
                finger_flexion=0,
                ankle_flexion=20,
                toe_extension=50,
                hip_flexion=rng.uniform(0, 15),
            ),
            **left(hip_flexion=rng.uniform(70, 115), knee_flexion=rng.uniform(70, 120), ankle_flexion=-10),
            "neck_flexion": rng.uniform(-40, 0),
        },
        pitch_deg=78,
        supports=(HANDS, TOES),
    )


def side_plank(rng: Rng) -> Posture:
    up = rng.uniform(70, 175) if rng.random() < 0.6 else rng.uniform(0, 20)
    return Posture(
        {
            **left(
                shoulder_abduction=rng.uniform(75, 95), elbow_flexion=4, wrist_flexion=-60, finger_flexion=0
            ),
            **right(
                shoulder_abduction=up, elbow_flexion=rng.uniform(0, 20), hip_abduction=rng.uniform(0, 30)
            ),
            "spine_bend": rng.normal(-4, 5),
        },
        roll_deg=75,
        supports=(HANDS, FEET),
    )


def bridge(rng: Rng) -> Posture:
    """Sample a bridge: hips lifted on shoulders and feet."""
    high = rng.uniform(0.3, 1.0)
    return Posture(
        {
            **both(
                hip_flexion=25 - 35 * high,
                knee_flexion=rng.uniform(85, 115),
                ankle_flexion=rng.uniform(-10, 10),
                shoulder_flexion=rng.uniform(-30, 10),
                shoulder_abduction=rng.uniform(5, 30),
                elbow_flexion=5,
            ),
            "neck_flexion": 25 + 20 * high,
            "spine_flexion": -10 * high,
        },
        pitch_deg=-105,
        supports=(HEAD_AND_SHOULDERS, FEET),
    )


def wheel(rng: Rng) -> Posture:
    """Sample a wheel, bent backwards on hands and feet, or a crab."""
    if rng.random() < 0.5:
        return Posture(
            {
                **both(
                    hip_flexion=-28,
                    knee_flexion=rng.uniform(70, 100),
                    shoulder_flexion=178,
                    elbow_flexion=15,
                    wrist_flexion=-60,
                    finger_flexion=0,
                    ankle_flexion=-10,
                ),
                "spine_flexion": -45,
                "neck_flexion": -50,
            },
            pitch_deg=-110,
            supports=(HANDS, FEET),
        )
    return Posture(
        both(
            hip_flexion=rng.uniform(0, 40),
            knee_flexion=rng.uniform(75, 100),
            shoulder_flexion=-55,
            elbow_flexion=10,
            wrist_flexion=-60,
            finger_flexion=0,
        ),
        pitch_deg=-75,
        supports=(HANDS, FEET),
    )
