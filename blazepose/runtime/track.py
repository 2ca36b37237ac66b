"""A person over time: id, position and motion."""

import math
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from blazepose.geometry import Roi
from blazepose.runtime.smoothing import Smoother

_VELOCITY_MEMORY_MS = 93.0
"""Time in which an earlier velocity fades by e. Chosen: the mean of three frames or so at 30 a second; a
constant factor per frame would make a leap of two frames a tick apart."""

_VELOCITY_DECAY_MS = 300.0
"""Time in which a velocity fades by e without updates. Chosen: a person who walks passes another, one who
hardly moves does not."""


@dataclass
class Track:
    """A person who is tracked, or was until `last_seen_ms`.

    Attributes:
        id: number of the person, stable across frames.
        roi: last position.
        last_seen_ms: time of that position.
        smoother: filters of this person's landmarks.
        velocity: velocity of the ROI's center, pixels a millisecond.
        landmarks_px: (landmarks, 2) landmarks of the last frame, not smoothed; None before the first.
        merged_with: track that this one merged with when it was lost, as it was just before.
    """

    id: int
    roi: Roi
    last_seen_ms: float
    smoother: Smoother
    velocity: tuple[float, float] = (0.0, 0.0)
    landmarks_px: np.ndarray | None = None
    merged_with: Optional["Track"] = None

    def update(self, roi: Roi, time_ms: float) -> None:
        """Set position and velocity from a new frame."""
        elapsed_ms = time_ms - self.last_seen_ms
        if elapsed_ms > 0:
            (x, y), old = self.velocity, self.roi
            current = (roi.center_x - old.center_x) / elapsed_ms, (roi.center_y - old.center_y) / elapsed_ms
            memory = math.exp(-elapsed_ms / _VELOCITY_MEMORY_MS)
            self.velocity = memory * x + (1 - memory) * current[0], memory * y + (1 - memory) * current[1]
        self.roi, self.last_seen_ms = roi, time_ms

    def merge_with(self, other: "Track") -> None:
        """Remember the track whose person hides this one's."""
        self.merged_with = replace(other, merged_with=None)

    def predict(self, time_ms: float) -> tuple[float, float]:
        """Predict the center at a time, by a velocity that decays."""
        elapsed_ms = time_ms - self.last_seen_ms
        moving_ms = _VELOCITY_DECAY_MS * (1 - math.exp(-elapsed_ms / _VELOCITY_DECAY_MS))
        (x, y), roi = self.velocity, self.roi
        return roi.center_x + x * moving_ms, roi.center_y + y * moving_ms
