"""Where on the body what is worn."""

import itertools

import numpy as np

from blazepose.synthetic.body import BodyModel


class Regions:
    """Where on the body what is worn: coordinates of every vertex along limbs and trunk.

    Attributes:
        arm: 0 at the shoulder, 1 at the elbow, 2 at the wrist, 3 at the knuckles; -1 elsewhere.
        leg: 0 at the hip, 1 at the knee, 2 at the ankle; -1 elsewhere.
        trunk: 0 at the crotch, 1 at the neck's base; -1 on limbs and head.
        foot, hand, head, face, scalp, brows, lips, iris, eyeball, chin: bool.
        height: (vertices,) z on the average body, metres; forward: how far to the front; across: to the left.
    """

    def __init__(self, model: BodyModel) -> None:
        place, joint = model.template, dict(zip(model.skeleton.index, model.rest_joints, strict=True))
        count = len(place)
        self.across, self.forward, self.height = place[:, 0], -place[:, 1], place[:, 2]
        self.arm, self.leg, self.trunk = (np.full(count, -1.0, np.float32) for _ in range(3))
        for side in "LR":
            arm = model.bones(
                *(
                    f"{bone}.{side}"
                    for bone in ("upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist")
                )
            )
            chain = [joint[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist", "finger3-1")]
            self.arm[arm] = _along(place[arm], chain)
            leg = model.bones(
                *(f"{bone}.{side}" for bone in ("upperleg01", "upperleg02", "lowerleg01", "lowerleg02"))
            )
            chain = [joint[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot")]
            self.leg[leg] = _along(place[leg], chain)
        trunk = model.bones("root", "pelvis", "spine", "clavicle", "shoulder01", "breast")
        low, high = self.height[trunk].min(), joint["neck01"][2]
        self.trunk[trunk] = ((self.height[trunk] - low) / (high - low)).clip(0, 1)
        self.hand = model.bones("wrist", "metacarpal", "finger")
        self.foot = model.bones("foot", "toe")
        self.head = model.bones("head", "eye")
        self.neck = model.bones("neck")
        face, ears = model.painted("face") > 0.4, model.painted("ears") > 0.4
        self.face = face & self.head
        self.lips = (model.painted("lips") > 0.5) & self.head
        eye = joint["eye.L"]
        crown = self.head & ~face & ~ears & (self.height > eye[2] - 0.06)
        self.scalp = crown & ((self.height > eye[2] + 0.052) | (self.forward < -eye[1] - 0.055))
        self.nape = (self.head | self.neck) & ~self.scalp & (self.forward < -joint["head"][1] - 0.01)
        self.brows = (
            self.head
            & (np.abs(self.height - eye[2] - 0.019) < 0.0045)
            & (np.abs(np.abs(self.across) - 0.033) < 0.018)
            & (self.forward > -eye[1] - 0.005)
        )
        self.chin = self.head & (self.height < eye[2] - 0.052) & ~self.lips & (self.forward > -eye[1] - 0.055)
        self.eyeball = np.zeros(count, bool)
        self.iris = np.zeros(count, bool)
        for side in "LR":
            ball = model.part(f"eye_front.{side}") | model.part(f"eye_back.{side}")
            center = joint[f"eye.{side}"]
            self.eyeball |= ball
            self.iris |= (
                ball
                & (np.hypot(place[:, 0] - center[0], place[:, 2] - center[2]) < 0.0062)
                & (self.forward > -center[1])
            )


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
