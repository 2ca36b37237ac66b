"""Less jitter: the filters of MediaPipe's stream mode, and of what it leaves rough.

Source: mediapipe.md section 3; Casiez, Roussel, Vogel: 1€ Filter, CHI 2012.
"""

import math
from typing import NamedTuple

import numpy as np

from blazepose.runtime.landmarker import LandmarkResult

_FIRST_RATE = 30.0
"""Frames a second, until two of them are known."""

_SMALLEST = 1e-6
"""Pixels; of the person whose speed is measured in its own size."""


class OneEuro:
    """A low-pass filter that follows fast movements closely and slow ones smoothly.

    Args:
        min_cutoff: cutoff frequency at rest, Hz.
        beta: how much it rises with speed.
        derivative_cutoff: of the speed itself, Hz.
    """

    def __init__(self, min_cutoff: float, beta: float, derivative_cutoff: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self._time_s, self._rate = -math.inf, _FIRST_RATE
        self._raw = self._value = self._speed = np.zeros(())

    def __call__(self, values: np.ndarray, time_s: float, scale: float = 1.0) -> np.ndarray:
        """The filtered values.

        Args:
            values: of any shape, always the same.
            time_s: seconds, later than the last time.
            scale: of a unit of the values, for their speed.
        """
        values = np.array(values)
        if math.isinf(self._time_s):
            self._value, self._speed = values, np.zeros_like(values)
        else:
            self._rate = 1 / (time_s - self._time_s)
            speed = (values - self._raw) * (scale * self._rate)
            self._speed = self._mix(self._speed, speed, self._derivative_cutoff)
            cutoff = self._min_cutoff + self._beta * np.abs(self._speed)
            self._value = self._mix(self._value, values, cutoff)
        self._time_s, self._raw = time_s, values
        return self._value.copy()  # the caller's own: what is done to it must not come back

    def _mix(self, old: np.ndarray, new: np.ndarray, cutoff: np.ndarray | float) -> np.ndarray:
        share = 1 / (1 + self._rate / (2 * math.pi * cutoff))
        return old + share * (new - old)


class LowPass:
    """An exponential moving average.

    Args:
        share: of the new value.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._value: np.ndarray | None = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The filtered values, of any shape, always the same."""
        old = values if self._value is None else self._value
        self._value = old + self._share * (values - old)
        return self._value


class Smoothed(NamedTuple):
    """A look after smoothing; shapes as of Look."""

    landmarks: np.ndarray
    alignment_px: np.ndarray
    world: np.ndarray


class PoseSmoother:
    """Smooths what is seen of one person from frame to frame.

    Landmarks, world landmarks and visibility as MediaPipe Tasks does; the alignment points, from which the
    next ROI is made, by the same filter: Tasks leaves them rough, and then all else trembles with the crop.
    """

    def __init__(self) -> None:
        self._landmarks = OneEuro(min_cutoff=0.05, beta=80)
        self._world = OneEuro(min_cutoff=0.1, beta=40)
        # The older API's 0.01 Hz takes 16 s to forget the first ROI, a detector's guess. Chosen: of 0.01 to
        # 1 Hz, what leaves a still picture stillest (benchmarks/tracking.py jitter).
        self._alignment = OneEuro(min_cutoff=0.5, beta=10)
        self._visibility = LowPass(0.1)

    def __call__(self, seen: LandmarkResult, time_s: float) -> Smoothed:
        """What is seen at a time in seconds, smoothed; presence stays as it is."""
        scale = 1 / max(seen.next_roi().side, _SMALLEST)
        return Smoothed(
            landmarks=np.concatenate(
                [
                    self._landmarks(seen.landmarks[:, :3], time_s, scale),
                    self._visibility(seen.landmarks[:, 3:4]),
                    seen.landmarks[:, 4:],
                ],
                axis=1,
            ),
            alignment_px=self._alignment(seen.alignment_px, time_s, scale),
            world=self._world(seen.world, time_s),
        )
