"""Timestamps of a video's frames: always rising, and the file's own wherever these are credible."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import TypeVar

T = TypeVar("T")
Point = tuple[int, float]
"""Index in a window, and timestamp in milliseconds."""

WINDOW = 8
"""Frames that decide together which timestamps are credible. Chosen: three wrong ones in a row are detected;
eight decoded frames of 4K take 100 MB."""

_REGULAR = 1.5
"""Usual intervals within which a frame is credible without a window. Chosen: a live stream waits for none."""

_TICK_MS = 1e-3
"""Shortest credible interval. Chosen: no camera takes a million frames a second, and sums stay exact."""

_MAX_GAP_MS = 6 * 3600e3
"""Longest credible pause. Chosen: MP4 stores none of 6.6 h at 90 kHz, and FFmpeg makes one of a day where the
clock of a broadcast restarts."""

_WRAP_MS = 2**33 / 90
"""Period of MPEG's clock, 26.5 h. Source: ISO/IEC 13818-1, 33 bits at 90 kHz."""

_WRAP_GAP_MS = 10e3
"""Longest pause in which that clock may wrap. Chosen: a fall so close to the period is no restart."""


class Clock:
    """Converter of a file's timestamps to rising ones.

    A timestamp is credible if it belongs to the longest rising series among the next `WINDOW` ones that are
    later than the last output by up to six hours; of several series as long, to the most even one. The output

    - of a credible timestamp is itself, exactly, whatever the frame rate and the pause before it;
    - of one that is missing, equal to the last, earlier, or too late is between its neighbors': a usual
      interval after the last output, or at an even share of the way to the next credible one if that is
      sooner. So it is less than one interval of its neighbors from where it belongs, and the next credible
      one is exact again;
    - of a clock that was reset, as in joined files, is a usual interval after the last output. A clock was
      reset where most of a window is earlier than the last output, or later by more than six hours. From
      there on the file's intervals are used, until its own timestamps are later than the output again;
    - of a clock that wrapped, a fall by 2**33 / 90 kHz, is the file's own and that period.

    The usual interval is the last one between credible timestamps, at most the mean. Limits: more
    wrong timestamps in a row than half a window are taken for a reset or a pause, and a jump of the very last
    frame for a pause. A first frame that is not credible has 0.

    Args:
        step_ms: mean interval of frames.

    Attributes:
        shift_ms: current offset added to the file's own timestamps.
    """

    def __init__(self, step_ms: float) -> None:
        self.shift_ms = 0.0
        self._mean_ms, self._step_ms, self._last_ms = step_ms, _TICK_MS, -_TICK_MS

    def rise(self, frames: Iterable[tuple[T, float | None]]) -> Iterator[tuple[T, float]]:
        """Yield frames with rising timestamps.

        Args:
            frames: each with the file's own timestamp in milliseconds, or None. One that follows the last
                output regularly is yielded at once; any other waits until the window is full.
        """
        held: deque[tuple[T, float | None]] = deque()
        for item in frames:
            held.append(item)
            while held and (len(held) == WINDOW or self._is_regular(held[0][1])):
                yield self._release(held)
        while held:
            yield self._release(held)

    def _is_regular(self, own_ms: float | None) -> bool:
        """Return whether a timestamp follows the last output so closely that it is credible by itself."""
        if own_ms is None or (self.shift_ms and 0 < own_ms - self._last_ms <= _MAX_GAP_MS):
            return False
        return _TICK_MS <= own_ms + self.shift_ms - self._last_ms <= _REGULAR * self._step_ms

    def _release(self, held: deque[tuple[T, float | None]]) -> tuple[T, float]:
        """Remove the first frame of the window, and give it its timestamp."""
        credible = self._credible([(k, own_ms) for k, (_, own_ms) in enumerate(held) if own_ms is not None])
        index, time_ms = credible[0] if credible else (1, math.inf)
        gap_ms = time_ms - self._last_ms
        if index:
            time_ms = self._last_ms + min(self._step_ms, gap_ms / (index + 1))
        if self._last_ms < 0:  # the first frame
            self._step_ms = self._mean_ms
        elif not index:
            self._step_ms = min(self._mean_ms, gap_ms)
        self._last_ms = time_ms
        return held.popleft()[0], time_ms

    def _credible(self, own: list[Point]) -> list[Point]:
        """Choose the shift, and return the credible timestamps of a window, shifted."""
        longest, last_ms, old_ms = _longest_rise(own, -math.inf), self._last_ms, self.shift_ms
        clocks = (0.0, _MAX_GAP_MS), (old_ms, _MAX_GAP_MS), (old_ms + _WRAP_MS, _WRAP_GAP_MS)
        for shift_ms, gap_ms in clocks:
            later = [(k, t + shift_ms) for k, t in own if _TICK_MS <= t + shift_ms - last_ms <= gap_ms]
            rise = _longest_rise(later, last_ms)
            later_reset = shift_ms == old_ms and rise and rise[0][0] == 0
            if rise and (2 * len(rise) >= len(longest) or later_reset):
                self.shift_ms = shift_ms
                return rise
        if not longest:
            return []
        index, own_ms = longest[0]
        time_ms = last_ms + self._step_ms * (index + 1)
        self.shift_ms = time_ms - own_ms
        return [(index, time_ms)]


def _longest_rise(points: list[Point], last_ms: float) -> list[Point]:
    """Find the longest rising series after a timestamp; of several, the most even one."""
    rises: list[tuple[int, float, list[Point]]] = [(0, 0.0, [(-1, last_ms)])]
    rank = itemgetter(0, 1)
    for point in points:
        longer = (
            (count + 1, evenness - (point[1] - rise[-1][1]) ** 2, [*rise, point])
            for count, evenness, rise in rises
            if rise[-1][1] < point[1]
        )
        rises.append(max(longer, key=rank))
    return max(rises, key=rank)[2][1:]
