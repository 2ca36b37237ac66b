"""Where each of the 33 landmarks lies on the body model: one table.

COCO's points are anny's own regressors, fitted by its authors to COCO's definition. The others are named
here as vertices or joints; hands as MediaPipe lists them: first knuckle of little and index finger, second
of the thumb. README.md, Synthetic people, has how far from each Google's full sees it on rendered people.
"""

from typing import NamedTuple

import numpy as np
from anny import KeypointsRegressor

from blazepose.synthetic.body.body_model import BodyModel, PosedBody
from blazepose.topology import INDEX, LANDMARKS, NUM_LANDMARKS, mirror_name


class Place(NamedTuple):
    """A landmark on the body.

    Attributes:
        kind: coco: one of anny's regressors; joint: where a bone begins; rim: the end of the edge between two
            parts of the mesh, in a direction.
        where: the regressor, the bone or "part part"; left ones stand for both sides.
        flesh_m: how deep under the skin it lies at most, seen from its own side, on a body of 1.7 m. Source:
            distance of the joint to the skin on the average body, with a margin for build and clothes.
        parts: of the body, of PARTS, whose flesh it lies in.
        direction: of the end of the edge.
    """

    kind: str
    where: str
    flesh_m: float
    parts: tuple[str, ...]
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)


PARTS = ("head", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")
"""Of the body; hair and clothes belong to what they cover."""

_PART_OF_BONES = {
    **dict.fromkeys(("head", "neck", "eye"), "head"),
    **dict.fromkeys(("root", "pelvis", "spine", "clavicle", "shoulder"), "trunk"),
    **dict.fromkeys(("upperarm", "lowerarm", "wrist", "metacarpal", "finger"), "arm"),
    **dict.fromkeys(("upperleg", "lowerleg", "foot", "toe"), "leg"),
}
"""{how the names of bones begin: part, of their side}."""

_HEAD, _TRUNK, _ARM, _LEG = ("head",), ("trunk",), ("left_arm",), ("left_leg",)
_EYE, _LIPS = "eye_cavity.L head", "mouth_cavity head"
_OUTWARDS, _INWARDS = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)

LEFT_AND_MIDDLE: dict[str, Place] = {
    "nose": Place("coco", "nose", 0.03, _HEAD),
    "left_eye_inner": Place("rim", _EYE, 0.02, _HEAD, _INWARDS),
    "left_eye": Place("coco", "left_eye", 0.025, _HEAD),
    "left_eye_outer": Place("rim", _EYE, 0.02, _HEAD, _OUTWARDS),
    "left_ear": Place("coco", "left_ear", 0.045, _HEAD),
    "mouth_left": Place("rim", _LIPS, 0.02, _HEAD, _OUTWARDS),
    "left_shoulder": Place("coco", "left_shoulder", 0.11, _TRUNK + _ARM),
    "left_elbow": Place("coco", "left_elbow", 0.075, _ARM),
    "left_wrist": Place("coco", "left_wrist", 0.05, _ARM),
    "left_pinky": Place("joint", "finger5-1.L", 0.04, _ARM),
    "left_index": Place("joint", "finger2-1.L", 0.04, _ARM),
    "left_thumb": Place("joint", "finger1-3.L", 0.035, _ARM),
    "left_hip": Place("coco", "left_hip", 0.17, _TRUNK + _LEG),
    "left_knee": Place("coco", "left_knee", 0.095, _LEG),
    "left_ankle": Place("coco", "left_ankle", 0.065, _LEG),
    "left_heel": Place("coco", "left_heel", 0.05, _LEG),
    "left_foot_index": Place("coco", "left_big_toe", 0.04, _LEG),
}
"""The table; the right side is its mirror image."""

STATURE = 1.7
"""Metres; the body that `flesh_m` is of."""

_NEAR = 60
"""Vertices around a landmark on the average body, among which its skin and clothes are looked up."""

_BUILD = 1.4
"""A heavy body's joints lie deeper; from other sides, by so much deeper than from the nearest."""

_MARGIN_M = 0.005


def part_of_bone(bone: str) -> int:
    """Index in PARTS of what a bone of the body model moves."""
    (part,) = (part for stem, part in _PART_OF_BONES.items() if bone.startswith(stem))
    side = {"L": "left_", "R": "right_"}[bone[-1]] if part in ("arm", "leg") else ""
    return PARTS.index(side + part)


def _mirrored(place: Place) -> Place:
    x, y, z = place.direction
    where = place.where.replace(".L", ".R").replace("left_", "right_")
    parts = tuple(part.replace("left_", "right_") for part in place.parts)
    return place._replace(where=where, parts=parts, direction=(-x, y, z))


PLACES: dict[str, Place] = {
    name: LEFT_AND_MIDDLE[name] if name in LEFT_AND_MIDDLE else _mirrored(LEFT_AND_MIDDLE[mirror_name(name)])
    for name in LANDMARKS
}
"""{landmark: place}, of all 33."""

FLESH_M = np.array([place.flesh_m for place in PLACES.values()])
"""(33,), see Place."""

LIES_IN = np.array([[part in place.parts for part in PARTS] for place in PLACES.values()])
"""(33, parts) bool: whose flesh a landmark lies in."""


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
        for name, place in PLACES.items():
            self._define(INDEX[name], place, model)
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
