"""Data association: tracks, duplicates, and ids that were swapped where people crossed."""

import math
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from blazepose.geometry import Roi, roi_iou
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.smoothing import PoseSmoother

MERGE_IOU = 0.5
"""IoU of two ROIs of one person in one frame. Source: docs/reference/mediapipe.md section 2,
min_tracking_confidence."""

_DUPLICATE_DISTANCE = 0.15
"""Mean distance of two people's landmarks, in sides of the smaller ROI, up to which they are one person.
Chosen: over half a torso; nearer, one hides the other. By the IoU of their ROIs, two people who stand side by
side would be one."""

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
        merged_with: track that this one merged with when it was lost, as it was just before.
    """

    id: int
    roi: Roi
    last_seen_ms: float
    smoother: PoseSmoother
    velocity: tuple[float, float] = (0.0, 0.0)
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


TrackedPoses = list[tuple[Track, LandmarkResult]]
"""Tracked people of a frame."""


def drop_tracked_rois(rois: list[Roi], tracked: TrackedPoses) -> list[Roi]:
    """Drop, for each tracked person, the one ROI that overlaps it most."""
    remaining = list(rois)
    for _, result in tracked:
        nearest = max(remaining, key=lambda roi: roi_iou(roi, result.next_roi()), default=None)
        if nearest and roi_iou(nearest, result.next_roi()) > MERGE_IOU:
            remaining.remove(nearest)
    return remaining


def match_greedy(rois: list[Roi], track_rois: list[Roi], min_iou: float) -> dict[int, int]:
    """Match ROIs to tracks one to one, highest IoU first.

    Args:
        rois: new ROIs.
        track_rois: ROIs of the tracks.
        min_iou: IoU above which a pair is a match.

    Returns:
        {index of a track: index of its ROI}.
    """
    ious = [(roi_iou(roi, track), k, n) for k, track in enumerate(track_rois) for n, roi in enumerate(rois)]
    matches: dict[int, int] = {}
    for iou, k, n in sorted(ious, key=lambda row: -row[0]):
        if iou > min_iou and k not in matches and n not in matches.values():
            matches[k] = n
    return matches


def find_duplicate(result: LandmarkResult, tracked: TrackedPoses) -> Track | None:
    """Return the track of this frame that has the same person as a result, if any."""
    return next((track for track, other in tracked if _is_same_person(result, other)), None)


def _is_same_person(result: LandmarkResult, other: LandmarkResult) -> bool:
    distances = np.linalg.norm(result.landmarks[:, :2] - other.landmarks[:, :2], axis=1)
    return bool(distances.mean() < _DUPLICATE_DISTANCE * min(result.next_roi().side, other.next_roi().side))


def detect_id_swap(recovered: Track, roi: Roi, tracked: TrackedPoses, time_ms: float) -> Track | None:
    """Return the track whose id was swapped with this one during an occlusion, if their motion indicates it.

    While one person hides another, the network returns one person at both places, and either track may
    continue. When they part, each id belongs to the person who is nearer to its predicted center.

    Args:
        recovered: lost track that matches the ROI.
        roi: where a person appears.
        tracked: the other people of the frame.
        time_ms: time of the frame.
    """
    merged = recovered.merged_with
    if not merged:
        return None
    other = next(((track, result) for track, result in tracked if track.id == merged.id), None)
    if not other:
        return None
    other_roi = other[1].next_roi()
    center, other_center = (roi.center_x, roi.center_y), (other_roi.center_x, other_roi.center_y)
    predicted, other_predicted = recovered.predict(time_ms), merged.predict(time_ms)
    unswapped = math.dist(center, predicted) + math.dist(other_center, other_predicted)
    swapped = math.dist(center, other_predicted) + math.dist(other_center, predicted)
    return other[0] if swapped < unswapped else None
