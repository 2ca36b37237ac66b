"""Figures: posed, dressed bodies on the ground."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from blazepose.synthetic.appearance.wardrobe import Appearance, AppearanceSampler
from blazepose.synthetic.body.body_model import BodyModel, PosedBody, Shape, body_model
from blazepose.synthetic.body.landmark_table import BODY_PARTS, LandmarkTable, part_of_bone
from blazepose.synthetic.poses.families import Posture
from blazepose.synthetic.scene.solids import ellipsoid

_MIN_LEVER_M = 0.15
"""Two supports nearer than this to each other do not determine the tilt of a body."""


class Figure(NamedTuple):
    """A person in a scene. World axes: z up, the ground at 0, meters.

    Attributes:
        vertices: (vertices, 3) float32: the body with its clothes, then the hair behind the head.
        skin: (vertices of the body, 3) float32, without clothes.
        landmarks: (33, 3).
        depth_m: (33,), largest depth of each in flesh and clothes, from its nearest side.
        appearance: colors and attributes.
        shape: body shape.
        posture: joint angles and placement.
        stature: height when standing upright.
        heading_rad: azimuth of the front about the vertical, 0 towards -y; azimuth of the feet if lying.
    """

    vertices: np.ndarray
    skin: np.ndarray
    landmarks: np.ndarray
    depth_m: np.ndarray
    appearance: Appearance
    shape: Shape
    posture: Posture
    stature: float
    heading_rad: float

    def translated(self, shift: np.ndarray) -> "Figure":
        """Return the figure shifted by a vector (3,)."""
        shift = np.asarray(shift, np.float32)
        return self._replace(
            vertices=self.vertices + shift, skin=self.skin + shift, landmarks=self.landmarks + shift
        )


class FigureBuilder:
    """Builder of figures from bodies.

    Args:
        model: the body model.

    Attributes:
        faces: (faces, 3) int32 of every figure.
        face_parts: (faces,) index of each face's part in landmark_table.BODY_PARTS.
    """

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        self.landmark_table = LandmarkTable(model)
        self.appearance_sampler = AppearanceSampler(model)
        self._tail, tail_faces = ellipsoid(np.zeros(3), np.ones(3))
        self.faces = np.concatenate([model.faces, tail_faces + len(model.template)]).astype(np.int32)
        parts = np.array([part_of_bone(bone) for bone in model.skeleton.index])[model.vertex_bone]
        parts = np.append(parts, np.full(len(self._tail), BODY_PARTS.index("head")))
        self.face_parts = parts[self.faces[:, 0]]
        count = len(model.faces)
        # Sums the normals of the faces around each vertex.
        self._face_sums = csr_matrix(
            (np.ones(3 * count, np.float32), (model.faces.T.ravel(), np.tile(np.arange(count), 3))),
            shape=(len(model.template), count),
        )
        self._bone_vertices: dict[tuple[str, ...], np.ndarray] = {}

    def build(self, body: PosedBody, shape: Shape, posture: Posture, rng: np.random.Generator) -> Figure:
        """Dress a posed body and place it on the ground, at the origin, with a random heading."""
        appearance = self.appearance_sampler.sample_appearance(shape, rng)
        rotation = self._ground_rotation(body, posture)
        heading = rng.uniform(-math.pi, math.pi)
        rotation = Rotation.from_euler("z", heading).as_matrix() @ rotation
        vertices = body.vertices @ rotation.T.astype(np.float32)
        dressed = vertices + self._normals(vertices) * appearance.thickness_m[:, None]
        landmarks = self.landmark_table.landmarks(body) @ rotation.T
        tail = self._tail_vertices(body, appearance) @ rotation.T.astype(np.float32)
        all_vertices = np.concatenate([dressed, tail])
        center = landmarks.mean(axis=0)
        ground = np.array([center[0], center[1], float(dressed[:, 2].min()) - posture.lift_m])
        depth = self.landmark_table.max_depth_m(landmarks, vertices, appearance.thickness_m, body.stature)
        figure = Figure(
            all_vertices, vertices, landmarks, depth, appearance, shape, posture, body.stature, heading
        )
        return figure.translated(-ground)

    def vertex_colors(self, appearance: Appearance) -> tuple[np.ndarray, np.ndarray]:
        """Return color and gloss of every vertex of a figure, hair behind the head included."""
        hair = appearance.color[self.appearance_sampler.regions.scalp].mean(axis=0)
        tail = np.broadcast_to(hair, (len(self._tail), 3))
        shine = np.full(len(self._tail), 0.05, np.float32)
        return np.concatenate([appearance.color, tail]), np.concatenate([appearance.gloss, shine])

    def bone_vertices(self, bones: tuple[str, ...]) -> np.ndarray:
        """Return the indices of the vertices that these bones move."""
        if bones not in self._bone_vertices:
            self._bone_vertices[bones] = np.flatnonzero(self.model.bone_mask(*bones))
        return self._bone_vertices[bones]

    def _normals(self, vertices: np.ndarray) -> np.ndarray:
        # By coordinates: a third of the time of np.cross on rows of three.
        x, y, z = np.ascontiguousarray(vertices.T)
        a, b, c = self.model.faces.T
        ux, uy, uz = x[b] - x[a], y[b] - y[a], z[b] - z[a]
        vx, vy, vz = x[c] - x[a], y[c] - y[a], z[c] - z[a]
        face_normals = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)
        normals = self._face_sums @ face_normals
        return normals / np.sqrt((normals**2).sum(axis=1, keepdims=True)).clip(1e-12)

    def _tail_vertices(self, body: PosedBody, appearance: Appearance) -> np.ndarray:
        radii, center = appearance.tail
        head = self.model.skeleton.index["head"]
        scale = body.stature / 1.7
        local = (self._tail * radii + center) * scale
        return (local @ body.bone_rotations[head].T + body.joints[head]).astype(np.float32)

    def _ground_rotation(self, body: PosedBody, posture: Posture) -> np.ndarray:
        """Compute the body's rotation; a body on two supports is tilted until both are equally low."""
        pitch, roll = math.radians(posture.pitch_deg), math.radians(posture.roll_deg)
        sideways = abs(posture.roll_deg) > 45
        for _ in range(4 if posture.supports else 1):
            rotation = Rotation.from_euler("xy", [pitch, roll]).as_matrix()
            if posture.supports:
                first, second = (
                    _lowest(body.vertices[self.bone_vertices(bones)] @ rotation.T.astype(np.float32))
                    for bones in posture.supports
                )
                axis = 0 if sideways else 1
                lever, drop = second[axis] - first[axis], second[2] - first[2]
                if abs(lever) < _MIN_LEVER_M:
                    break
                # Rotation about the lateral axis (or the sagittal one, if on the side) levels the two.
                tilt = math.atan2(drop, lever) if lever > 0 else math.atan2(-drop, -lever)
                if sideways:
                    roll += tilt
                else:
                    pitch -= tilt
        return rotation


def _lowest(points: np.ndarray) -> np.ndarray:
    """Return the mean of the lowest twentieth of points: one sharp corner is no support."""
    count = max(1, len(points) // 20)
    return points[np.argpartition(points[:, 2], count)[:count]].mean(axis=0).astype(float)


@cache
def figure_builder() -> FigureBuilder:
    """Return the figure builder of this process."""
    return FigureBuilder(body_model())
