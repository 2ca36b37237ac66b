"""Body regions that hair and garments cover."""

import itertools

import numpy as np

from blazepose.synthetic.body.body_model import BodyModel

_ARM = ("upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist")
_LEG = ("upperleg01", "upperleg02", "lowerleg01", "lowerleg02")


class BodyRegions:
    """Coordinates of every vertex along limbs and trunk, and parts of head and feet.

    Args:
        model: the body model.

    Attributes:
        arm: 0 at the shoulder, 1 at the elbow, 2 at the wrist, 3 at the knuckles; -1 elsewhere.
        leg: 0 at the hip, 1 at the knee, 2 at the ankle; -1 elsewhere.
        trunk: 0 at the crotch, 1 at the neck's base; -1 on limbs and head.
        across, forward, height: (vertices,) coordinates on the average body, meters: left, front, up.
        foot, sole, hand, collar, face, scalp, nape, brows, lips, eyeball, iris, chin: (vertices,) bool.
    """

    def __init__(self, model: BodyModel) -> None:
        points = model.template
        joint = dict(zip(model.skeleton.index, model.rest_joints, strict=True))
        self.across, self.forward, self.height = points[:, 0], -points[:, 1], points[:, 2]
        self._measure_limbs(model, points, joint)
        self.hand = model.bone_mask("wrist", "metacarpal", "finger")
        self.foot = model.bone_mask("foot", "toe")
        self.sole = self.foot & (self.height < self.height.min() + 0.022)
        neck = model.bone_mask("neck")
        self.collar = neck & (self.height < self.height[neck].min() + 0.05)
        self._map_head(model, neck, joint)
        self._map_eyes(model, points, joint)

    def _measure_limbs(self, model: BodyModel, points: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        self.arm, self.leg, self.trunk = (np.full(len(points), -1.0, np.float32) for _ in range(3))
        for side in "LR":
            arm = model.bone_mask(*(f"{bone}.{side}" for bone in _ARM))
            ends: tuple[str, ...] = ("upperarm01", "lowerarm01", "wrist", "finger3-1")
            self.arm[arm] = _chain_coordinate(points[arm], [joint[f"{bone}.{side}"] for bone in ends])
            leg = model.bone_mask(*(f"{bone}.{side}" for bone in _LEG))
            ends = ("upperleg01", "lowerleg01", "foot")
            self.leg[leg] = _chain_coordinate(points[leg], [joint[f"{bone}.{side}"] for bone in ends])
        trunk = model.bone_mask("root", "pelvis", "spine", "clavicle", "shoulder01")
        low, high = self.height[trunk].min(), joint["neck01"][2]
        self.trunk[trunk] = ((self.height[trunk] - low) / (high - low)).clip(0, 1)

    def _map_head(self, model: BodyModel, neck: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        head, eye = model.bone_mask("head", "eye"), joint["eye.L"]
        # Above and before the eyes of the average body, meters.
        above, before = self.height - eye[2], self.forward + eye[1]
        self.face = (model.texture_mask("face") > 0.4) & head
        ears = model.texture_mask("ears") > 0.4
        self.lips = (model.texture_mask("lips") > 0.5) & head
        crown = head & ~self.face & ~ears & (above > -0.06)
        self.scalp = crown & ((above > 0.052) | (before < -0.055))
        self.nape = (head | neck) & ~self.scalp & (self.forward < -joint["head"][1] - 0.01)
        beside = np.abs(np.abs(self.across) - 0.033)
        self.brows = head & (np.abs(above - 0.019) < 0.0045) & (beside < 0.018) & (before > -0.005)
        self.chin = head & (above < -0.052) & ~self.lips & (before > -0.055)

    def _map_eyes(self, model: BodyModel, points: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        self.eyeball, self.iris = np.zeros((2, len(points)), bool)
        for side in "LR":
            ball = model.part_mask(f"eye_front.{side}") | model.part_mask(f"eye_back.{side}")
            offset = points - joint[f"eye.{side}"]
            self.eyeball |= ball
            self.iris |= ball & (np.hypot(offset[:, 0], offset[:, 2]) < 0.0062) & (offset[:, 1] < 0)


def _chain_coordinate(points: np.ndarray, chain: list[np.ndarray]) -> np.ndarray:
    """Compute the position along a chain of joints: k at the k-th, interpolated by projection."""
    best = np.zeros(len(points))
    nearest = np.full(len(points), np.inf)
    for k, (start, end) in enumerate(itertools.pairwise(chain)):
        axis = end - start
        fraction = ((points - start) @ axis / (axis @ axis)).clip(0, 1)
        distance = np.linalg.norm(points - start - fraction[:, None] * axis, axis=1)
        best = np.where(distance < nearest, k + fraction, best)
        nearest = np.minimum(distance, nearest)
    return best
