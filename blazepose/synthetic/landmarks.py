"""Where each of the 33 landmarks lies on the body model: one table.

COCO's points are anny's own regressors, fitted by its authors to COCO's definition. The others are named
here as vertices or joints; hands as MediaPipe lists them: first knuckle of little and index finger, second
of the thumb. What Google's full predicts on rendered people lies on the median within 3 % of the torso size
of each (README.md, Synthetic people).
"""

from typing import NamedTuple

import numpy as np
from anny import KeypointsRegressor

from blazepose.synthetic.body import BodyModel, PosedBody
from blazepose.topology import INDEX, LANDMARKS, NUM_LANDMARKS, mirror_name


class Place(NamedTuple):
    """A landmark on the body.

    Attributes:
        kind: coco: one of anny's regressors; joint: where a bone begins; rim: the end of the edge between two
            parts of the mesh, in a direction.
        where: the regressor, the bone or "part part"; left ones stand for both sides.
        flesh_m: how deep under the skin it lies at most, seen from its own side, on a body of 1.7 m. Source:
            distance of the joint to the skin on the average body, with a margin for build and clothes.
        direction: of the end of the edge.
    """

    kind: str
    where: str
    flesh_m: float
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)


_EYE, _LIPS = "eye_cavity.L head", "mouth_cavity head"
_OUTWARDS, _INWARDS = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)

LEFT_AND_MIDDLE: dict[str, Place] = {
    "nose": Place("coco", "nose", 0.03),
    "left_eye_inner": Place("rim", _EYE, 0.02, _INWARDS),
    "left_eye": Place("coco", "left_eye", 0.025),
    "left_eye_outer": Place("rim", _EYE, 0.02, _OUTWARDS),
    "left_ear": Place("coco", "left_ear", 0.045),
    "mouth_left": Place("rim", _LIPS, 0.02, _OUTWARDS),
    "left_shoulder": Place("coco", "left_shoulder", 0.11),
    "left_elbow": Place("coco", "left_elbow", 0.075),
    "left_wrist": Place("coco", "left_wrist", 0.05),
    "left_pinky": Place("joint", "finger5-1.L", 0.04),
    "left_index": Place("joint", "finger2-1.L", 0.04),
    "left_thumb": Place("joint", "finger1-3.L", 0.035),
    "left_hip": Place("coco", "left_hip", 0.17),
    "left_knee": Place("coco", "left_knee", 0.095),
    "left_ankle": Place("coco", "left_ankle", 0.065),
    "left_heel": Place("coco", "left_heel", 0.05),
    "left_foot_index": Place("coco", "left_big_toe", 0.04),
}
"""The table; the right side is its mirror image."""

STATURE = 1.7
"""Metres; the body that `flesh_m` is of."""

_NEAR = 60
"""Vertices around a landmark on the average body, among which its skin and clothes are looked up."""

_BUILD = 1.4
"""A heavy body's joints lie deeper; from other sides, by so much deeper than from the nearest."""

_MARGIN_M = 0.005

FLESH_M = np.array(
    [LEFT_AND_MIDDLE[name if name in LEFT_AND_MIDDLE else mirror_name(name)].flesh_m for name in LANDMARKS]
)
"""(33,), see Place."""


class LandmarkTable:
    """The table as weights on vertices and joints.

    Args:
        model: the body model.
    """

    def __init__(self, model: BodyModel) -> None:
        self.vertices = np.zeros((NUM_LANDMARKS, len(model.template)), np.float32)
        self.joints = np.zeros((NUM_LANDMARKS, len(model.skeleton.index)), np.float32)
        regressor = KeypointsRegressor.coco(model.anny)
        self._coco = dict(zip(regressor.labels, regressor.regression_weights.numpy(), strict=True))
        for name, place in LEFT_AND_MIDDLE.items():
            self._define(INDEX[name], place, model)
            if mirror_name(name) != name:
                self._define(INDEX[mirror_name(name)], _mirrored(place), model)
        # Few vertices carry weight: the others need not be multiplied.
        self._used = np.flatnonzero(self.vertices.any(axis=0))
        self._weights = self.vertices[:, self._used]
        template = PosedBody(model.template, model.rest_joints, np.zeros(0), STATURE)
        away = np.linalg.norm(model.template - self.of(template)[:, None], axis=2)
        self._near = np.argsort(away, axis=1)[:, :_NEAR]

    def _define(self, index: int, place: Place, model: BodyModel) -> None:
        if place.kind == "coco":
            self.vertices[index] = self._coco[place.where]
        elif place.kind == "joint":
            self.joints[index, model.skeleton.index[place.where]] = 1
        else:
            inside, outside = place.where.split()
            rim = np.flatnonzero(model.part(inside) & model.part(outside))
            reach = model.template[rim] @ np.array(place.direction)
            # The corner is the mean of the outermost vertices of both lids or lips.
            self.vertices[index, rim[np.argsort(-reach)[:4]]] = 0.25

    def of(self, body: PosedBody) -> np.ndarray:
        """The 33 landmarks of a body, (33, 3) metres."""
        return self._weights @ body.vertices[self._used] + self.joints @ body.joints

    def depth_m(
        self, landmarks: np.ndarray, skin: np.ndarray, thickness_m: np.ndarray, stature: float
    ) -> np.ndarray:
        """How deep each landmark lies in flesh and clothes at most, seen from its own side, (33,) metres.

        Args:
            landmarks: (33, 3).
            skin: (vertices, 3), of the same body without clothes.
            thickness_m: (vertices,), of clothes and hair.
            stature: of the body, metres.
        """
        nearest = np.linalg.norm(skin[self._near] - landmarks[:, None], axis=2).min(axis=1)
        flesh = np.maximum(FLESH_M * stature / STATURE, _BUILD * nearest)
        return flesh + thickness_m[self._near].max(axis=1) + _MARGIN_M


def _mirrored(place: Place) -> Place:
    x, y, z = place.direction
    where = place.where.replace(".L", ".R").replace("left_", "right_")
    return place._replace(where=where, direction=(-x, y, z))
