"""Scenes built by hand, and a slow, plain way to cast rays into any scene."""

from collections.abc import Sequence

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.poses.families import sample_posture
from blazepose.synthetic.render.pattern import PLAIN
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.environment import Environment, Light, Material
from blazepose.synthetic.scene.scene import Scene
from blazepose.synthetic.scene.solids import Triangles, quad

GREY = np.full(3, 0.5, np.float32)
SUN = np.array([0.6, 0.0, 0.8])
"""Direction towards it."""


def people(makers: FigureBuilder, families: Sequence[str], rng: np.random.Generator) -> list[Figure]:
    """Somebody of each of these families, at the origin."""
    shapes = makers.model.sample_shapes(len(families), rng)
    postures = [sample_posture(name, rng) for name in families]
    bodies = makers.model.pose(shapes, [posture.angles for posture in postures])
    return [
        makers.figure(body, shape, posture, rng)
        for body, shape, posture in zip(bodies, shapes, postures, strict=True)
    ]


def ground(side_m: float = 40.0) -> Triangles:
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    return quad(corners * side_m / 2)


def stage(figures: list[Figure], camera: Camera, *things: Triangles, sun: np.ndarray = SUN) -> Scene:
    """Grey ground and grey things, each of a material of its own, in the sun."""
    room = Environment("outdoors")
    room.shell.add(ground(), room.material(Material(PLAIN, GREY, GREY)))
    for thing in things:
        room.things.add(thing, room.material(Material(PLAIN, GREY, GREY)))
    room.lights.append(Light(sun, np.ones(3, np.float32), 0.0))
    room.backdrop = np.full((camera.size, camera.size, 3), 0.3, np.float32)
    return Scene(figures, camera, room, [{}] * len(figures))


def surfaces_of(scene: Scene, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every triangle of a scene (triangles, 3, 3), and its kind: 0 the room, k + 1 figure k."""
    meshes = [scene.room.shell.mesh(), scene.room.things.mesh()]
    parts = [(mesh[0][mesh[1]], 0) for mesh in meshes]
    parts += [(figure.vertices[faces], k + 1) for k, figure in enumerate(scene.figures)]
    triangles = np.concatenate([corners.astype(np.float64) for corners, _ in parts])
    return triangles, np.concatenate([np.full(len(corners), kind) for corners, kind in parts])


def cast(origins: np.ndarray, directions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest triangle along each ray and how far away it is: -1 and infinity where there is none.

    Every ray against every triangle, after Moeller and Trumbore.
    """
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    face, away = np.full(len(directions), -1), np.full(len(directions), np.inf)
    for k, (origin, direction) in enumerate(zip(origins, directions, strict=True)):
        across = np.cross(direction, ac)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 1 / (ab * across).sum(axis=1)
            start = origin - a
            u = (start * across).sum(axis=1) * scale
            other = np.cross(start, ab)
            v = other @ direction * scale
            distance = (ac * other).sum(axis=1) * scale
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 1e-6)
        if hit.any():
            face[k] = np.flatnonzero(hit)[distance[hit].argmin()]
            away[k] = distance[hit].min()
    return face, away
