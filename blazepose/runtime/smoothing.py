"""Filters against jitter: those of MediaPipe's video mode, and one of the ROI, which it does not filter.

Source: docs/reference/mediapipe.md section 3; Casiez, Roussel, Vogel: 1€ Filter, CHI 2012.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.tracker_options import TrackerOptions

_DEFAULT_RATE = 30.0
"""Frames a second, before the second frame."""

_MIN_SIDE = 1e-6
"""Smallest ROI side in pixels that speeds are divided by."""


class OneEuro:
    """A low-pass filter that follows fast movements closely and slow ones smoothly.

    Args:
        min_cutoff: cutoff frequency at rest, Hz.
        beta: increase of the cutoff with speed.
        derivative_cutoff: cutoff frequency of the speed, Hz.

    Examples:
        >>> import numpy as np
        >>> from blazepose.runtime.smoothing import OneEuro
        >>> slow, fast = OneEuro(min_cutoff=0.1, beta=0), OneEuro(min_cutoff=0.1, beta=10)
        >>> for time_s, x in ((0, 0.0), (0.1, 1.0)):
        ...     values = [smooth(np.array([x]), time_s).round(2).item() for smooth in (slow, fast)]
        >>> values  # a jump from 0 to 1; beta lets fast movements pass
        [0.06, 0.96]
    """

    def __init__(self, min_cutoff: float, beta: float, derivative_cutoff: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self._time_s, self._rate = -math.inf, _DEFAULT_RATE
        self._raw = self._value = self._speed = np.zeros(())

    def __call__(self, values: np.ndarray, time_s: float, scale: float = 1.0) -> np.ndarray:
        """Return the filtered values.

        Args:
            values: array, of the same shape in every call.
            time_s: seconds, later than in the last call.
            scale: factor of the values for their speed.
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
        return self._value.copy()  # a copy: the caller may change it

    def _mix(self, old: np.ndarray, new: np.ndarray, cutoff: np.ndarray | float) -> np.ndarray:
        alpha = 1 / (1 + self._rate / (2 * math.pi * cutoff))
        return old + alpha * (new - old)


class LowPass:
    """An exponential moving average.

    Args:
        alpha: weight of the new value.
    """

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._value: np.ndarray | None = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the filtered values, of the same shape in every call."""
        old = values if self._value is None else self._value
        self._value = old + self._alpha * (values - old)
        return self._value


class Smoothed(NamedTuple):
    """A smoothed `LandmarkResult`; shapes as there."""

    landmarks: np.ndarray
    alignment_px: np.ndarray
    world: np.ndarray | None


Smoother = Callable[[LandmarkResult, float], Smoothed]
"""Filter of one person: takes the results in order of time, with the time in seconds."""


def create_smoother(options: TrackerOptions) -> Smoother:
    """Create the filter of a person who appears."""
    smooth = options.smooth_landmarks and options.running_mode == "video"
    return PoseSmoother() if smooth else keep_unsmoothed


def keep_unsmoothed(result: LandmarkResult, time_s: float) -> Smoothed:
    """Return the result as it is."""
    return Smoothed(result.landmarks, result.alignment_px, result.world)


class PoseSmoother:
    """Filters for the landmarks of one person over time.

    Landmarks, world landmarks and visibility are filtered as in MediaPipe Tasks, and the alignment points,
    from which the next ROI is computed, by the same filter: Tasks does not, and a trembling crop moves all.
    """

    def __init__(self) -> None:
        self._landmarks = OneEuro(min_cutoff=0.05, beta=80)
        self._world = OneEuro(min_cutoff=0.1, beta=40)
        # The older API's 0.01 Hz takes 16 s to forget the first ROI, the detector's. Chosen: of 0.01 to 1 Hz,
        # the one with the least jitter on a still image (benchmarks/tracking.py jitter).
        self._alignment = OneEuro(min_cutoff=0.5, beta=10)
        self._visibility = LowPass(0.1)

    def __call__(self, result: LandmarkResult, time_s: float) -> Smoothed:
        """Smooth the result of a time in seconds; presence is not filtered."""
        scale = 1 / max(result.next_roi().side, _MIN_SIDE)
        return Smoothed(
            landmarks=np.concatenate(
                [
                    self._landmarks(result.landmarks[:, :3], time_s, scale),
                    self._visibility(result.landmarks[:, 3:4]),
                    result.landmarks[:, 4:],
                ],
                axis=1,
            ),
            alignment_px=self._alignment(result.alignment_px, time_s, scale),
            world=None if result.world is None else self._world(result.world, time_s),
        )
