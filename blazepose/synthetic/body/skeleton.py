"""Joint angles in anatomical terms, and the bone rotations they mean.

Angles are degrees from the neutral posture: upright, arms hanging with the palms at the thighs, legs
straight, feet forward. Axes of the body model: x to the person's left, y backwards, z up.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

Angles = Mapping[str, float]
"""{degree of freedom: degrees}; what is left out is 0."""


class Freedom(NamedTuple):
    """One way in which a joint turns.

    Attributes:
        axis: x, y or z of the body, in the neutral posture.
        sign: of the rotation about this axis (right-handed) for a positive angle, on the left side.
        low: smallest angle, degrees.
        high: largest angle, degrees.
        bones: {bone of the body model: share of the angle}; left bones stand for both sides.
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

MIDDLE: Mapping[str, Freedom] = {
    "spine_flexion": Freedom("x", 1, -50, 80, _SPINE),
    "spine_bend": Freedom("y", 1, -40, 40, _SPINE),
    "spine_twist": Freedom("z", 1, -50, 50, _SPINE),
    "neck_flexion": Freedom("x", 1, -60, 50, _NECK),
    "neck_bend": Freedom("y", 1, -40, 40, _NECK),
    "neck_twist": Freedom("z", 1, -75, 75, _NECK),
}
"""Forward, to the left, turned to the left."""

SIDES: Mapping[str, Freedom] = {
    "hip_flexion": Freedom("x", -1, -35, 130, {"upperleg01.L": 1.0}),
    "hip_abduction": Freedom("y", -1, -30, 85, {"upperleg01.L": 1.0}),
    "hip_rotation": Freedom("z", 1, -45, 60, {"upperleg01.L": 1.0}),
    "knee_flexion": Freedom("x", 1, 0, 155, {"lowerleg01.L": 1.0}),
    "ankle_flexion": Freedom("x", -1, -75, 35, {"foot.L": 1.0}),
    "ankle_inversion": Freedom("y", 1, -20, 25, {"foot.L": 1.0}),
    "toe_extension": Freedom("x", -1, -30, 65, _TOES),
    "shoulder_flexion": Freedom("x", -1, -60, 185, _SHOULDER),
    "shoulder_abduction": Freedom("y", -1, -45, 180, _SHOULDER),
    "shoulder_rotation": Freedom("z", 1, -90, 100, {"upperarm01.L": 0.6, "upperarm02.L": 0.4}),
    "elbow_flexion": Freedom("x", -1, 0, 155, {"lowerarm01.L": 1.0}),
    "forearm_pronation": Freedom("z", -1, -90, 90, {"lowerarm02.L": 0.6, "wrist.L": 0.4}),
    "wrist_flexion": Freedom("y", 1, -75, 80, {"wrist.L": 1.0}),
    "wrist_deviation": Freedom("x", 1, -25, 35, {"wrist.L": 1.0}),
    "finger_flexion": Freedom("y", 1, -15, 95, _FINGERS),
    "thumb_flexion": Freedom("x", 1, -30, 50, {"finger1-2.L": 1.0, "finger1-3.L": 1.0}),
}
"""Of either side; rotation is outwards for hip and shoulder, dorsiflexion, ulnar flexion and a closing hand
are positive; pronation turns the thumb inwards."""

FREEDOMS: Mapping[str, Freedom] = {
    **MIDDLE,
    **{f"{side}_{name}": freedom for side in ("left", "right") for name, freedom in SIDES.items()},
}

# Twist acts first, then the swing in the frontal plane, then the swing about the lateral axis: so 90 degrees
# of flexion put a limb forward, and abduction then spreads it.
_ORDER = "zyx"

_AIMED = {
    "upperarm01": ("lowerarm01", (0.12, 0.0, -1.0)),
    "lowerarm01": ("wrist", (0.02, -0.12, -1.0)),
    "wrist": ("finger3-1", (0.0, -0.05, -1.0)),
    "upperleg01": ("lowerleg01", (0.06, 0.0, -1.0)),
    "lowerleg01": ("foot", (0.03, 0.0, -1.0)),
}
"""{bone: (end, direction in the neutral posture)} of the left side; other bones keep the model's own rest."""


class Skeleton:
    """The bones of the body model and how joint angles turn them.

    Args:
        names: of the bones, parents before children.
        parents: index of each bone's parent, negative for the root.
        heads: (bones, 3), where each bone begins in the model's rest posture.
    """

    def __init__(self, names: list[str], parents: list[int], heads: np.ndarray) -> None:
        self.index = {name: k for k, name in enumerate(names)}
        self.parents = parents
        self._neutral = np.stack([np.eye(3)] * len(names))
        for name in names:
            self._neutral[self.index[name]] = self._aim(name, heads)
        self._turns = _turns(self.index)

    def _aim(self, name: str, heads: np.ndarray) -> np.ndarray:
        """Rotation of a bone, in the axes of the body, from the model's rest to the neutral posture."""
        bare, _, side = name.partition(".")
        if bare not in _AIMED:
            parent = self.parents[self.index[name]]
            return self._neutral[parent] if parent >= 0 else np.eye(3)
        end, direction = _AIMED[bare]
        ahead = heads[self.index[f"{end}.{side}"]] - heads[self.index[name]]
        target = np.array(direction) * ([1, 1, 1] if side == "L" else [-1, 1, 1])
        return _shortest_turn(ahead, target)

    def rotations(self, angles: Angles) -> np.ndarray:
        """Rotation of every bone against its parent, (bones, 3, 3), in the model's rest axes.

        Raises:
            KeyError: if there is no such degree of freedom.
        """
        joint = np.stack([np.eye(3)] * len(self.parents))
        by_bone: dict[int, dict[str, float]] = {}
        for name, degrees in angles.items():
            for bone, axis, factor in self._turns[name]:
                turn = by_bone.setdefault(bone, dict.fromkeys(_ORDER, 0.0))
                turn[axis] += factor * degrees
        bones = list(by_bone)
        turns = [[by_bone[bone][axis] for axis in _ORDER] for bone in bones]
        if bones:
            joint[bones] = Rotation.from_euler(_ORDER, turns, degrees=True).as_matrix()
        # Neutral rotations are in the body's axes; the model wants each bone's against its parent's.
        parent = np.array([max(parent, 0) for parent in self.parents])
        above = self._neutral[parent]
        above[0] = np.eye(3)
        return above.transpose(0, 2, 1) @ joint @ self._neutral


def clip_to_limits(angles: Angles) -> dict[str, float]:
    """The same angles within the limits of their joints."""
    return {
        name: float(np.clip(value, FREEDOMS[name].low, FREEDOMS[name].high)) for name, value in angles.items()
    }


def mirrored(angles: Angles) -> dict[str, float]:
    """The angles of the mirrored posture."""
    swap = {"left": "right", "right": "left"}
    result = {}
    for name, value in angles.items():
        first, _, rest = name.partition("_")
        if first in swap:
            result[f"{swap[first]}_{rest}"] = value
        else:
            result[name] = value if MIDDLE[name].axis == "x" else -value
    return result


def _turns(index: Mapping[str, int]) -> dict[str, list[tuple[int, str, float]]]:
    """{degree of freedom: [(bone, axis, factor)]}; a mirrored rotation about y or z turns the other way."""
    turns = {}
    for name, freedom in FREEDOMS.items():
        right = name.startswith("right_")
        sign = -freedom.sign if right and freedom.axis != "x" else freedom.sign
        turns[name] = [
            (index[bone.replace(".L", ".R") if right else bone], freedom.axis, sign * share)
            for bone, share in freedom.bones.items()
        ]
    return turns


def _shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) by the smallest angle that takes one direction to another."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(start, end)
    sine, cosine = float(np.linalg.norm(axis)), float(start @ end)
    if sine == 0:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()
