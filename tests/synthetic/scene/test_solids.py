"""Meshes of simple solids: closed, outward, and of the right size."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from blazepose.synthetic.scene.solids import MeshBuilder, Triangles, box, cylinder, ellipsoid, quad

CENTER = np.array([3.0, -2.0, 1.0])
UP = np.array([0.0, 0.0, 2.0])
ROTATION = Rotation.from_euler("xyz", [0.3, 1.1, -2.0]).as_matrix()


def volume(solid: Triangles) -> float:
    """Compute the volume by the divergence theorem: positive only if the faces point outwards."""
    vertices, faces = solid
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def is_closed(solid: Triangles) -> bool:
    """Return whether every edge has two faces, which traverse it in opposite directions."""
    faces = solid[1]
    edges = Counter(
        map(tuple, np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist())
    )
    return all(count == 1 and edges[b, a] == 1 for (a, b), count in edges.items())


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (box(CENTER, np.array([0.1, 0.2, 0.3])), 8 * 0.006),
        (box(CENTER, np.array([0.1, 0.2, 0.3]), ROTATION), 8 * 0.006),
        (cylinder(CENTER, CENTER + ROTATION[0] * 2, 0.1), 6 * math.sin(math.pi / 6) * 0.01 * 2),
        (cylinder(CENTER, CENTER + UP, 0.1, 20), 10 * math.sin(math.pi / 10) * 0.01 * 2),
        (cylinder(CENTER, CENTER - UP, 0.1, 20), 10 * math.sin(math.pi / 10) * 0.01 * 2),
    ],
)
def test_solids_are_closed_and_point_outwards(solid, expected):
    assert is_closed(solid)
    assert volume(solid) == pytest.approx(expected)


def test_an_ellipsoid_has_nearly_its_exact_volume():
    radii = np.array([0.1, 0.2, 0.3])
    coarse, fine = ellipsoid(CENTER, radii), ellipsoid(CENTER, radii, rings=40, sides=60)
    assert is_closed(coarse)
    assert is_closed(fine)
    whole = 4 / 3 * math.pi * 0.006
    assert 0.8 * whole < volume(coarse) < whole
    assert 0.99 * whole < volume(fine) < whole
    np.testing.assert_allclose((((coarse[0] - CENTER) / radii) ** 2).sum(axis=1), 1)


def test_a_box_is_rotated_about_its_center():
    vertices, _ = box(CENTER, np.array([0.1, 0.2, 0.3]), ROTATION)
    np.testing.assert_allclose(np.abs((vertices - CENTER) @ ROTATION), [[0.1, 0.2, 0.3]] * 8)


def test_a_quad_is_two_triangles_of_the_same_orientation():
    vertices, faces = quad(np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]]))
    a, b, c = vertices[faces].transpose(1, 0, 2)
    np.testing.assert_array_equal(np.cross(b - a, c - a), [[0, 0, 2], [0, 0, 2]])


def test_a_mesh_builder_keeps_solids_separate():
    objects = MeshBuilder()
    assert [part.shape for part in objects.build()] == [(0, 3), (0, 3), (0,)]
    objects.add(box(CENTER, np.ones(3)), 4)
    objects.add(ellipsoid(-CENTER, np.ones(3)), 7)
    vertices, faces, material = objects.build()
    assert (vertices.dtype, faces.dtype, material.dtype) == (np.float32, np.int32, np.int32)
    assert material.tolist() == [4] * 12 + [7] * (len(faces) - 12)
    assert volume((vertices, faces[:12])) == pytest.approx(8, rel=1e-5)
    assert volume((vertices, faces[12:])) == pytest.approx(volume(ellipsoid(-CENTER, np.ones(3))), rel=1e-5)
