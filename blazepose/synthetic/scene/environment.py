"""Environments around people: ground, walls, sky, objects and lights, or the user's own images."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from blazepose.image import read_image
from blazepose.synthetic.appearance.color import from_hsv, sample_color, sample_light_color, to_linear
from blazepose.synthetic.render.pattern import CHECKS, PLAIN, PLANKS, SHADOW_CATCHER, SPECKLES, STRIPES, TILES
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.solids import MeshBuilder, box, cylinder, ellipsoid, quad

Rng = np.random.Generator


class Material(NamedTuple):
    """A surface: pattern (see render.pattern), its two colors (linear) and size in meters, and gloss."""

    pattern: int
    first_color: np.ndarray
    second_color: np.ndarray
    size_m: float = 0.3
    gloss: float = 0.02


class Light(NamedTuple):
    """A light. `intensity` 0 is the sun, in direction `position`; else a lamp there, intensity at 1 m."""

    position: np.ndarray
    color: np.ndarray
    intensity: float


@dataclass
class Environment:
    """Everything in a scene but people and camera.

    Attributes:
        kind: indoors, outdoors or picture.
        shell: ground, walls and wall decor: receives shadows, casts none.
        objects: trees, houses, furniture, props and occluders.
        materials: materials by index.
        lights: lamps and sun.
        ambient: light from above and from below, linear (2, 3).
        background: (size, size, 3) linear, where rays hit nothing.
    """

    kind: str
    shell: MeshBuilder = field(default_factory=MeshBuilder)
    objects: MeshBuilder = field(default_factory=MeshBuilder)
    materials: list[Material] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    ambient: np.ndarray = field(default_factory=lambda: np.full((2, 3), 0.3, np.float32))
    background: np.ndarray = field(default_factory=lambda: np.zeros((1, 1, 3), np.float32))

    def add_material(self, material: Material) -> int:
        """Add a material and return its index."""
        self.materials.append(material)
        return len(self.materials) - 1


def sample_environment(
    camera: Camera, center: np.ndarray, radius: float, height: float, backgrounds: list[Path], rng: Rng
) -> Environment:
    """Sample an environment.

    Args:
        camera: camera, inside the environment.
        center: (2,) center of the people on the ground.
        radius: radius of the free ground around it.
        height: height of the highest person; the ceiling is above.
        backgrounds: images to use as background; empty builds rooms and landscapes.
        rng: source of randomness.

    Raises:
        ImageError: if a background cannot be read.
    """
    if backgrounds:
        return _sample_image_background(camera, backgrounds[int(rng.integers(len(backgrounds)))], rng)
    build = _sample_indoors if rng.random() < 0.6 else _sample_outdoors
    return build(camera, center, radius, height, rng)


def _sample_indoors(
    camera: Camera, center: np.ndarray, radius: float, height: float, rng: Rng
) -> Environment:
    env = Environment("indoors")
    low = np.minimum(center - radius, camera.origin[:2]) - rng.uniform(0.3, 2.0, 2)
    high = np.maximum(center + radius, camera.origin[:2]) + rng.uniform(0.3, 2.0, 2)
    top = max(rng.uniform(2.4, 3.6), camera.origin[2] + 0.2, height + 0.2)
    env.shell.add(quad(_rectangle(low, high, 0.0)), env.add_material(_sample_floor(rng)))
    env.shell.add(quad(_rectangle(low, high, top)), env.add_material(_sample_plain(rng, 0.75, 0.95)))
    wall = env.add_material(_sample_wall(rng))
    corners = [
        np.array([x, y])
        for x, y in ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    ]
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        other = env.add_material(_sample_wall(rng)) if rng.random() < 0.25 else wall
        env.shell.add(quad(np.array([[*a, 0], [*b, 0], [*b, top], [*a, top]])), other)
        _add_wall_decor(env, a, b, top, rng)
    _add_furniture(env, low, high, center, radius, rng)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(low + 0.2, high - 0.2)
        position = np.array([x, y, rng.uniform(0.65, 0.95) * top])
        env.lights.append(Light(position, sample_light_color(rng), rng.uniform(1.5, 9)))
    _sample_ambient(env, rng.uniform(0.15, 0.7), 0.75, rng)
    env.background = np.full((camera.size, camera.size, 3), 0.3, np.float32)
    return env


def _sample_outdoors(camera: Camera, center: np.ndarray, radius: float, _: float, rng: Rng) -> Environment:
    env = Environment("outdoors")
    far = 60.0
    env.shell.add(quad(_rectangle(center - far, center + far, 0.0)), env.add_material(_sample_ground(rng)))
    sky = from_hsv(rng.uniform(195, 225), rng.uniform(0.02, 0.6), rng.uniform(0.6, 1.0))
    haze = 0.5 * sky + 0.5 * from_hsv(rng.uniform(20, 220), rng.uniform(0, 0.2), rng.uniform(0.7, 1.0))
    env.background = _sky_gradient(camera, sky * rng.uniform(0.8, 1.6), haze * rng.uniform(0.8, 1.6))
    for _ in range(int(rng.integers(0, 9))):
        azimuth, distance = rng.uniform(0, 2 * math.pi), radius + rng.uniform(3, 30)
        foot = center + distance * np.array([math.cos(azimuth), math.sin(azimuth)])
        if np.linalg.norm(foot - camera.origin[:2]) > 2.5:
            (_add_tree if rng.random() < 0.6 else _add_house)(env, foot, rng)
    elevation = math.radians(rng.uniform(15, 80))
    azimuth = rng.uniform(0, 2 * math.pi)
    sun = np.array(
        [
            math.cos(azimuth) * math.cos(elevation),
            math.sin(azimuth) * math.cos(elevation),
            math.sin(elevation),
        ]
    )
    cloudy = rng.random() < 0.35
    intensity = rng.uniform(0.05, 0.4) if cloudy else rng.uniform(0.7, 1.4)
    env.lights.append(Light(sun, sample_light_color(rng) * intensity, 0.0))
    _sample_ambient(env, rng.uniform(0.25, 0.6), 0.5, rng)
    return env


def _sample_image_background(camera: Camera, path: Path, rng: Rng) -> Environment:
    """Sample a crop of the user's image as background; its lower part receives shadows like a floor."""
    env = Environment("picture")
    image = read_image(path)
    side = int(min(image.shape[:2]) * rng.uniform(0.6, 1.0))
    top, left = (int(rng.integers(0, extent - side + 1)) for extent in image.shape[:2])
    crop = image[top : top + side, left : left + side]
    method = cv2.INTER_AREA if side > camera.size else cv2.INTER_LINEAR
    crop = cv2.resize(
        crop[:, ::-1] if rng.random() < 0.5 else crop, (camera.size, camera.size), interpolation=method
    )
    env.background = to_linear(crop.astype(np.float32) / 255)
    angle = rng.uniform(25, 75)
    azimuth = rng.uniform(0, 2 * math.pi)
    horizontal = math.cos(math.radians(angle))
    direction = np.array(
        [math.cos(azimuth) * horizontal, math.sin(azimuth) * horizontal, math.sin(math.radians(angle))]
    )
    color = sample_light_color(rng) * rng.uniform(0.4, 1.2)
    env.lights.append(Light(direction, color, 0.0))
    _sample_ambient(env, rng.uniform(0.3, 0.8), 0.7, rng)
    unshadowed = env.ambient[0] + color * math.sin(math.radians(angle))
    catcher = env.add_material(Material(SHADOW_CATCHER, unshadowed, unshadowed))
    ground = camera.origin[:2]
    env.shell.add(quad(_rectangle(ground - 60, ground + 60, 0.0)), catcher)
    return env


def _sample_ambient(env: Environment, intensity: float, bounce: float, rng: Rng) -> None:
    """Sample light from everywhere, a fraction of which is reflected from below."""
    above = sample_light_color(rng) * intensity
    env.ambient = np.stack([above, above * bounce * rng.uniform(0.4, 1.0)]).astype(np.float32)


def _sky_gradient(camera: Camera, zenith: np.ndarray, horizon: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: camera.size, : camera.size].astype(np.float32)
    x = (columns - camera.center_px[0]) / camera.focal_px
    y = (rows - camera.center_px[1]) / camera.focal_px
    rise = camera.axes[0, 2] * x + camera.axes[1, 2] * y + camera.axes[2, 2]
    weight = (rise / np.sqrt(x**2 + y**2 + 1)).clip(0, 1)[..., None] ** 0.6
    return (horizon + (zenith - horizon) * weight).astype(np.float32)


def _rectangle(low: np.ndarray, high: np.ndarray, height: float) -> np.ndarray:
    return np.array(
        [
            [low[0], low[1], height],
            [high[0], low[1], height],
            [high[0], high[1], height],
            [low[0], high[1], height],
        ]
    )


def _sample_plain(rng: Rng, low: float, high: float) -> Material:
    color = from_hsv(rng.uniform(0, 360), rng.uniform(0, 0.15), rng.uniform(low, high))
    return Material(PLAIN, color, color)


def _sample_floor(rng: Rng) -> Material:
    kind = int(
        rng.choice([PLANKS, TILES, CHECKS, SPECKLES, PLAIN, STRIPES], p=[0.35, 0.2, 0.08, 0.2, 0.12, 0.05])
    )
    wood = from_hsv(rng.uniform(18, 38), rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.8))
    first_color = wood if kind == PLANKS else sample_color(rng)
    second_color = first_color * rng.uniform(0.3, 0.8) if kind in (PLANKS, SPECKLES) else sample_color(rng)
    size = {PLANKS: rng.uniform(0.08, 0.2), SPECKLES: rng.uniform(0.02, 0.4)}.get(kind, rng.uniform(0.2, 1.0))
    return Material(kind, first_color, second_color, size, rng.uniform(0, 0.25))


def _sample_wall(rng: Rng) -> Material:
    kind = int(rng.choice([PLAIN, SPECKLES, STRIPES, TILES, CHECKS], p=[0.55, 0.2, 0.08, 0.12, 0.05]))
    first_color = from_hsv(rng.uniform(0, 360), rng.uniform(0, 0.35), rng.uniform(0.35, 0.97))
    second_color = first_color * rng.uniform(0.6, 0.95) if kind in (SPECKLES, STRIPES) else sample_color(rng)
    return Material(kind, first_color, second_color, rng.uniform(0.08, 0.8))


def _sample_ground(rng: Rng) -> Material:
    hue, saturation = [
        (rng.uniform(70, 130), rng.uniform(0.3, 0.7)),
        (rng.uniform(20, 45), rng.uniform(0.1, 0.5)),
        (0.0, rng.uniform(0, 0.1)),
    ][int(rng.integers(3))]
    first_color = from_hsv(hue, saturation, rng.uniform(0.2, 0.75))
    kind = int(rng.choice([SPECKLES, TILES, PLAIN], p=[0.7, 0.2, 0.1]))
    return Material(kind, first_color, first_color * rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.5))


def _add_wall_decor(env: Environment, a: np.ndarray, b: np.ndarray, top: float, rng: Rng) -> None:
    """Add pictures, windows, mirrors and doors: bright and dark rectangles just before a wall."""
    along = (b - a) / np.linalg.norm(b - a)
    inwards = np.array([-along[1], along[0], 0.0]) * 0.01
    for _ in range(int(rng.integers(0, 4))):
        start = a + along * rng.uniform(0, max(0.1, float(np.linalg.norm(b - a)) - 0.5))
        width, low, high = rng.uniform(0.25, 1.6), rng.uniform(0.0, 1.5), rng.uniform(1.6, top)
        end = start + along * width
        kind = int(rng.choice([PLAIN, SPECKLES, STRIPES, CHECKS]))
        material = env.add_material(
            Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.03, 0.3))
        )
        corners = np.array([[*start, low], [*end, low], [*end, high], [*start, high]]) + inwards
        env.shell.add(quad(corners), material)


def _add_furniture(
    env: Environment, low: np.ndarray, high: np.ndarray, center: np.ndarray, radius: float, rng: Rng
) -> None:
    """Add boxes along the walls: cupboards, benches, machines."""
    for _ in range(int(rng.integers(0, 6))):
        half = np.array([rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.4), rng.uniform(0.15, 1.0)])
        position = rng.uniform(low + 0.3, high - 0.3)
        if np.linalg.norm(position - center) < radius + 0.5:
            continue
        rotation = Rotation.from_euler("z", rng.uniform(0, math.pi)).as_matrix()
        kind = int(rng.choice([PLAIN, STRIPES, PLANKS]))
        material = env.add_material(
            Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.05, 0.3), 0.1)
        )
        env.objects.add(box(np.array([*position, half[2]]), half, rotation), material)


def _add_tree(env: Environment, foot: np.ndarray, rng: Rng) -> None:
    height = rng.uniform(2.5, 9)
    base, up = np.array([*foot, 0.0]), np.array([0.0, 0.0, height])
    bark = env.add_material(Material(SPECKLES, from_hsv(25, 0.4, 0.35), from_hsv(25, 0.4, 0.15), 0.1))
    leaf = from_hsv(rng.uniform(60, 140), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.6))
    leaves = env.add_material(Material(SPECKLES, leaf, leaf * 0.3, rng.uniform(0.1, 0.3)))
    env.objects.add(cylinder(base, base + 0.7 * up, rng.uniform(0.05, 0.25), 8), bark)
    for _ in range(int(rng.integers(1, 4))):
        blob = base + up * rng.uniform(0.6, 0.95) + rng.normal(0, 0.4, 3)
        env.objects.add(ellipsoid(blob, height * rng.uniform(0.12, 0.3, 3)), leaves)


def _add_house(env: Environment, foot: np.ndarray, rng: Rng) -> None:
    half = np.array([rng.uniform(1, 6), rng.uniform(0.3, 4), rng.uniform(0.5, 5)])
    kind = int(rng.choice([PLAIN, TILES, STRIPES, CHECKS]))
    material = env.add_material(Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.2, 1.5)))
    away = foot + half[:2].max() * foot / max(1e-3, float(np.linalg.norm(foot)))
    env.objects.add(box(np.array([*away, half[2]]), half), material)
