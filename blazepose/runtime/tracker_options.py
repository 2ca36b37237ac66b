"""How people are followed."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from blazepose.anchors import DEFAULT_MIN_SCORE


@dataclass(frozen=True)
class TrackerOptions:
    """How people are followed.

    Attributes:
        people: at most so many.
        video: pictures follow each other in time; else each is looked at for itself.
        smooth: smooth landmarks, world landmarks and visibility over time, and the ROIs.
        mask: return masks, too.
        min_detection: score of the detector from which it sees a person, 0..1.
        min_presence: pose presence above which a person is still there, 0..1.
        memory_ms: how long a lost person's place is kept; meanwhile nobody else takes it.

    Raises:
        ValueError: names the value that cannot be.
    """

    people: int = 1
    video: bool = True
    smooth: bool = True
    mask: bool = False
    min_detection: float = DEFAULT_MIN_SCORE
    min_presence: float = 0.5
    memory_ms: float = 1000.0

    def __post_init__(self) -> None:
        if not isinstance(self.people, Integral) or self.people < 1:
            raise ValueError(f"people={self.people!r}: follow one person or more, a whole number")
        for name in ("video", "smooth", "mask"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={getattr(self, name)!r}: True or False")
        for name in ("min_detection", "min_presence"):
            if not _in_range(getattr(self, name), 1):
                raise ValueError(f"{name}={getattr(self, name)!r}: a number from 0 to 1")
        if not _in_range(self.memory_ms, math.inf) or math.isinf(self.memory_ms):
            raise ValueError(f"memory_ms={self.memory_ms!r}: a number from 0 up")


def _in_range(value: object, most: float) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= most
