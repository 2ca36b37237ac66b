"""Data association: which person each result of a frame is, without the image and the networks."""

import math
from typing import NamedTuple

import numpy as np

from blazepose.geometry import Roi, roi_iou
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.runtime.smoothing import create_smoother
from blazepose.runtime.track import Track
from blazepose.runtime.tracker_options import TrackerOptions

_MERGE_IOU = 0.5
"""IoU of two ROIs of one person in one frame. Source: docs/reference/mediapipe.md section 2,
min_tracking_confidence."""

_MIN_TRACK_IOU = 0.2
"""IoU of two ROIs of one person who has moved meanwhile. Chosen: equal ROIs reach it two thirds of a side
apart."""

_MAX_MOTION_MS = 150.0
"""Time after which a lost person may have moved that far; right after the loss, `_MERGE_IOU` applies. Chosen:
three sides a second, a person who runs."""

_DUPLICATE_DISTANCE = 0.15
"""Mean distance of two people's landmarks, in sides of the smaller ROI, up to which they are one person.
Chosen: over half a torso; nearer, one hides the other. By the IoU of their ROIs, two people who stand side by
side would be one."""


class Candidate(NamedTuple):
    """An ROI where a person may be.

    Attributes:
        roi: the ROI.
        track: the person who is tracked there; None at other places.
        given: whether the ROI is the caller's. Such a person may replace one without a given ROI.
    """

    roi: Roi
    track: Track | None = None
    given: bool = False


class TrackedPerson(NamedTuple):
    """A person of the frame: track, network outputs, and whether the ROI is the caller's."""

    track: Track
    result: LandmarkResult
    given: bool = False


class Association:
    """People who are tracked or lost. In each frame, candidates are proposed, then results are resolved.

    Attributes:
        tracked: people of the frame; at most `num_poses`.
        lost: tracks of people whose places are kept.
        time_ms: time of the frame.
    """

    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        self._next_id = 0
        self.time_ms = -math.inf
        self.clear()

    def clear(self) -> None:
        """Drop all people; new ones get new ids."""
        self.tracked: list[TrackedPerson] = []
        self.lost: list[Track] = []

    @property
    def num_free(self) -> int:
        """Number of people who can be added."""
        return self._options.num_poses - len(self.tracked)

    def propose_tracked(self, rois: list[Roi], time_ms: float) -> list[Candidate]:
        """Start a frame: propose every track, at the caller's ROI or where it was, then the other ROIs."""
        tracks = [person.track for person in self.tracked]
        self.tracked, self.time_ms = [], time_ms
        candidates = [Candidate(track.roi, track) for track in tracks]
        matches = match_greedy(rois, [track.roi for track in tracks], _MIN_TRACK_IOU)
        for k, n in matches.items():
            candidates[k] = Candidate(rois[n], tracks[k], given=True)
        elsewhere = (roi for n, roi in enumerate(rois) if n not in matches.values())
        return candidates + [Candidate(roi, given=True) for roi in elsewhere]

    def propose_new(self, rois: list[Roi]) -> list[Candidate]:
        """Propose those of a detector's ROIs where no person is tracked, the ones near lost people first."""
        max_lost_ms = self._options.max_lost_ms
        self.lost = [track for track in self.lost if self.time_ms - track.last_seen_ms <= max_lost_ms]
        rois = drop_tracked_rois(rois, self.tracked)
        return [Candidate(roi) for roi in sorted(rois, key=self._lost_iou, reverse=True)]

    def take_batch(self, candidates: list[Candidate]) -> list[Candidate]:
        """Remove and return the next candidates, of which none depends on the results of the others."""
        batch: list[Candidate] = []
        while candidates and self._has_place(candidates[0], batch):
            candidate = candidates.pop(0)
            if candidate.track or candidate.given or not self.lost:
                batch.append(candidate)
            elif self._match_lost(candidate.roi) or self.num_free > len(self.lost):
                return [candidate]  # alone: the next one depends on who is still lost after it
        return batch

    def resolve(self, candidates: list[Candidate], results: list[LandmarkResult | None]) -> None:
        """Add the people found at candidates; tracks whose person is not found become lost.

        Args:
            candidates: a batch.
            results: network outputs at each; None without a person.
        """
        # Of two tracks with one person, the one whose ROI fits the person better keeps it.
        pairs = sorted(zip(candidates, results, strict=True), key=lambda pair: -_tracking_iou(*pair))
        for candidate, result in pairs:
            duplicate = find_duplicate(result, self.tracked) if result else None
            stays = not candidate.track or _tracking_iou(candidate, result) > _MIN_TRACK_IOU
            if result and stays and not duplicate:
                self._accept(candidate, result)
            elif candidate.track:
                self.lost.append(candidate.track)
                if duplicate:
                    candidate.track.merge_with(duplicate)

    def _has_place(self, candidate: Candidate, batch: list[Candidate]) -> bool:
        """Return whether a place is left beside the batch; a given ROI takes those of people without one."""
        given = [person.given for person in self.tracked] + [other.given for other in batch]
        return (sum(given) if candidate.given else len(given)) < self._options.num_poses

    def _accept(self, candidate: Candidate, result: LandmarkResult) -> None:
        """Add a person, in place of the last one without a given ROI if all places are taken."""
        if not self.num_free:
            del self.tracked[max(k for k, person in enumerate(self.tracked) if not person.given)]
        track = candidate.track or self._recover_or_start(candidate.roi)
        self.tracked.append(TrackedPerson(track, result, candidate.given))

    def _recover_or_start(self, roi: Roi) -> Track:
        """Return a track for a person who appears at an ROI, with the id of the lost one if it matches."""
        if recovered := self._match_lost(roi):
            self.lost.remove(recovered)
            if swapped := detect_id_swap(recovered, roi, self.tracked, self.time_ms):
                recovered.id, swapped.id = swapped.id, recovered.id
            number = recovered.id
        else:
            number, self._next_id = self._next_id, self._next_id + 1
        return Track(number, roi, self.time_ms, create_smoother(self._options))

    def _match_lost(self, roi: Roi) -> Track | None:
        """Return the lost track that an ROI belongs to; the longer it is lost, the farther it may be."""
        nearest = max(self.lost, key=lambda track: roi_iou(roi, track.roi), default=None)
        if not nearest:
            return None
        elapsed = min(1.0, (self.time_ms - nearest.last_seen_ms) / _MAX_MOTION_MS)
        min_iou = _MERGE_IOU + (_MIN_TRACK_IOU - _MERGE_IOU) * elapsed
        return nearest if roi_iou(roi, nearest.roi) > min_iou else None

    def _lost_iou(self, roi: Roi) -> float:
        """Return the IoU of an ROI with the nearest lost track."""
        return max((roi_iou(roi, track.roi) for track in self.lost), default=0.0)


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


def drop_tracked_rois(rois: list[Roi], tracked: list[TrackedPerson]) -> list[Roi]:
    """Drop, for each tracked person, the one ROI that overlaps it most."""
    remaining = list(rois)
    for next_roi in (person.result.next_roi() for person in tracked):
        nearest = max(remaining, key=lambda roi: roi_iou(roi, next_roi), default=None)
        if nearest and roi_iou(nearest, next_roi) > _MERGE_IOU:
            remaining.remove(nearest)
    return remaining


def find_duplicate(result: LandmarkResult, tracked: list[TrackedPerson]) -> Track | None:
    """Return the track of this frame that has the same person as a result, if any."""
    return next((person.track for person in tracked if _is_same_person(result, person.result)), None)


def detect_id_swap(recovered: Track, roi: Roi, tracked: list[TrackedPerson], time_ms: float) -> Track | None:
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
    other = next((person for person in tracked if merged and person.track.id == merged.id), None)
    if not merged or not other:
        return None
    other_roi = other.result.next_roi()
    center, other_center = (roi.center_x, roi.center_y), (other_roi.center_x, other_roi.center_y)
    predicted, other_predicted = recovered.predict(time_ms), merged.predict(time_ms)
    unswapped = math.dist(center, predicted) + math.dist(other_center, other_predicted)
    swapped = math.dist(center, other_predicted) + math.dist(other_center, predicted)
    return other.track if swapped < unswapped else None


def _tracking_iou(candidate: Candidate, result: LandmarkResult | None) -> float:
    """Return the IoU of a track's ROI and the person found there; 0 for other ROIs, and without a person."""
    return roi_iou(result.next_roi(), candidate.roi) if candidate.track and result else 0.0


def _is_same_person(result: LandmarkResult, other: LandmarkResult) -> bool:
    distances = np.linalg.norm(result.landmarks[:, :2] - other.landmarks[:, :2], axis=1)
    return bool(distances.mean() < _DUPLICATE_DISTANCE * min(result.next_roi().side, other.next_roi().side))
