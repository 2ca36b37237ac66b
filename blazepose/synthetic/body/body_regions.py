"""Where on the body what is worn."""

import itertools

import numpy as np

from blazepose.synthetic.body.body_model import BodyModel

_ARM = ("upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist")
_LEG = ("upperleg01", "upperleg02", "lowerleg01", "lowerleg02")


class Regions:
    """Coordinates of every vertex along limbs and trunk, and parts of head and feet.

    Args:
        model: the body model.

    Attributes:
        arm: 0 at the shoulder, 1 at the elbow, 2 at the wrist, 3 at the knuckles; -1 elsewhere.
        leg: 0 at the hip, 1 at the knee, 2 at the ankle; -1 elsewhere.
        trunk: 0 at the crotch, 1 at the neck's base; -1 on limbs and head.
        across: (vertices,) to the left on the average body, metres; forward, to the front; height, up.
        foot, sole, hand, collar, face, scalp, nape, brows, lips, eyeball, iris, chin: (vertices,) bool.
    """

    def __init__(self, model: BodyModel) -> None:
        place = model.template
        joint = dict(zip(model.skeleton.index, model.rest_joints, strict=True))
        self.across, self.forward, self.height = place[:, 0], -place[:, 1], place[:, 2]
        self._measure_limbs(model, place, joint)
        self.hand = model.bones("wrist", "metacarpal", "finger")
        self.foot = model.bones("foot", "toe")
        self.sole = self.foot & (self.height < self.height.min() + 0.022)
        neck = model.bones("neck")
        self.collar = neck & (self.height < self.height[neck].min() + 0.05)
        self._map_head(model, neck, joint)
        self._map_eyes(model, place, joint)

    def _measure_limbs(self, model: BodyModel, place: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        self.arm, self.leg, self.trunk = (np.full(len(place), -1.0, np.float32) for _ in range(3))
        for side in "LR":
            arm = model.bones(*(f"{bone}.{side}" for bone in _ARM))
            ends: tuple[str, ...] = ("upperarm01", "lowerarm01", "wrist", "finger3-1")
            self.arm[arm] = _along(place[arm], [joint[f"{bone}.{side}"] for bone in ends])
            leg = model.bones(*(f"{bone}.{side}" for bone in _LEG))
            ends = ("upperleg01", "lowerleg01", "foot")
            self.leg[leg] = _along(place[leg], [joint[f"{bone}.{side}"] for bone in ends])
        trunk = model.bones("root", "pelvis", "spine", "clavicle", "shoulder01")
        low, high = self.height[trunk].min(), joint["neck01"][2]
        self.trunk[trunk] = ((self.height[trunk] - low) / (high - low)).clip(0, 1)

    def _map_head(self, model: BodyModel, neck: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        head, eye = model.bones("head", "eye"), joint["eye.L"]
        # Above and before the eyes of the average body, metres.
        above, before = self.height - eye[2], self.forward + eye[1]
        self.face = (model.painted("face") > 0.4) & head
        ears = model.painted("ears") > 0.4
        self.lips = (model.painted("lips") > 0.5) & head
        crown = head & ~self.face & ~ears & (above > -0.06)
        self.scalp = crown & ((above > 0.052) | (before < -0.055))
        self.nape = (head | neck) & ~self.scalp & (self.forward < -joint["head"][1] - 0.01)
        beside = np.abs(np.abs(self.across) - 0.033)
        self.brows = head & (np.abs(above - 0.019) < 0.0045) & (beside < 0.018) & (before > -0.005)
        self.chin = head & (above < -0.052) & ~self.lips & (before > -0.055)

    def _map_eyes(self, model: BodyModel, place: np.ndarray, joint: dict[str, np.ndarray]) -> None:
        self.eyeball, self.iris = np.zeros((2, len(place)), bool)
        for side in "LR":
            ball = model.part(f"eye_front.{side}") | model.part(f"eye_back.{side}")
            away = place - joint[f"eye.{side}"]
            self.eyeball |= ball
            self.iris |= ball & (np.hypot(away[:, 0], away[:, 2]) < 0.0062) & (away[:, 1] < 0)


def _along(points: np.ndarray, chain: list[np.ndarray]) -> np.ndarray:
    """Position along a chain of joints: k at the k-th, between them where a point projects to."""
    best = np.zeros(len(points))
    nearest = np.full(len(points), np.inf)
    for k, (start, end) in enumerate(itertools.pairwise(chain)):
        axis = end - start
        share = ((points - start) @ axis / (axis @ axis)).clip(0, 1)
        away = np.linalg.norm(points - start - share[:, None] * axis, axis=1)
        best = np.where(away < nearest, k + share, best)
        nearest = np.minimum(away, nearest)
    return best
