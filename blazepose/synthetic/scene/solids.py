"""Triangle meshes of simple solids, and a builder that collects them into one."""

import math

import numpy as np

Triangles = tuple[np.ndarray, np.ndarray]
"""Vertices (vertices, 3) and faces (faces, 3)."""

_QUAD = np.array([[0, 1, 2], [0, 2, 3]])
_BOX_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def quad(corners: np.ndarray) -> Triangles:
    """A flat quadrilateral with these corners (4, 3), in order."""
    return np.asarray(corners, np.float64), _QUAD


def box(center: np.ndarray, half: np.ndarray, turn: np.ndarray | None = None) -> Triangles:
    """A box of half extents (3,), turned by a rotation (3, 3)."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = signs * half
    if turn is not None:
        corners = corners @ turn.T
    faces = np.concatenate([np.array(q)[_QUAD] for q in _BOX_QUADS])
    return corners + center, faces


def rod(start: np.ndarray, end: np.ndarray, radius: float, sides: int = 12) -> Triangles:
    """A cylinder with caps between two points."""
    axis = (end - start) / np.linalg.norm(end - start)
    across = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    angles = np.arange(sides) * 2 * math.pi / sides
    ring = radius * (np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(axis, across))
    vertices = np.concatenate([start + ring, end + ring, [start, end]])
    here, ahead = np.arange(sides), (np.arange(sides) + 1) % sides
    hull = [np.stack([here, ahead, sides + ahead], 1), np.stack([here, sides + ahead, sides + here], 1)]
    caps = [
        np.stack([ahead, here, np.full(sides, 2 * sides)], 1),
        np.stack([sides + here, sides + ahead, np.full(sides, 2 * sides + 1)], 1),
    ]
    return vertices, np.concatenate(hull + caps)


def ellipsoid(center: np.ndarray, radii: np.ndarray, rings: int = 8, sides: int = 12) -> Triangles:
    """An ellipsoid along the axes."""
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
    here, ahead = np.arange(sides), (np.arange(sides) + 1) % sides
    faces = []
    for ring in range(rings - 2):
        upper, lower = ring * sides, (ring + 1) * sides
        faces += [
            np.stack([upper + here, lower + here, lower + ahead], 1),
            np.stack([upper + here, lower + ahead, upper + ahead], 1),
        ]
    top, bottom = len(points) - 2, len(points) - 1
    last = (rings - 2) * sides
    faces += [
        np.stack([np.full(sides, top), here, ahead], 1),
        np.stack([np.full(sides, bottom), last + ahead, last + here], 1),
    ]
    return points * radii + center, np.concatenate(faces)


class Collection:
    """Solids of different materials as one mesh."""

    def __init__(self) -> None:
        self._vertices: list[np.ndarray] = []
        self._faces: list[np.ndarray] = []
        self._material: list[np.ndarray] = []
        self._count = 0

    def add(self, solid: Triangles, material: int) -> None:
        """Put a solid of this material in."""
        vertices, faces = solid
        self._vertices.append(vertices)
        self._faces.append(faces + self._count)
        self._material.append(np.full(len(faces), material))
        self._count += len(vertices)

    def mesh(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vertices (vertices, 3) float32, faces (faces, 3) int32, and the material of each face, int32."""
        return (
            np.concatenate([np.zeros((0, 3)), *self._vertices]).astype(np.float32),
            np.concatenate([np.zeros((0, 3)), *self._faces]).astype(np.int32),
            np.concatenate([np.zeros(0), *self._material]).astype(np.int32),
        )
