"""Scenes built by hand, and a brute-force ray caster as reference."""

from collections.abc import Sequence

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.poses.families import sample_posture
from blazepose.synthetic.render.pattern import PLAIN
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.environment import Environment, Light, Material
from blazepose.synthetic.scene.scene import Scene
from blazepose.synthetic.scene.solids import Triangles, quad

GRAY = np.full(3, 0.5, np.float32)
SUN = np.array([0.6, 0.0, 0.8])
"""Direction towards the sun."""


def sample_people(builder: FigureBuilder, families: Sequence[str], rng: np.random.Generator) -> list[Figure]:
    """Sample a person of each of these families, at the origin."""
    shapes = builder.model.sample_shapes(len(families), rng)
    postures = [sample_posture(name, rng) for name in families]
    bodies = builder.model.pose(shapes, [posture.angles for posture in postures])
    return [
        builder.build(body, shape, posture, rng)
        for body, shape, posture in zip(bodies, shapes, postures, strict=True)
    ]


def ground(side_m: float = 40.0) -> Triangles:
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    return quad(corners * side_m / 2)


def stage(figures: list[Figure], camera: Camera, *objects: Triangles, sun: np.ndarray = SUN) -> Scene:
    """Build a scene of gray ground and gray objects, each of its own material, in the sun."""
    env = Environment("outdoors")
    env.shell.add(ground(), env.add_material(Material(PLAIN, GRAY, GRAY)))
    for solid in objects:
        env.objects.add(solid, env.add_material(Material(PLAIN, GRAY, GRAY)))
    env.lights.append(Light(sun, np.ones(3, np.float32), 0.0))
    env.background = np.full((camera.size, camera.size, 3), 0.3, np.float32)
    return Scene(figures, camera, env, [{}] * len(figures))


def surfaces_of(scene: Scene, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every triangle of a scene (triangles, 3, 3), and its kind: 0 environment, k + 1 figure k."""
    meshes = [scene.environment.shell.build(), scene.environment.objects.build()]
    parts = [(mesh[0][mesh[1]], 0) for mesh in meshes]
    parts += [(figure.vertices[faces], k + 1) for k, figure in enumerate(scene.figures)]
    triangles = np.concatenate([corners.astype(np.float64) for corners, _ in parts])
    return triangles, np.concatenate([np.full(len(corners), kind) for corners, kind in parts])


def cast(origins: np.ndarray, directions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest triangle along each ray and its distance: -1 and infinity without a hit.

    Tests every ray against every triangle (Moeller and Trumbore).
    """
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    face, distances = np.full(len(directions), -1), np.full(len(directions), np.inf)
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
            distances[k] = distance[hit].min()
    return face, distances
