"""What surrounds people: ground, walls, sky, things, light; or the user's own pictures."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from blazepose.image import read_image
from blazepose.synthetic.appearance.color import from_hsv, sample_color, sample_light_color, to_linear
from blazepose.synthetic.render.pattern import CHECKS, PICTURE, PLAIN, PLANKS, SPECKLES, STRIPES, TILES
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.solids import Collection, box, ellipsoid, quad, rod

Rng = np.random.Generator


class Material(NamedTuple):
    """A surface of the room: pattern of `shade`, its two colours (linear), size in metres and shine."""

    pattern: int
    first: np.ndarray
    second: np.ndarray
    size_m: float = 0.3
    gloss: float = 0.02


class Light(NamedTuple):
    """A light. `strength` 0 is the sun, in direction `position`; else a lamp there, strength at 1 m."""

    position: np.ndarray
    color: np.ndarray
    strength: float


@dataclass
class Environment:
    """Surroundings as they are built up.

    Attributes:
        kind: indoors, outdoors or picture.
        shell: ground, walls and what hangs on them: takes shadows, throws none.
        things: what stands around.
        materials: by index.
        lights: lamps and sun.
        ambient: light from above and from below, linear (2, 3).
        backdrop: (size, size, 3) linear, where rays meet nothing.
    """

    kind: str
    shell: Collection = field(default_factory=Collection)
    things: Collection = field(default_factory=Collection)
    materials: list[Material] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    ambient: np.ndarray = field(default_factory=lambda: np.full((2, 3), 0.3, np.float32))
    backdrop: np.ndarray = field(default_factory=lambda: np.zeros((1, 1, 3), np.float32))

    def material(self, material: Material) -> int:
        """Register a material; its index."""
        self.materials.append(material)
        return len(self.materials) - 1


def sample_environment(
    camera: Camera, center: np.ndarray, radius: float, height: float, pictures: list[Path], rng: Rng
) -> Environment:
    """Surroundings of people.

    Args:
        camera: stands inside.
        center: (2,) of the people on the ground.
        radius: of the free ground around it.
        height: of the highest of them; the ceiling is above.
        pictures: to use as backdrop; empty builds rooms and landscapes.
        rng: source of randomness.

    Raises:
        ImageError: names the picture that cannot be read.
    """
    if pictures:
        return _picture(camera, pictures[int(rng.integers(len(pictures)))], rng)
    build = _indoors if rng.random() < 0.6 else _outdoors
    return build(camera, center, radius, height, rng)


def _indoors(camera: Camera, center: np.ndarray, radius: float, height: float, rng: Rng) -> Environment:
    room = Environment("indoors")
    low = np.minimum(center - radius, camera.origin[:2]) - rng.uniform(0.3, 2.0, 2)
    high = np.maximum(center + radius, camera.origin[:2]) + rng.uniform(0.3, 2.0, 2)
    top = max(rng.uniform(2.4, 3.6), camera.origin[2] + 0.2, height + 0.2)
    room.shell.add(quad(_rectangle(low, high, 0.0)), room.material(_floor(rng)))
    room.shell.add(quad(_rectangle(low, high, top)), room.material(_plain(rng, 0.75, 0.95)))
    wall = room.material(_wall(rng))
    corners = [
        np.array([x, y])
        for x, y in ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    ]
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        other = room.material(_wall(rng)) if rng.random() < 0.25 else wall
        room.shell.add(quad(np.array([[*a, 0], [*b, 0], [*b, top], [*a, top]])), other)
        _hang_pictures(room, a, b, top, rng)
    _furnish(room, low, high, center, radius, rng)
    for _ in range(int(rng.integers(1, 4))):
        where = rng.uniform(low + 0.2, high - 0.2)
        place = np.array([where[0], where[1], rng.uniform(0.65, 0.95) * top])
        room.lights.append(Light(place, sample_light_color(rng), rng.uniform(1.5, 9)))
    _fill(room, rng.uniform(0.15, 0.7), 0.75, rng)
    room.backdrop = np.full((camera.size, camera.size, 3), 0.3, np.float32)
    return room


def _outdoors(camera: Camera, center: np.ndarray, radius: float, _: float, rng: Rng) -> Environment:
    room = Environment("outdoors")
    far = 60.0
    room.shell.add(quad(_rectangle(center - far, center + far, 0.0)), room.material(_soil(rng)))
    sky = from_hsv(rng.uniform(195, 225), rng.uniform(0.02, 0.6), rng.uniform(0.6, 1.0))
    haze = 0.5 * sky + 0.5 * from_hsv(rng.uniform(20, 220), rng.uniform(0, 0.2), rng.uniform(0.7, 1.0))
    room.backdrop = _sky(camera, sky * rng.uniform(0.8, 1.6), haze * rng.uniform(0.8, 1.6))
    for _ in range(int(rng.integers(0, 9))):
        bearing, away = rng.uniform(0, 2 * math.pi), radius + rng.uniform(3, 30)
        foot = center + away * np.array([math.cos(bearing), math.sin(bearing)])
        if np.linalg.norm(foot - camera.origin[:2]) > 2.5:
            (_plant_tree if rng.random() < 0.6 else _build_house)(room, foot, rng)
    up = rng.uniform(15, 80)
    bearing = rng.uniform(0, 2 * math.pi)
    sun = np.array(
        [
            math.cos(bearing) * math.cos(math.radians(up)),
            math.sin(bearing) * math.cos(math.radians(up)),
            math.sin(math.radians(up)),
        ]
    )
    cloudy = rng.random() < 0.35
    strength = rng.uniform(0.05, 0.4) if cloudy else rng.uniform(0.7, 1.4)
    room.lights.append(Light(sun, sample_light_color(rng) * strength, 0.0))
    _fill(room, rng.uniform(0.25, 0.6), 0.5, rng)
    return room


def _picture(camera: Camera, path: Path, rng: Rng) -> Environment:
    """The user's picture behind people, whose shadows fall on its lower part as on a floor."""
    room = Environment("picture")
    image = read_image(path)
    side = int(min(image.shape[:2]) * rng.uniform(0.6, 1.0))
    top, left = (int(rng.integers(0, extent - side + 1)) for extent in image.shape[:2])
    cut = image[top : top + side, left : left + side]
    method = cv2.INTER_AREA if side > camera.size else cv2.INTER_LINEAR
    cut = cv2.resize(
        cut[:, ::-1] if rng.random() < 0.5 else cut, (camera.size, camera.size), interpolation=method
    )
    room.backdrop = to_linear(cut.astype(np.float32) / 255)
    angle = rng.uniform(25, 75)
    bearing = rng.uniform(0, 2 * math.pi)
    flat = math.cos(math.radians(angle))
    direction = np.array([math.cos(bearing) * flat, math.sin(bearing) * flat, math.sin(math.radians(angle))])
    color = sample_light_color(rng) * rng.uniform(0.4, 1.2)
    room.lights.append(Light(direction, color, 0.0))
    _fill(room, rng.uniform(0.3, 0.8), 0.7, rng)
    free = room.ambient[0] + color * math.sin(math.radians(angle))
    catcher = room.material(Material(PICTURE, free, free))
    ground = camera.origin[:2]
    room.shell.add(quad(_rectangle(ground - 60, ground + 60, 0.0)), catcher)
    return room


def _fill(room: Environment, strength: float, bounce: float, rng: Rng) -> None:
    """Light from everywhere, a share of which comes back from below."""
    above = sample_light_color(rng) * strength
    room.ambient = np.stack([above, above * bounce * rng.uniform(0.4, 1.0)]).astype(np.float32)


def _sky(camera: Camera, zenith: np.ndarray, horizon: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: camera.size, : camera.size].astype(np.float32)
    x = (columns - camera.center_px[0]) / camera.focal_px
    y = (rows - camera.center_px[1]) / camera.focal_px
    rise = camera.axes[0, 2] * x + camera.axes[1, 2] * y + camera.axes[2, 2]
    share = (rise / np.sqrt(x**2 + y**2 + 1)).clip(0, 1)[..., None] ** 0.6
    return (horizon + (zenith - horizon) * share).astype(np.float32)


def _rectangle(low: np.ndarray, high: np.ndarray, height: float) -> np.ndarray:
    return np.array(
        [
            [low[0], low[1], height],
            [high[0], low[1], height],
            [high[0], high[1], height],
            [low[0], high[1], height],
        ]
    )


def _plain(rng: Rng, low: float, high: float) -> Material:
    color = from_hsv(rng.uniform(0, 360), rng.uniform(0, 0.15), rng.uniform(low, high))
    return Material(PLAIN, color, color)


def _floor(rng: Rng) -> Material:
    kind = int(
        rng.choice([PLANKS, TILES, CHECKS, SPECKLES, PLAIN, STRIPES], p=[0.35, 0.2, 0.08, 0.2, 0.12, 0.05])
    )
    wood = from_hsv(rng.uniform(18, 38), rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.8))
    first = wood if kind == PLANKS else sample_color(rng)
    second = first * rng.uniform(0.3, 0.8) if kind in (PLANKS, SPECKLES) else sample_color(rng)
    size = {PLANKS: rng.uniform(0.08, 0.2), SPECKLES: rng.uniform(0.02, 0.4)}.get(kind, rng.uniform(0.2, 1.0))
    return Material(kind, first, second, size, rng.uniform(0, 0.25))


def _wall(rng: Rng) -> Material:
    kind = int(rng.choice([PLAIN, SPECKLES, STRIPES, TILES, CHECKS], p=[0.55, 0.2, 0.08, 0.12, 0.05]))
    first = from_hsv(rng.uniform(0, 360), rng.uniform(0, 0.35), rng.uniform(0.35, 0.97))
    second = first * rng.uniform(0.6, 0.95) if kind in (SPECKLES, STRIPES) else sample_color(rng)
    return Material(kind, first, second, rng.uniform(0.08, 0.8))


def _soil(rng: Rng) -> Material:
    hue, saturation = [
        (rng.uniform(70, 130), rng.uniform(0.3, 0.7)),
        (rng.uniform(20, 45), rng.uniform(0.1, 0.5)),
        (0.0, rng.uniform(0, 0.1)),
    ][int(rng.integers(3))]
    first = from_hsv(hue, saturation, rng.uniform(0.2, 0.75))
    kind = int(rng.choice([SPECKLES, TILES, PLAIN], p=[0.7, 0.2, 0.1]))
    return Material(kind, first, first * rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.5))


def _hang_pictures(room: Environment, a: np.ndarray, b: np.ndarray, top: float, rng: Rng) -> None:
    """Pictures, windows, mirrors and doors: bright and dark rectangles just before a wall."""
    along = (b - a) / np.linalg.norm(b - a)
    inwards = np.array([-along[1], along[0], 0.0]) * 0.01
    for _ in range(int(rng.integers(0, 4))):
        start = a + along * rng.uniform(0, max(0.1, float(np.linalg.norm(b - a)) - 0.5))
        width, low, high = rng.uniform(0.25, 1.6), rng.uniform(0.0, 1.5), rng.uniform(1.6, top)
        end = start + along * width
        kind = int(rng.choice([PLAIN, SPECKLES, STRIPES, CHECKS]))
        look = room.material(Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.03, 0.3)))
        corners = np.array([[*start, low], [*end, low], [*end, high], [*start, high]]) + inwards
        room.shell.add(quad(corners), look)


def _furnish(
    room: Environment, low: np.ndarray, high: np.ndarray, center: np.ndarray, radius: float, rng: Rng
) -> None:
    """Boxes along the walls: cupboards, benches, machines."""
    for _ in range(int(rng.integers(0, 6))):
        half = np.array([rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.4), rng.uniform(0.15, 1.0)])
        where = rng.uniform(low + 0.3, high - 0.3)
        if np.linalg.norm(where - center) < radius + 0.5:
            continue
        turn = Rotation.from_euler("z", rng.uniform(0, math.pi)).as_matrix()
        kind = int(rng.choice([PLAIN, STRIPES, PLANKS]))
        look = room.material(
            Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.05, 0.3), 0.1)
        )
        room.things.add(box(np.array([*where, half[2]]), half, turn), look)


def _plant_tree(room: Environment, foot: np.ndarray, rng: Rng) -> None:
    height = rng.uniform(2.5, 9)
    base, up = np.array([*foot, 0.0]), np.array([0.0, 0.0, height])
    bark = room.material(Material(SPECKLES, from_hsv(25, 0.4, 0.35), from_hsv(25, 0.4, 0.15), 0.1))
    leaf = from_hsv(rng.uniform(60, 140), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.6))
    leaves = room.material(Material(SPECKLES, leaf, leaf * 0.3, rng.uniform(0.1, 0.3)))
    room.things.add(rod(base, base + 0.7 * up, rng.uniform(0.05, 0.25), 8), bark)
    for _ in range(int(rng.integers(1, 4))):
        blob = base + up * rng.uniform(0.6, 0.95) + rng.normal(0, 0.4, 3)
        room.things.add(ellipsoid(blob, height * rng.uniform(0.12, 0.3, 3)), leaves)


def _build_house(room: Environment, foot: np.ndarray, rng: Rng) -> None:
    half = np.array([rng.uniform(1, 6), rng.uniform(0.3, 4), rng.uniform(0.5, 5)])
    kind = int(rng.choice([PLAIN, TILES, STRIPES, CHECKS]))
    look = room.material(Material(kind, sample_color(rng), sample_color(rng), rng.uniform(0.2, 1.5)))
    away = foot + half[:2].max() * foot / max(1e-3, float(np.linalg.norm(foot)))
    room.things.add(box(np.array([*away, half[2]]), half), look)
