"""Props that people hold, sit on, hang from, or stand behind."""

import math

import numpy as np
from scipy.spatial.transform import Rotation

from blazepose.synthetic.appearance.color import from_hsv, sample_color
from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.render.pattern import PLAIN, PLANKS, SPECKLES, STRIPES
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.environment import Environment, Material
from blazepose.synthetic.scene.solids import box, cylinder, quad
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER

Rng = np.random.Generator

OCCLUDERS = ("none", "bar", "board", "furniture", "plant")
"""Kinds of objects before a person."""

_WEIGHT_PROB = {"deadlift": 0.75, "press": 0.6, "squat": 0.25, "lunge": 0.15}
"""{family: probability of a barbell or dumbbells}."""

_KNEES = [INDEX["left_knee"], INDEX["right_knee"]]
_KNUCKLES = [[INDEX[f"{side}_index"], INDEX[f"{side}_pinky"]] for side in ("left", "right")]


def add_props(figure: Figure, env: Environment, builder: FigureBuilder, rng: Rng) -> str:
    """Add the seat or bar that the posture needs, or a weight, and return the name of the prop."""
    if figure.posture.seat:
        return _add_seat(figure, env, builder, rng)
    if figure.posture.grip:
        ends = _fist_centers(figure) if figure.posture.grip == "hands" else figure.landmarks[_KNEES]
        _add_bar(env, ends, rng.uniform(0.015, 0.03), 2.4, 0.0, rng)
        return "pull-up bar"
    if rng.random() < _WEIGHT_PROB.get(figure.posture.family, 0.0):
        ends = (
            _upper_back_line(figure) if figure.posture.family in ("squat", "lunge") else _fist_centers(figure)
        )
        if rng.random() < 0.7:
            _add_bar(env, ends, 0.014, 2.0, rng.uniform(0.1, 0.23), rng)
            return "barbell"
        for end in _fist_centers(figure):
            axis = rng.normal(0, 1, 3)
            axis /= np.linalg.norm(axis)
            _add_bar(env, np.stack([end - 0.05 * axis, end + 0.05 * axis]), 0.015, 0.3, 0.06, rng)
        return "dumbbells"
    return "nothing"


def _fist_centers(figure: Figure) -> np.ndarray:
    """Compute the centers of both fists, (2, 3)."""
    return np.stack([figure.landmarks[pair].mean(axis=0) for pair in _KNUCKLES])


def _upper_back_line(figure: Figure) -> np.ndarray:
    """Compute the ends of a line across the shoulders, behind the neck, (2, 3)."""
    shoulders = figure.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER]]
    hips = figure.landmarks[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
    up = shoulders.mean(axis=0) - hips
    back = np.cross(up, shoulders[0] - shoulders[1])
    back *= 0.075 * figure.stature / 1.7 / np.linalg.norm(back)
    return shoulders + back + 0.03 * up / np.linalg.norm(up)


def _add_bar(
    env: Environment, ends: np.ndarray, radius: float, length: float, plate: float, rng: Rng
) -> None:
    """Add a bar through two points, with discs at its ends if `plate` (their radius) is not 0."""
    middle, axis = ends.mean(axis=0), ends[0] - ends[1]
    axis = axis / max(1e-6, float(np.linalg.norm(axis)))
    steel = from_hsv(0, 0, rng.uniform(0.1, 0.8))
    metal = env.add_material(Material(PLAIN, steel, steel, gloss=0.6))
    start, end = middle - axis * length / 2, middle + axis * length / 2
    env.objects.add(cylinder(start, end, radius), metal)
    if plate:
        color = sample_color(rng)
        rubber = env.add_material(Material(PLAIN, color, color, gloss=0.1))
        for tip, inwards in ((start, axis), (end, -axis)):
            inner = tip + inwards * 0.12 * length
            env.objects.add(
                cylinder(inner, inner + inwards * rng.uniform(0.02, 0.12) * length, plate, 20), rubber
            )


def _add_seat(figure: Figure, env: Environment, builder: FigureBuilder, rng: Rng) -> str:
    seat = figure.vertices[builder.bone_vertices(figure.posture.seat)]
    low = seat[np.argsort(seat[:, 2])[: len(seat) // 8]]
    top = float(low[:, 2].mean())
    if top < 0.1:
        return "nothing"
    color = sample_color(rng)
    material = env.add_material(Material(int(rng.choice([PLAIN, PLANKS, SPECKLES])), color, color * 0.6, 0.1))
    middle = low.mean(axis=0)
    knees = figure.landmarks[_KNEES].mean(axis=0)
    ahead = (knees - middle)[:2]
    ahead = ahead / max(1e-6, float(np.linalg.norm(ahead)))
    center = np.array([*(middle[:2] - 0.05 * ahead), top / 2])
    rotation = Rotation.from_euler("z", math.atan2(ahead[1], ahead[0])).as_matrix()
    half = np.array([rng.uniform(0.16, 0.24), rng.uniform(0.2, 0.8), top / 2])
    if rng.random() < 0.5:  # stool or bench with legs: only the top
        half[2] = 0.03
        center[2] = top - 0.03
    env.objects.add(box(center, half, rotation), material)
    return "seat"


def add_occluder(figure: Figure, env: Environment, camera: Camera, rng: Rng) -> str:
    """Sample an object, or none, between the camera and a person, and return its kind, of OCCLUDERS."""
    kind = str(rng.choice(OCCLUDERS, p=[0.72, 0.09, 0.07, 0.06, 0.06]))
    if kind == "none":
        return kind
    # Around a random landmark, between the camera and the nearest landmark.
    target = figure.landmarks[rng.integers(len(figure.landmarks))]
    offset = target - camera.origin
    near = np.linalg.norm(figure.landmarks - camera.origin, axis=1).min() / np.linalg.norm(offset)
    position = camera.origin + offset * rng.uniform(0.45, 0.92) * min(1.0, float(near))
    span = float(np.ptp(figure.landmarks, axis=0).max())
    color, second = sample_color(rng), sample_color(rng)
    pattern = int(rng.choice([PLAIN, SPECKLES, STRIPES, PLANKS]))
    material = env.add_material(Material(pattern, color, second, rng.uniform(0.02, 0.15), 0.1))
    if kind == "bar":
        axis = camera.axes.T @ np.array([rng.normal(), rng.normal(), 0.3 * rng.normal()])
        axis *= 2.5 / np.linalg.norm(axis)
        env.objects.add(cylinder(position - axis, position + axis, rng.uniform(0.008, 0.05)), material)
    elif kind == "board":
        rotation = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        env.objects.add(box(position, span * rng.uniform(0.03, 0.12, 3), rotation), material)
    elif kind == "furniture":
        half = np.array([rng.uniform(0.15, 0.7), rng.uniform(0.1, 0.3), max(0.06, position[2] / 2)])
        rotation = Rotation.from_euler("z", rng.uniform(0, math.pi)).as_matrix()
        env.objects.add(box(np.array([*position[:2], half[2]]), half, rotation), material)
    else:
        _add_plant(env, position, span, camera, rng)
    return kind


def _add_plant(env: Environment, position: np.ndarray, span: float, camera: Camera, rng: Rng) -> None:
    """Add a bunch of leaves that grow from one point."""
    green = from_hsv(rng.uniform(60, 150), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.7))
    material = env.add_material(Material(SPECKLES, green, green * 0.4, 0.05))
    root = position + camera.axes[1] * span * rng.uniform(0.1, 0.3)
    for _ in range(int(rng.integers(6, 16))):
        direction = camera.axes.T @ np.array(
            [rng.normal(0, 0.5), -1.0 + rng.normal(0, 0.4), rng.normal(0, 0.4)]
        )
        tip = root + direction * span * rng.uniform(0.15, 0.45)
        across = np.cross(direction, camera.axes[2])
        across *= span * rng.uniform(0.01, 0.035) / max(1e-6, float(np.linalg.norm(across)))
        middle = (root + tip) / 2
        env.objects.add(quad(np.stack([root, middle + across, tip, middle - across])), material)
