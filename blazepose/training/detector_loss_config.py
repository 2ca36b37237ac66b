"""Weights and parameters of the detector's losses."""

import math
from dataclasses import dataclass

from blazepose.ranges import check_ranges


@dataclass(frozen=True)
class DetectorLossConfig:
    """Weights of the terms and their parameters.

    Attributes:
        score: weight of the focal loss.
        box: weight of center and side of the boxes.
        points: weight of the alignment points.
        gamma: focusing parameter, which reduces the loss of easy anchors.
        alpha: weight of positive anchors.
        beta: error at which boxes and points change from squared to linear, sides of the box.

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
        parameters = {"gamma": (0.0, 10.0), "alpha": (0.0, 1.0), "beta": (1e-4, math.inf)}
        check_ranges("detector.loss", self, {**limits, **parameters})
