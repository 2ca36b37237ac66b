"""Who is who: people who are followed, told apart by where they are and how they move."""

import math
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from blazepose.geometry import Roi, roi_iou
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.smoothing import PoseSmoother

MERGE_IOU = 0.5
"""Overlap of two ROIs of one person in one frame. Source: mediapipe.md section 2, min_tracking_confidence."""

_APART = 0.15
"""Mean distance of two people's landmarks, in sides of the smaller ROI. Chosen: over half a torso; nearer,
one hides the other. By the overlap of their ROIs, two who stand side by side would be one."""

_MEMORY_MS = 93.0
"""In which an earlier velocity fades by e. Chosen: the mean of three frames or so at 30 a second; a share per
frame would make a leap of two frames a tick apart."""

_GOES_ON_MS = 300.0
"""How long a velocity lasts: it fades by e. Chosen: who walks passes somebody, who hardly moves does not."""


@dataclass
class Track:
    """Somebody who is followed, or was until `seen_ms`.

    Attributes:
        id: the caller's name of them.
        roi: where they were.
        seen_ms: when.
        smoother: of what is seen of them.
        velocity: of the ROI's centre, pixels a millisecond.
        met: somebody with whom they became one, as they were just before.
    """

    id: int
    roi: Roi
    seen_ms: float
    smoother: PoseSmoother
    velocity: tuple[float, float] = (0.0, 0.0)
    met: Optional["Track"] = None

    def move(self, roi: Roi, time_ms: float) -> None:
        """They are there now."""
        passed = time_ms - self.seen_ms
        if passed > 0:
            (x, y), old = self.velocity, self.roi
            now = (roi.center_x - old.center_x) / passed, (roi.center_y - old.center_y) / passed
            memory = math.exp(-passed / _MEMORY_MS)
            self.velocity = memory * x + (1 - memory) * now[0], memory * y + (1 - memory) * now[1]
        self.roi, self.seen_ms = roi, time_ms

    def meet(self, other: "Track") -> None:
        """They and somebody else are one from now on."""
        self.met = replace(other, met=None)

    def expected(self, time_ms: float) -> tuple[float, float]:
        """Where the centre would be if they went on, slower and slower."""
        lasted = _GOES_ON_MS * (1 - math.exp(-(time_ms - self.seen_ms) / _GOES_ON_MS))
        (x, y), roi = self.velocity, self.roi
        return roi.center_x + x * lasted, roi.center_y + y * lasted


TrackedPoses = list[tuple[Track, LandmarkResult]]
"""People in a frame."""


def drop_tracked_rois(rois: list[Roi], seen: TrackedPoses) -> list[Roi]:
    """ROIs without those of people who are seen already: of each the nearest, and no more than one."""
    rest = list(rois)
    for _, found in seen:
        own = max(rest, key=lambda roi: roi_iou(roi, found.next_roi()), default=None)
        if own and roi_iou(own, found.next_roi()) > MERGE_IOU:
            rest.remove(own)
    return rest


def match_greedy(rois: list[Roi], places: list[Roi], least: float) -> dict[int, int]:
    """{row of a place: row of the ROI that points there}: nearest pairs first, and nobody twice.

    Args:
        rois: that point somewhere.
        places: where people are.
        least: overlap from which (exclusive) one points to the other.
    """
    overlaps = [(roi_iou(roi, place), k, n) for k, place in enumerate(places) for n, roi in enumerate(rois)]
    pairs: dict[int, int] = {}
    for overlap, k, n in sorted(overlaps, key=lambda row: -row[0]):
        if overlap > least and k not in pairs and n not in pairs.values():
            pairs[k] = n
    return pairs


def find_duplicate(look: LandmarkResult, seen: TrackedPoses) -> Track | None:
    """Of those who have been seen in this frame, the one whom it shows again."""
    return next((track for track, other in seen if _one_person(look, other)), None)


def _one_person(look: LandmarkResult, other: LandmarkResult) -> bool:
    distances = np.linalg.norm(look.landmarks[:, :2] - other.landmarks[:, :2], axis=1)
    return bool(distances.mean() < _APART * min(look.next_roi().side, other.next_roi().side))


def detect_id_swap(back: Track, roi: Roi, seen: TrackedPoses, time_ms: float) -> Track | None:
    """Whom somebody has passed who comes back, if the one who stayed must be the one who comes.

    When one of two hides the other, the network sees one person in both places, and follows either of them
    further. Which one it was shows when they part: each is likelier where they were going.

    Args:
        back: was lost, and is thought to be back.
        roi: where somebody appears.
        seen: the others.
        time_ms: now.
    """
    if not back.met:
        return None
    stayed = next(((track, look) for track, look in seen if back.met and track.id == back.met.id), None)
    if not stayed:
        return None
    there = stayed[1].next_roi()
    here, there_px = (roi.center_x, roi.center_y), (there.center_x, there.center_y)
    own, other = back.expected(time_ms), back.met.expected(time_ms)
    as_thought = math.dist(here, own) + math.dist(there_px, other)
    exchanged = math.dist(here, other) + math.dist(there_px, own)
    return stayed[0] if exchanged < as_thought else None
