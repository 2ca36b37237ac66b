"""People in the world: posed, dressed, and put on the ground."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from blazepose.synthetic.appearance.wardrobe import Appearance, AppearanceSampler
from blazepose.synthetic.body.body_model import BodyModel, PosedBody, Shape, body_model
from blazepose.synthetic.body.landmark_table import PARTS, LandmarkTable, part_of_bone
from blazepose.synthetic.poses.families import Posture
from blazepose.synthetic.scene.solids import ellipsoid

_LEVER_M = 0.15
"""Two groups nearer than this to each other do not say how a body is tilted."""


class Figure(NamedTuple):
    """Somebody in a scene. World axes: z up, the ground at 0, metres.

    Attributes:
        vertices: (vertices, 3) float32: the body with its clothes, then the hair behind the head.
        skin: (vertices of the body, 3) float32, without clothes.
        landmarks: (33, 3).
        depth_m: (33,), how deep each lies in flesh and clothes at most, seen from its own side.
        look: colours and words.
        shape: who it is.
        posture: what it does.
        stature: height when standing upright.
        front_rad: bearing of its front about the vertical, 0 towards -y; of its feet where it lies.
    """

    vertices: np.ndarray
    skin: np.ndarray
    landmarks: np.ndarray
    depth_m: np.ndarray
    look: Appearance
    shape: Shape
    posture: Posture
    stature: float
    front_rad: float

    def moved(self, shift: np.ndarray) -> "Figure":
        """The same somewhere else."""
        shift = np.asarray(shift, np.float32)
        return self._replace(
            vertices=self.vertices + shift, skin=self.skin + shift, landmarks=self.landmarks + shift
        )


class FigureBuilder:
    """Makes figures of bodies.

    Args:
        model: the body model.

    Attributes:
        faces: (faces, 3) int32 of every figure.
        part_of: (faces,) which of landmarks.PARTS each belongs to.
    """

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        self.table = LandmarkTable(model)
        self.wardrobe = AppearanceSampler(model)
        self._tail, tail_faces = ellipsoid(np.zeros(3), np.ones(3))
        self.faces = np.concatenate([model.faces, tail_faces + len(model.template)]).astype(np.int32)
        parts = np.array([part_of_bone(bone) for bone in model.skeleton.index])[model.bone_of]
        parts = np.append(parts, np.full(len(self._tail), PARTS.index("head")))
        self.part_of = parts[self.faces[:, 0]]
        count = len(model.faces)
        # Sums the normals of the faces around each vertex.
        self._around = csr_matrix(
            (np.ones(3 * count, np.float32), (model.faces.T.ravel(), np.tile(np.arange(count), 3))),
            shape=(len(model.template), count),
        )
        self._groups: dict[tuple[str, ...], np.ndarray] = {}

    def figure(self, body: PosedBody, shape: Shape, posture: Posture, rng: np.random.Generator) -> Figure:
        """Dress a posed body and put it on the ground, at the origin, turned anyhow."""
        look = self.wardrobe.sample_appearance(shape, rng)
        turn = self._on_the_ground(body, posture)
        front = rng.uniform(-math.pi, math.pi)
        turn = Rotation.from_euler("z", front).as_matrix() @ turn
        vertices = body.vertices @ turn.T.astype(np.float32)
        dressed = vertices + self._normals(vertices) * look.thickness_m[:, None]
        landmarks = self.table.of(body) @ turn.T
        tail = self._tail_of(body, look) @ turn.T.astype(np.float32)
        whole = np.concatenate([dressed, tail])
        middle = landmarks.mean(axis=0)
        ground = np.array([middle[0], middle[1], float(dressed[:, 2].min()) - posture.lift_m])
        depth = self.table.depth_m(landmarks, vertices, look.thickness_m, body.stature)
        figure = Figure(whole, vertices, landmarks, depth, look, shape, posture, body.stature, front)
        return figure.moved(-ground)

    def colors(self, look: Appearance) -> tuple[np.ndarray, np.ndarray]:
        """Colour and gloss of every vertex of a figure, hair behind the head included."""
        hair = look.color[self.wardrobe.regions.scalp].mean(axis=0)
        tail = np.broadcast_to(hair, (len(self._tail), 3))
        shine = np.full(len(self._tail), 0.05, np.float32)
        return np.concatenate([look.color, tail]), np.concatenate([look.gloss, shine])

    def group(self, bones: tuple[str, ...]) -> np.ndarray:
        """Vertices that these bones move, indices."""
        if bones not in self._groups:
            self._groups[bones] = np.flatnonzero(self.model.bones(*bones))
        return self._groups[bones]

    def _normals(self, vertices: np.ndarray) -> np.ndarray:
        # Coordinate by coordinate: a third of the time of np.cross on rows of three.
        x, y, z = np.ascontiguousarray(vertices.T)
        a, b, c = self.model.faces.T
        ux, uy, uz = x[b] - x[a], y[b] - y[a], z[b] - z[a]
        vx, vy, vz = x[c] - x[a], y[c] - y[a], z[c] - z[a]
        flat = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)
        normals = self._around @ flat
        return normals / np.sqrt((normals**2).sum(axis=1, keepdims=True)).clip(1e-12)

    def _tail_of(self, body: PosedBody, look: Appearance) -> np.ndarray:
        radii, center = look.tail
        head = self.model.skeleton.index["head"]
        scale = body.stature / 1.7
        local = (self._tail * radii + center) * scale
        return (local @ body.frames[head].T + body.joints[head]).astype(np.float32)

    def _on_the_ground(self, body: PosedBody, posture: Posture) -> np.ndarray:
        """The body's rotation; tilted, where two groups of bones rest, until both are equally low."""
        pitch, side = math.radians(posture.pitch_deg), math.radians(posture.side_deg)
        sideways = abs(posture.side_deg) > 45
        for _ in range(4 if posture.rests else 1):
            turn = Rotation.from_euler("xy", [pitch, side]).as_matrix()
            if posture.rests:
                first, second = (
                    _lowest(body.vertices[self.group(bones)] @ turn.T.astype(np.float32))
                    for bones in posture.rests
                )
                axis = 0 if sideways else 1
                apart, drop = second[axis] - first[axis], second[2] - first[2]
                if abs(apart) < _LEVER_M:
                    break
                # Turning about the lateral axis (or the sagittal one, on the side) levels the two.
                tilt = math.atan2(drop, apart) if apart > 0 else math.atan2(-drop, -apart)
                if sideways:
                    side += tilt
                else:
                    pitch -= tilt
        return turn


def _lowest(points: np.ndarray) -> np.ndarray:
    """Mean of the lowest twentieth: one sharp corner is no support."""
    count = max(1, len(points) // 20)
    return points[np.argpartition(points[:, 2], count)[:count]].mean(axis=0).astype(float)


@cache
def figure_builder() -> FigureBuilder:
    """The tailor for the body model, made once a process."""
    return FigureBuilder(body_model())
