"""Postures on one foot or two: standing, squats, lunges, lifts, yoga, dance, jumps."""

from blazepose.synthetic.poses.posture import (
    Posture,
    Rng,
    both,
    flat_foot,
    left,
    right,
    sample_arms,
    sample_raised_arms,
    sample_squat_legs,
)


def stand(rng: Rng) -> Posture:
    wide = rng.uniform(-2, 16)
    legs = both(hip_abduction=wide, hip_rotation=rng.uniform(0, 25))
    if rng.random() < 0.5:
        legs |= left(hip_flexion=rng.uniform(5, 25), knee_flexion=rng.uniform(10, 35))
    return Posture(sample_arms(rng) | legs)


def walk(rng: Rng) -> Posture:
    step, run = rng.uniform(10, 35), rng.random() < 0.35
    knee = rng.uniform(60, 110) if run else rng.uniform(10, 45)
    arm = rng.uniform(60, 110) if run else rng.uniform(5, 40)
    return Posture(
        {
            **left(
                hip_flexion=step * (1.8 if run else 1),
                knee_flexion=step * (1.6 if run else 0.4),
                shoulder_flexion=-step,
                elbow_flexion=arm,
                shoulder_abduction=8,
            ),
            **right(
                hip_flexion=-0.7 * step,
                knee_flexion=knee,
                ankle_flexion=-rng.uniform(0, 30),
                shoulder_flexion=1.2 * step,
                elbow_flexion=arm,
                shoulder_abduction=8,
            ),
            "spine_twist": rng.normal(-6, 5),
            "spine_flexion": rng.uniform(0, 15),
        },
        pitch_deg=rng.uniform(0, 12 if run else 4),
        lift_m=rng.uniform(0, 0.12) if run else 0.0,
    )


def arms_overhead(rng: Rng) -> Posture:
    return Posture(
        sample_raised_arms(rng)
        | both(hip_abduction=rng.uniform(0, 20))
        | {"spine_bend": rng.normal(0, 14), "spine_flexion": rng.normal(-6, 8)}
    )


def squat(rng: Rng) -> Posture:
    legs, pitch = sample_squat_legs(rng, rng.uniform(0.2, 1.0))
    arms = {
        0: sample_raised_arms(rng),
        1: both(shoulder_flexion=rng.uniform(70, 100), elbow_flexion=rng.uniform(0, 20)),
        2: both(shoulder_flexion=rng.uniform(35, 60), elbow_flexion=rng.uniform(110, 140)),
        3: sample_arms(rng),
    }[int(rng.integers(4))]
    return Posture(legs | arms | {"neck_flexion": -0.5 * pitch}, pitch_deg=pitch)


def lunge(rng: Rng) -> Posture:
    depth, pitch = rng.uniform(0.4, 1.0), rng.uniform(0, 20)
    knee = 95 * depth
    hip = knee + pitch - rng.uniform(-10, 10)
    arms = sample_raised_arms(rng) if rng.random() < 0.35 else sample_arms(rng)
    return Posture(
        {
            **arms,
            **left(
                hip_flexion=hip,
                knee_flexion=knee,
                ankle_flexion=flat_foot(hip, knee, pitch),
                hip_abduction=rng.uniform(0, 10),
            ),
            **right(
                hip_flexion=-30 * depth + pitch,
                knee_flexion=rng.uniform(5, 90) * depth,
                ankle_flexion=-10,
                toe_extension=45,
                hip_abduction=rng.uniform(0, 10),
            ),
            "spine_twist": rng.normal(0, 18),
        },
        pitch_deg=pitch,
    )


def side_lunge(rng: Rng) -> Posture:
    knee = rng.uniform(50, 120)
    pitch = 0.3 * knee
    hip = 0.55 * knee + pitch
    return Posture(
        {
            **sample_arms(rng),
            **left(
                hip_flexion=hip,
                knee_flexion=knee,
                hip_abduction=20,
                hip_rotation=25,
                ankle_flexion=flat_foot(hip, knee, pitch),
            ),
            **right(hip_flexion=pitch, hip_abduction=20 + 0.35 * knee, ankle_inversion=-15),
        },
        pitch_deg=pitch,
    )


def forward_fold(rng: Rng) -> Posture:
    pitch, spine = rng.uniform(50, 95), rng.uniform(5, 60)
    hip = pitch + rng.uniform(-4, 4)
    reach = rng.uniform(60, 120)
    return Posture(
        {
            **both(
                hip_flexion=hip,
                shoulder_flexion=reach,
                elbow_flexion=rng.uniform(0, 25),
                knee_flexion=rng.uniform(0, 15),
                hip_abduction=rng.uniform(0, 30),
            ),
            "spine_flexion": spine,
            "neck_flexion": rng.uniform(-35, 20),
        },
        pitch_deg=pitch,
    )


def deadlift(rng: Rng) -> Posture:
    depth = rng.uniform(0.15, 1.0)
    pitch, knee = 65 * depth, 60 * depth
    hip = pitch + 0.5 * knee
    return Posture(
        {
            **both(
                hip_flexion=hip,
                knee_flexion=knee,
                ankle_flexion=flat_foot(hip, knee, pitch),
                shoulder_flexion=pitch - 5,
                elbow_flexion=rng.uniform(0, 8),
                finger_flexion=90,
                hip_abduction=rng.uniform(2, 12),
                forearm_pronation=70,
            ),
            "spine_flexion": rng.normal(0, 5),
            "neck_flexion": -0.5 * pitch,
        },
        pitch_deg=pitch,
    )


def press(rng: Rng) -> Posture:
    up = rng.uniform(0, 1)
    angles = both(
        shoulder_flexion=40 + 135 * up,
        shoulder_abduction=25 - 10 * up,
        elbow_flexion=135 * (1 - up),
        finger_flexion=88,
        forearm_pronation=60,
        wrist_flexion=-20 * (1 - up),
    )
    return Posture(angles | both(hip_abduction=rng.uniform(2, 14)))


def twist(rng: Rng) -> Posture:
    return Posture(
        sample_arms(rng)
        | {"spine_twist": rng.uniform(20, 50), "neck_twist": rng.uniform(-40, 60)}
        | both(hip_abduction=rng.uniform(0, 22), knee_flexion=rng.uniform(0, 15))
    )


def dance(rng: Rng) -> Posture:
    legs: dict[str, float] = {}
    for side in ("left", "right"):
        legs |= {
            f"{side}_hip_flexion": rng.uniform(-20, 60),
            f"{side}_hip_abduction": rng.uniform(-5, 50),
            f"{side}_hip_rotation": rng.uniform(-20, 50),
            f"{side}_knee_flexion": rng.uniform(0, 90),
            f"{side}_ankle_flexion": rng.uniform(-50, 15),
        }
    return Posture(
        sample_arms(rng)
        | legs
        | {
            "spine_flexion": rng.normal(0, 18),
            "spine_bend": rng.normal(0, 18),
            "spine_twist": rng.normal(0, 20),
        },
        pitch_deg=rng.normal(0, 10),
        roll_deg=rng.normal(0, 8),
        lift_m=rng.choice([0.0, rng.uniform(0, 0.4)]),
    )


def balance(rng: Rng) -> Posture:
    """Sample yoga's tree, dancer or warrior three."""
    kind = int(rng.integers(3))
    if kind == 0:
        free = left(
            hip_flexion=rng.uniform(40, 60),
            hip_abduction=rng.uniform(40, 60),
            hip_rotation=55,
            knee_flexion=rng.uniform(115, 140),
        )
        return Posture((sample_raised_arms(rng) if rng.random() < 0.6 else sample_arms(rng)) | free)
    if kind == 1:
        pitch = rng.uniform(20, 55)
        return Posture(
            {
                **left(
                    hip_flexion=-30, knee_flexion=rng.uniform(60, 110), shoulder_flexion=-55, elbow_flexion=5
                ),
                **right(hip_flexion=pitch, shoulder_flexion=rng.uniform(120, 170)),
                "spine_flexion": -25,
            },
            pitch_deg=pitch,
        )
    pitch = rng.uniform(60, 88)
    arms = sample_raised_arms(rng) if rng.random() < 0.5 else both(shoulder_flexion=-20, elbow_flexion=5)
    return Posture(
        {**arms, **left(hip_flexion=-5), **right(hip_flexion=pitch), "neck_flexion": -30}, pitch_deg=pitch
    )


def kick(rng: Rng) -> Posture:
    high = rng.uniform(50, 125)
    return Posture(
        sample_arms(rng)
        | left(
            hip_flexion=high,
            knee_flexion=rng.uniform(0, 70),
            hip_abduction=rng.uniform(-5, 40),
            ankle_flexion=-20,
        )
        | right(hip_flexion=-8, knee_flexion=rng.uniform(0, 20)),
        pitch_deg=rng.uniform(-25, 5),
    )


def jump(rng: Rng) -> Posture:
    legs = both(
        hip_flexion=rng.uniform(-15, 70),
        knee_flexion=rng.uniform(0, 110),
        ankle_flexion=-35,
        hip_abduction=rng.uniform(0, 45),
    )
    arms = sample_raised_arms(rng) if rng.random() < 0.4 else sample_arms(rng)
    return Posture(arms | legs, pitch_deg=rng.normal(0, 12), lift_m=rng.uniform(0.1, 0.5))
