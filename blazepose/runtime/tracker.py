"""Detector and landmark network together: people are detected once, then tracked from frame to frame.

Source: docs/reference/mediapipe.md sections 2 and 3. Unlike MediaPipe, it searches a lost person in the same
frame, gives people stable ids, does not jump to another person, and takes ROIs and boxes from the caller.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.geometry import Roi, roi_from_alignment, roi_iou
from blazepose.runtime.association import (
    MERGE_IOU,
    Track,
    TrackedPoses,
    detect_id_swap,
    drop_tracked_rois,
    find_duplicate,
    match_greedy,
)
from blazepose.runtime.engines import InferenceEngine, LandmarkEngine
from blazepose.runtime.frames import as_rgb
from blazepose.runtime.landmarker import LandmarkResult, run_landmarker
from blazepose.runtime.person_detector import PersonDetector
from blazepose.runtime.pose import Pose
from blazepose.runtime.roi_inputs import is_valid_roi, parse_rois, rois_from_boxes
from blazepose.runtime.smoothing import PoseSmoother
from blazepose.runtime.tracker_options import TrackerOptions

log = logging.getLogger(__name__)

_MIN_INTERVAL_MS = 1.0
"""Shortest interval of a camera's frames; a shorter one means that the caller counts in seconds."""

_DEFAULT_INTERVAL_MS = 1000 / 30
"""Interval of frames without timestamps."""

_MIN_TRACK_IOU = 0.2
"""IoU of two ROIs of one person who has moved meanwhile. Chosen: equal ROIs reach it two thirds of a side
apart."""

_MAX_MOTION_MS = 150.0
"""Time after which a lost person may have moved that far; right after the loss, `MERGE_IOU` applies. Chosen:
three sides a second, a person who runs."""


class PoseTracker:
    """Tracker of people in a video, or in single images. One per video; not for several threads.

    Args:
        landmarker: runs the landmark network.
        detector: finds people; with None, only those at the caller's ROIs and boxes are tracked.
        options: None takes the defaults.
    """

    def __init__(
        self,
        landmarker: InferenceEngine,
        detector: PersonDetector | None,
        options: TrackerOptions | None = None,
    ) -> None:
        self.options = options or TrackerOptions()
        self._landmarker, self._detector, self._warned = landmarker, detector, False
        self.reset()

    @classmethod
    def load(
        cls,
        path: Path | str,
        detector: Path | str | None = None,
        num_threads: int | None = None,
        **options: Any,
    ) -> "PoseTracker":
        """Load our weights or Google's.

        Args:
            path: `.task` bundle, or landmark network as `.tflite` or `.onnx`.
            detector: file with a pose detector; None takes the bundle's. A landmark network without one
                tracks only people at the caller's ROIs and boxes.
            num_threads: threads of both networks; None takes every core.
            **options: fields of `TrackerOptions`.

        Raises:
            FileNotFoundError: if a file is missing.
            ValueError: if a file is damaged or of another kind, or an option is out of range; names it.

        Examples:
            >>> from blazepose import PoseTracker
            >>> tracker = PoseTracker.load("pose_landmarker_full.task", num_poses=2, running_mode="image")
            >>> tracker.options.num_poses, tracker.detects
            (2, True)
        """
        path, tracker_options = Path(path).expanduser(), TrackerOptions(**options)
        detector_path = Path(detector).expanduser() if detector else path if path.suffix == ".task" else None
        min_score = tracker_options.min_pose_detection_confidence
        detects = PersonDetector.load(detector_path, min_score, num_threads) if detector_path else None
        return cls(LandmarkEngine(path, num_threads), detects, tracker_options)

    @property
    def detects(self) -> bool:
        """Whether it has a detector."""
        return self._detector is not None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the landmark network; empty for foreign weights."""
        return self._landmarker.metadata

    def reset(self) -> None:
        """Forget all people, ids and the time, as before another video."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._time_ms = -math.inf
        self._shape: tuple[int, ...] = ()
        self._next_id = 0

    def __call__(
        self,
        image: np.ndarray,
        timestamp_ms: float | None = None,
        rois: Sequence[Roi] | None = None,
        boxes_xyxy: Sequence[np.ndarray | Sequence[float]] | np.ndarray | None = None,
    ) -> list[Pose]:
        """Return the people in an image in order of their ids; an empty list if there is none.

        Args:
            image: uint8 RGB (height, width, 3); gray and RGBA are taken, too.
            timestamp_ms: time of the frame, later than the one before; None is a 30th of a second later.
            rois: where people are. An ROI near a tracked person replaces that person's ROI; one elsewhere
                starts a track, if all places are taken in place of a person without a given ROI.
            boxes_xyxy: people of another detector (left, top, right, bottom), pixels. In a video they are
                used like those of our detector: for free places.
                With ROIs or boxes, even an empty list of them, our detector does not run.

        Raises:
            ValueError: if the image, the timestamp, an ROI or a box is invalid, or if there are more ROIs and
                boxes for one image than `num_poses`; names it.

        Examples:
            >>> from pathlib import Path
            >>> from blazepose import PoseTracker
            >>> from blazepose.image import read_image
            >>> tracker = PoseTracker.load("pose_landmarker_full.task")
            >>> frame = read_image(Path("person.png"))
            >>> [(pose.id, pose.landmarks.shape) for pose in tracker(frame, timestamp_ms=0)]
            [(0, (33, 5))]
            >>> [pose.id for pose in tracker(frame, timestamp_ms=33)]  # the same person in the next frame
            [0]
        """
        image, user_rois, box_rois = as_rgb(image), parse_rois(rois), rois_from_boxes(boxes_xyxy)
        if self.options.running_mode == "image":
            _check_count(len(user_rois or ()) + len(box_rois or ()), self.options.num_poses)
            self.reset()
        self._set_time(timestamp_ms)
        if image.shape[:2] != self._shape:  # another image: no track is valid in it
            self._tracks, self._lost, self._shape = [], [], image.shape[:2]

        tracked = self._update_tracks(image, user_rois or [])
        self._lost = [t for t in self._lost if self._time_ms - t.last_seen_ms <= self.options.max_lost_ms]
        if len(tracked) < self.options.num_poses:
            if user_rois is None and box_rois is None and self._detector:
                self._start_tracks(image, [detection.roi for detection in self._detector(image)], tracked)
            elif box_rois:
                self._start_tracks(image, box_rois, tracked, from_boxes=True)
        self._tracks = [track for track, _ in tracked]
        return sorted((self._finish_pose(image, *person) for person in tracked), key=lambda pose: pose.id)

    def _set_time(self, timestamp_ms: float | None) -> None:
        """Set the time of the frame."""
        if timestamp_ms is None:
            timestamp_ms = 0.0 if math.isinf(self._time_ms) else self._time_ms + _DEFAULT_INTERVAL_MS
        if not isinstance(timestamp_ms, Real) or not math.isfinite(timestamp_ms):
            raise ValueError(f"timestamp_ms={timestamp_ms!r} must be a finite number of milliseconds")
        if timestamp_ms <= self._time_ms:
            raise ValueError(
                f"timestamps must increase (got {timestamp_ms:g} ms after {self._time_ms:g} ms). "
                "Call reset() before a new video."
            )
        if timestamp_ms - self._time_ms < _MIN_INTERVAL_MS and not self._warned:
            self._warned = True
            log.warning("frames are %.3g ms apart: are these seconds?", timestamp_ms - self._time_ms)
        self._time_ms = timestamp_ms

    def _update_tracks(self, image: np.ndarray, user_rois: list[Roi]) -> TrackedPoses:
        """Return people who are still tracked, at given ROIs or where they were; the others become lost."""
        matches = match_greedy(user_rois, [track.roi for track in self._tracks], _MIN_TRACK_IOU)
        candidates = []
        for k, track in enumerate(self._tracks):
            roi = user_rois[matches[k]] if k in matches else track.roi
            result = self._landmarks_at(image, roi)
            # Of two tracks with one person, the one whose ROI fits the person better keeps it.
            candidates.append((roi_iou(result.next_roi(), roi) if result else 0.0, track, result))
        pinned_ids = {self._tracks[k].id for k in matches}
        tracked: TrackedPoses = []
        for iou, track, result in sorted(candidates, key=lambda row: -row[0]):
            duplicate = find_duplicate(result, tracked) if result else None
            if result and iou > _MIN_TRACK_IOU and not duplicate:
                tracked.append((track, result))
            else:
                self._lost.append(track)
                if duplicate:
                    track.merge_with(duplicate)
        for roi in (roi for n, roi in enumerate(user_rois) if n not in matches.values()):
            result = self._landmarks_at(image, roi)
            if not result or find_duplicate(result, tracked):
                continue
            if len(tracked) == self.options.num_poses:
                replaceable = [k for k, (track, _) in enumerate(tracked) if track.id not in pinned_ids]
                if not replaceable:
                    break
                del tracked[replaceable[-1]]
            track = self._recover_or_start(roi, tracked)
            pinned_ids.add(track.id)
            tracked.append((track, result))
        return tracked

    def _start_tracks(
        self, image: np.ndarray, rois: list[Roi], tracked: TrackedPoses, from_boxes: bool = False
    ) -> None:
        """Add people who are new or recovered.

        Args:
            image: the frame.
            rois: where people are, by a detector.
            tracked: people of this frame so far; the new ones are appended.
            from_boxes: whether the ROIs are of boxes, and have neither the hips' position nor a rotation.
        """
        rois = drop_tracked_rois([roi for roi in rois if is_valid_roi(roi)], tracked)
        # Those near lost tracks first.
        lost_iou = {roi: max((roi_iou(roi, t.roi) for t in self._lost), default=0.0) for roi in rois}
        for roi in sorted(rois, key=lambda roi: -lost_iou[roi]):
            if len(tracked) == self.options.num_poses:
                return
            recovered = self._match_lost_track(roi)
            if not recovered and len(tracked) + len(self._lost) >= self.options.num_poses:
                continue  # the place is kept for a lost person
            result = self._landmarks_at(image, roi)
            if result and from_boxes:
                result = self._landmarks_at(image, result.next_roi())
            if result and not find_duplicate(result, tracked):
                tracked.append((self._recover_or_start(roi, tracked), result))

    def _landmarks_at(self, image: np.ndarray, roi: Roi) -> LandmarkResult | None:
        """Run the landmark network on an ROI; None if there is no person who can be tracked."""
        result = run_landmarker(self._landmarker, image, roi)
        present = result.pose_presence > self.options.min_pose_presence_confidence
        return result if present and is_valid_roi(result.next_roi()) else None

    def _match_lost_track(self, roi: Roi) -> Track | None:
        """Return the lost track that an ROI belongs to; the longer it is lost, the farther it may be."""
        nearest = max(self._lost, key=lambda track: roi_iou(roi, track.roi), default=None)
        if not nearest:
            return None
        elapsed = min(1.0, (self._time_ms - nearest.last_seen_ms) / _MAX_MOTION_MS)
        min_iou = MERGE_IOU + (_MIN_TRACK_IOU - MERGE_IOU) * elapsed
        return nearest if roi_iou(roi, nearest.roi) > min_iou else None

    def _recover_or_start(self, roi: Roi, tracked: TrackedPoses) -> Track:
        """Return a track for a person who appears at an ROI, with the id of the lost one if it matches."""
        recovered = self._match_lost_track(roi)
        if not recovered:
            self._next_id += 1
            return Track(self._next_id - 1, roi, self._time_ms, PoseSmoother())
        self._lost.remove(recovered)
        if swapped := detect_id_swap(recovered, roi, tracked, self._time_ms):
            recovered.id, swapped.id = swapped.id, recovered.id
        return Track(recovered.id, roi, self._time_ms, PoseSmoother())

    def _finish_pose(self, image: np.ndarray, track: Track, result: LandmarkResult) -> Pose:
        """Smooth a result, update its track, and return the pose."""
        height, width = image.shape[:2]
        landmarks, world, roi = result.landmarks, result.world, result.next_roi()
        if self.options.running_mode == "video" and self.options.smooth_landmarks:
            smoothed = track.smoother(result, self._time_ms / 1000)
            landmarks, world = smoothed.landmarks, smoothed.world
            roi = roi_from_alignment(*smoothed.alignment_px)
        track.update(roi, self._time_ms)
        mask = result.mask(width, height) if self.options.output_segmentation_masks else None
        return Pose(track.id, landmarks, world, result.pose_presence, result.roi, mask)


def _check_count(num_given: int, num_poses: int) -> None:
    """Refuse more ROIs and boxes for one image than people to return."""
    if num_given > num_poses:
        raise ValueError(
            f"got {num_given} ROIs and boxes but num_poses={num_poses}; set num_poses={num_given}"
        )
