"""Joint angles in anatomical terms, and their conversion to bone rotations.

Angles are degrees from the neutral posture: upright, arms hanging with the palms at the thighs, legs
straight, feet forward. Axes of the body model: x to the person's left, y backwards, z up.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

Angles = Mapping[str, float]
"""{degree of freedom: degrees}; missing ones are 0."""


class DegreeOfFreedom(NamedTuple):
    """A degree of freedom of a joint.

    Attributes:
        axis: x, y or z of the body, in the neutral posture.
        sign: sign of the right-handed rotation about this axis for a positive angle, on the left side.
        low: smallest angle, degrees.
        high: largest angle, degrees.
        bones: {bone of the body model: fraction of the angle}; left bones stand for both sides.
    """

    axis: str
    sign: int
    low: float
    high: float
    bones: Mapping[str, float]


_SPINE = dict.fromkeys(("spine05", "spine04", "spine03", "spine02", "spine01"), 0.2)
_NECK = {"neck01": 0.2, "neck02": 0.2, "neck03": 0.2, "head": 0.4}
_SHOULDER = {"clavicle.L": 0.12, "shoulder01.L": 0.12, "upperarm01.L": 0.76}
_FINGERS = {f"finger{k}-{joint}.L": 1.0 for k in (2, 3, 4, 5) for joint in (1, 2, 3)}
_TOES = {f"toe{k}-1.L": 1.0 for k in (1, 2, 3, 4, 5)}

MIDLINE_DOFS: Mapping[str, DegreeOfFreedom] = {
    "spine_flexion": DegreeOfFreedom("x", 1, -50, 80, _SPINE),
    "spine_bend": DegreeOfFreedom("y", 1, -40, 40, _SPINE),
    "spine_twist": DegreeOfFreedom("z", 1, -50, 50, _SPINE),
    "neck_flexion": DegreeOfFreedom("x", 1, -60, 50, _NECK),
    "neck_bend": DegreeOfFreedom("y", 1, -40, 40, _NECK),
    "neck_twist": DegreeOfFreedom("z", 1, -75, 75, _NECK),
}
"""Positive angles: forward, to the left, turned to the left."""

SIDE_DOFS: Mapping[str, DegreeOfFreedom] = {
    "hip_flexion": DegreeOfFreedom("x", -1, -35, 130, {"upperleg01.L": 1.0}),
    "hip_abduction": DegreeOfFreedom("y", -1, -30, 85, {"upperleg01.L": 1.0}),
    "hip_rotation": DegreeOfFreedom("z", 1, -45, 60, {"upperleg01.L": 1.0}),
    "knee_flexion": DegreeOfFreedom("x", 1, 0, 155, {"lowerleg01.L": 1.0}),
    "ankle_flexion": DegreeOfFreedom("x", -1, -75, 35, {"foot.L": 1.0}),
    "ankle_inversion": DegreeOfFreedom("y", 1, -20, 25, {"foot.L": 1.0}),
    "toe_extension": DegreeOfFreedom("x", -1, -30, 65, _TOES),
    "shoulder_flexion": DegreeOfFreedom("x", -1, -60, 185, _SHOULDER),
    "shoulder_abduction": DegreeOfFreedom("y", -1, -45, 180, _SHOULDER),
    "shoulder_rotation": DegreeOfFreedom("z", 1, -90, 100, {"upperarm01.L": 0.6, "upperarm02.L": 0.4}),
    "elbow_flexion": DegreeOfFreedom("x", -1, 0, 155, {"lowerarm01.L": 1.0}),
    "forearm_pronation": DegreeOfFreedom("z", -1, -90, 90, {"lowerarm02.L": 0.6, "wrist.L": 0.4}),
    "wrist_flexion": DegreeOfFreedom("y", 1, -75, 80, {"wrist.L": 1.0}),
    "wrist_deviation": DegreeOfFreedom("x", 1, -25, 35, {"wrist.L": 1.0}),
    "finger_flexion": DegreeOfFreedom("y", 1, -15, 95, _FINGERS),
    "thumb_flexion": DegreeOfFreedom("x", 1, -30, 50, {"finger1-2.L": 1.0, "finger1-3.L": 1.0}),
}
"""Of either side. Positive: outward rotation of hip and shoulder, dorsiflexion, ulnar flexion, closing hand;
pronation turns the thumb inwards."""

DOFS: Mapping[str, DegreeOfFreedom] = {
    **MIDLINE_DOFS,
    **{f"{side}_{name}": dof for side in ("left", "right") for name, dof in SIDE_DOFS.items()},
}

# Twist acts first, then the swing in the frontal plane, then the swing about the lateral axis: so 90 degrees
# of flexion put a limb forward, and abduction then spreads it.
_ORDER = "zyx"

_NEUTRAL_DIRECTIONS = {
    "upperarm01": ("lowerarm01", (0.12, 0.0, -1.0)),
    "lowerarm01": ("wrist", (0.02, -0.12, -1.0)),
    "wrist": ("finger3-1", (0.0, -0.05, -1.0)),
    "upperleg01": ("lowerleg01", (0.06, 0.0, -1.0)),
    "lowerleg01": ("foot", (0.03, 0.0, -1.0)),
}
"""{bone: (end, direction in the neutral posture)}, left side; other bones keep the model's rest posture."""


class Skeleton:
    """Bones of the body model, and their rotations for joint angles.

    Args:
        names: names of the bones, parents before children.
        parents: index of each bone's parent, negative for the root.
        joints: (bones, 3), start of each bone in the model's rest posture.
    """

    def __init__(self, names: list[str], parents: list[int], joints: np.ndarray) -> None:
        self.index = {name: k for k, name in enumerate(names)}
        self.parents = parents
        self._neutral = np.stack([np.eye(3)] * len(names))
        for name in names:
            self._neutral[self.index[name]] = self._neutral_rotation(name, joints)
        self._dof_bones = _dof_bones(self.index)

    def _neutral_rotation(self, name: str, joints: np.ndarray) -> np.ndarray:
        """Compute a bone's rotation, in body axes, from the model's rest to the neutral posture."""
        stem, _, side = name.partition(".")
        if stem not in _NEUTRAL_DIRECTIONS:
            parent = self.parents[self.index[name]]
            return self._neutral[parent] if parent >= 0 else np.eye(3)
        end, direction = _NEUTRAL_DIRECTIONS[stem]
        ahead = joints[self.index[f"{end}.{side}"]] - joints[self.index[name]]
        target = np.array(direction) * ([1, 1, 1] if side == "L" else [-1, 1, 1])
        return _shortest_rotation(ahead, target)

    def joint_rotations(self, angles: Angles) -> np.ndarray:
        """Compute the rotation of every bone against its parent, (bones, 3, 3), in the model's rest axes.

        Raises:
            KeyError: if there is no such degree of freedom.
        """
        rotations = np.stack([np.eye(3)] * len(self.parents))
        by_bone: dict[int, dict[str, float]] = {}
        for name, degrees in angles.items():
            for bone, axis, factor in self._dof_bones[name]:
                euler = by_bone.setdefault(bone, dict.fromkeys(_ORDER, 0.0))
                euler[axis] += factor * degrees
        bones = list(by_bone)
        eulers = [[by_bone[bone][axis] for axis in _ORDER] for bone in bones]
        if bones:
            rotations[bones] = Rotation.from_euler(_ORDER, eulers, degrees=True).as_matrix()
        # Neutral rotations are in body axes; the model takes each bone's relative to its parent.
        parent = np.array([max(parent, 0) for parent in self.parents])
        parent_rotation = self._neutral[parent]
        parent_rotation[0] = np.eye(3)
        return parent_rotation.transpose(0, 2, 1) @ rotations @ self._neutral


def clip_to_limits(angles: Angles) -> dict[str, float]:
    """Clip angles to the limits of their joints."""
    return {name: float(np.clip(value, DOFS[name].low, DOFS[name].high)) for name, value in angles.items()}


def mirror_angles(angles: Angles) -> dict[str, float]:
    """Return the angles of the mirrored posture."""
    swap = {"left": "right", "right": "left"}
    result = {}
    for name, value in angles.items():
        first, _, rest = name.partition("_")
        if first in swap:
            result[f"{swap[first]}_{rest}"] = value
        else:
            result[name] = value if MIDLINE_DOFS[name].axis == "x" else -value
    return result


def _dof_bones(index: Mapping[str, int]) -> dict[str, list[tuple[int, str, float]]]:
    """Return {degree of freedom: [(bone, axis, factor)]}; mirrored rotations about y and z change sign."""
    bones = {}
    for name, dof in DOFS.items():
        right = name.startswith("right_")
        sign = -dof.sign if right and dof.axis != "x" else dof.sign
        bones[name] = [
            (index[bone.replace(".L", ".R") if right else bone], dof.axis, sign * fraction)
            for bone, fraction in dof.bones.items()
        ]
    return bones


def _shortest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Compute the rotation (3, 3) by the smallest angle that maps one direction to another."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(start, end)
    sine, cosine = float(np.linalg.norm(axis)), float(start @ end)
    if sine == 0:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()
