"""Triangle meshes of simple solids, and a builder that merges them."""

import math

import numpy as np

Triangles = tuple[np.ndarray, np.ndarray]
"""Vertices (vertices, 3) and faces (faces, 3)."""

_QUAD = np.array([[0, 1, 2], [0, 2, 3]])
_BOX_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def quad(corners: np.ndarray) -> Triangles:
    """Build a flat quadrilateral from its corners (4, 3), in order."""
    return np.asarray(corners, np.float64), _QUAD


def box(center: np.ndarray, half: np.ndarray, rotation: np.ndarray | None = None) -> Triangles:
    """Build a box of half extents (3,), rotated by a matrix (3, 3)."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = signs * half
    if rotation is not None:
        corners = corners @ rotation.T
    faces = np.concatenate([np.array(q)[_QUAD] for q in _BOX_QUADS])
    return corners + center, faces


def cylinder(start: np.ndarray, end: np.ndarray, radius: float, sides: int = 12) -> Triangles:
    """Build a cylinder with caps between two points."""
    axis = (end - start) / np.linalg.norm(end - start)
    across = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    angles = np.arange(sides) * 2 * math.pi / sides
    ring = radius * (np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(axis, across))
    vertices = np.concatenate([start + ring, end + ring, [start, end]])
    this, following = np.arange(sides), (np.arange(sides) + 1) % sides
    hull = [
        np.stack([this, following, sides + following], 1),
        np.stack([this, sides + following, sides + this], 1),
    ]
    caps = [
        np.stack([following, this, np.full(sides, 2 * sides)], 1),
        np.stack([sides + this, sides + following, np.full(sides, 2 * sides + 1)], 1),
    ]
    return vertices, np.concatenate(hull + caps)


def ellipsoid(center: np.ndarray, radii: np.ndarray, rings: int = 8, sides: int = 12) -> Triangles:
    """Build an axis-aligned ellipsoid."""
    polar = math.pi * (np.arange(1, rings) / rings)[:, None]
    around = 2 * math.pi * np.arange(sides) / sides
    points = np.stack(
        [
            np.sin(polar) * np.cos(around),
            np.sin(polar) * np.sin(around),
            np.broadcast_to(np.cos(polar), (rings - 1, sides)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    points = np.concatenate([points, [[0, 0, 1], [0, 0, -1]]])
    this, following = np.arange(sides), (np.arange(sides) + 1) % sides
    faces = []
    for ring in range(rings - 2):
        upper, lower = ring * sides, (ring + 1) * sides
        faces += [
            np.stack([upper + this, lower + this, lower + following], 1),
            np.stack([upper + this, lower + following, upper + following], 1),
        ]
    top, bottom = len(points) - 2, len(points) - 1
    last = (rings - 2) * sides
    faces += [
        np.stack([np.full(sides, top), this, following], 1),
        np.stack([np.full(sides, bottom), last + following, last + this], 1),
    ]
    return points * radii + center, np.concatenate(faces)


class MeshBuilder:
    """Builder of one mesh from solids of different materials."""

    def __init__(self) -> None:
        self._vertices: list[np.ndarray] = []
        self._faces: list[np.ndarray] = []
        self._material: list[np.ndarray] = []
        self._count = 0

    def add(self, solid: Triangles, material: int) -> None:
        """Add a solid of this material."""
        vertices, faces = solid
        self._vertices.append(vertices)
        self._faces.append(faces + self._count)
        self._material.append(np.full(len(faces), material))
        self._count += len(vertices)

    def build(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return vertices (vertices, 3) float32, faces (faces, 3) int32, and each face's material, int32."""
        return (
            np.concatenate([np.zeros((0, 3)), *self._vertices]).astype(np.float32),
            np.concatenate([np.zeros((0, 3)), *self._faces]).astype(np.int32),
            np.concatenate([np.zeros(0), *self._material]).astype(np.int32),
        )
