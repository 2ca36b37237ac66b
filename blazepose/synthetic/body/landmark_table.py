"""Definition of each of the 33 landmarks on the body model.

COCO's points are anny's own regressors, fitted by its authors to COCO's definition. The others are defined
here as vertices or joints; hands as MediaPipe lists them: first knuckle of little and index finger, second
of the thumb. docs/benchmarks/synthetic-people.md has the distance of Google's full to each.
"""

from typing import NamedTuple

import numpy as np
from anny import KeypointsRegressor

from blazepose.synthetic.body.body_model import BodyModel, PosedBody
from blazepose.topologies.full_body import INDEX, LANDMARKS, NUM_LANDMARKS
from blazepose.topology import mirror_name


class LandmarkDefinition(NamedTuple):
    """Definition of a landmark on the body.

    Attributes:
        kind: coco: one of anny's regressors; joint: start of a bone; rim: extreme point, in a direction, of
            the edge between two parts.
        source: regressor, bone or "part part"; left ones stand for both sides.
        skin_depth_m: largest depth under the skin, from the nearest side, on a body of 1.7 m. Source:
            distance of the joint to the skin on the average body, with a margin for build and clothes.
        parts: parts of BODY_PARTS that contain the landmark.
        direction: direction of the extreme point of a rim.
    """

    kind: str
    source: str
    skin_depth_m: float
    parts: tuple[str, ...]
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)


BODY_PARTS = ("head", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")
"""Parts of the body; hair and clothes belong to the part they cover."""

_PART_OF_BONES = {
    **dict.fromkeys(("head", "neck", "eye"), "head"),
    **dict.fromkeys(("root", "pelvis", "spine", "clavicle", "shoulder"), "trunk"),
    **dict.fromkeys(("upperarm", "lowerarm", "wrist", "metacarpal", "finger"), "arm"),
    **dict.fromkeys(("upperleg", "lowerleg", "foot", "toe"), "leg"),
}
"""{prefix of bone names: part, of their side}."""

_HEAD, _TRUNK, _ARM, _LEG = ("head",), ("trunk",), ("left_arm",), ("left_leg",)
_EYE, _LIPS = "eye_cavity.L head", "mouth_cavity head"
_OUTWARDS, _INWARDS = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)

LEFT_AND_MIDLINE: dict[str, LandmarkDefinition] = {
    "nose": LandmarkDefinition("coco", "nose", 0.03, _HEAD),
    "left_eye_inner": LandmarkDefinition("rim", _EYE, 0.02, _HEAD, _INWARDS),
    "left_eye": LandmarkDefinition("coco", "left_eye", 0.025, _HEAD),
    "left_eye_outer": LandmarkDefinition("rim", _EYE, 0.02, _HEAD, _OUTWARDS),
    "left_ear": LandmarkDefinition("coco", "left_ear", 0.045, _HEAD),
    "mouth_left": LandmarkDefinition("rim", _LIPS, 0.02, _HEAD, _OUTWARDS),
    "left_shoulder": LandmarkDefinition("coco", "left_shoulder", 0.11, _TRUNK + _ARM),
    "left_elbow": LandmarkDefinition("coco", "left_elbow", 0.075, _ARM),
    "left_wrist": LandmarkDefinition("coco", "left_wrist", 0.05, _ARM),
    "left_pinky": LandmarkDefinition("joint", "finger5-1.L", 0.04, _ARM),
    "left_index": LandmarkDefinition("joint", "finger2-1.L", 0.04, _ARM),
    "left_thumb": LandmarkDefinition("joint", "finger1-3.L", 0.035, _ARM),
    "left_hip": LandmarkDefinition("coco", "left_hip", 0.17, _TRUNK + _LEG),
    "left_knee": LandmarkDefinition("coco", "left_knee", 0.095, _LEG),
    "left_ankle": LandmarkDefinition("coco", "left_ankle", 0.065, _LEG),
    "left_heel": LandmarkDefinition("coco", "left_heel", 0.05, _LEG),
    "left_foot_index": LandmarkDefinition("coco", "left_big_toe", 0.04, _LEG),
}
"""Definitions of left and midline landmarks; the right side is mirrored."""

REFERENCE_STATURE_M = 1.7
"""Stature for `skin_depth_m`, meters."""

_NUM_NEAR = 60
"""Vertices around a landmark on the average body that determine its skin and clothes."""

_BUILD_FACTOR = 1.4
"""Depth from other sides over depth from the nearest side, for heavy bodies."""

_MARGIN_M = 0.005


def part_of_bone(bone: str) -> int:
    """Return the index in BODY_PARTS of the part that a bone of the body model moves."""
    (part,) = (part for prefix, part in _PART_OF_BONES.items() if bone.startswith(prefix))
    side = {"L": "left_", "R": "right_"}[bone[-1]] if part in ("arm", "leg") else ""
    return BODY_PARTS.index(side + part)


def _mirror(definition: LandmarkDefinition) -> LandmarkDefinition:
    x, y, z = definition.direction
    source = definition.source.replace(".L", ".R").replace("left_", "right_")
    parts = tuple(part.replace("left_", "right_") for part in definition.parts)
    return definition._replace(source=source, parts=parts, direction=(-x, y, z))


LANDMARK_DEFINITIONS: dict[str, LandmarkDefinition] = {
    name: LEFT_AND_MIDLINE[name] if name in LEFT_AND_MIDLINE else _mirror(LEFT_AND_MIDLINE[mirror_name(name)])
    for name in LANDMARKS
}
"""{landmark: definition} of all 33."""

SKIN_DEPTH_M = np.array([definition.skin_depth_m for definition in LANDMARK_DEFINITIONS.values()])
"""(33,), see LandmarkDefinition."""

LANDMARK_PARTS = np.array(
    [[part in definition.parts for part in BODY_PARTS] for definition in LANDMARK_DEFINITIONS.values()]
)
"""(33, parts) bool: parts that contain the landmark."""


class LandmarkTable:
    """Landmark definitions as weights on vertices and joints.

    Args:
        model: the body model.
    """

    def __init__(self, model: BodyModel) -> None:
        self.vertices = np.zeros((NUM_LANDMARKS, len(model.template)), np.float32)
        self.joints = np.zeros((NUM_LANDMARKS, len(model.skeleton.index)), np.float32)
        regressor = KeypointsRegressor.coco(model.anny)
        self._coco = dict(zip(regressor.labels, regressor.regression_weights.numpy(), strict=True))
        for name, definition in LANDMARK_DEFINITIONS.items():
            self._add_weights(INDEX[name], definition, model)
        # Few vertices have weight; the others are left out of the product.
        self._used = np.flatnonzero(self.vertices.any(axis=0))
        self._weights = self.vertices[:, self._used]
        template = PosedBody(model.template, model.rest_joints, np.zeros(0), REFERENCE_STATURE_M)
        distance = np.linalg.norm(model.template - self.landmarks(template)[:, None], axis=2)
        self._near_vertices = np.argsort(distance, axis=1)[:, :_NUM_NEAR]

    def _add_weights(self, index: int, definition: LandmarkDefinition, model: BodyModel) -> None:
        if definition.kind == "coco":
            self.vertices[index] = self._coco[definition.source]
        elif definition.kind == "joint":
            self.joints[index, model.skeleton.index[definition.source]] = 1
        else:
            inside, outside = definition.source.split()
            rim = np.flatnonzero(model.part_mask(inside) & model.part_mask(outside))
            reach = model.template[rim] @ np.array(definition.direction)
            # A corner is the mean of the outermost vertices of both lids or lips.
            self.vertices[index, rim[np.argsort(-reach)[:4]]] = 0.25

    def landmarks(self, body: PosedBody) -> np.ndarray:
        """Compute the 33 landmarks of a body, (33, 3) meters."""
        return self._weights @ body.vertices[self._used] + self.joints @ body.joints

    def max_depth_m(
        self, landmarks: np.ndarray, skin: np.ndarray, thickness_m: np.ndarray, stature: float
    ) -> np.ndarray:
        """Compute each landmark's largest depth in flesh and clothes, from its nearest side, (33,) meters.

        Args:
            landmarks: (33, 3).
            skin: (vertices, 3) of the same body without clothes.
            thickness_m: (vertices,) of clothes and hair.
            stature: stature of the body, meters.
        """
        nearest = np.linalg.norm(skin[self._near_vertices] - landmarks[:, None], axis=2).min(axis=1)
        flesh = np.maximum(SKIN_DEPTH_M * stature / REFERENCE_STATURE_M, _BUILD_FACTOR * nearest)
        return flesh + thickness_m[self._near_vertices].max(axis=1) + _MARGIN_M
