"""How much each of the detector's loss terms counts."""

import math
from dataclasses import dataclass

from blazepose.ranges import check_ranges


@dataclass(frozen=True)
class DetectorLossConfig:
    """Weights of the terms and what they are made with.

    Attributes:
        score: of the focal loss.
        box: of centre and side of the boxes.
        points: of the alignment points.
        gamma: how fast easy anchors fade.
        alpha: weight of anchors that see a person.
        beta: error from which boxes and points count linearly, sides of the box.

    Raises:
        ValueError: names the value that is out of range.
    """

    score: float = 1.0
    box: float = 1.0
    points: float = 2.0
    gamma: float = 2.0
    alpha: float = 0.5
    beta: float = 0.1

    def __post_init__(self) -> None:
        limits = dict.fromkeys(("score", "box", "points"), (1e-6, math.inf))
        made = {"gamma": (0.0, 10.0), "alpha": (0.0, 1.0), "beta": (1e-4, math.inf)}
        check_ranges("detector.loss", self, {**limits, **made})
