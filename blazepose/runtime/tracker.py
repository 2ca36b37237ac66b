"""Detector and landmark network together: people found once, then followed from frame to frame.

Source: mediapipe.md sections 2 and 3. Otherwise than MediaPipe, it looks for a lost person in the same frame,
gives people ids that stay, does not jump to somebody else, and takes ROIs and boxes from the caller.
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

_TOO_SOON_MS = 1.0
"""After a frame, no camera has the next one so soon: somebody counts in seconds."""

_FRAME_MS = 1000 / 30
"""Between frames whose times are not given."""

_NEAR = 0.2
"""Overlap of two ROIs of one person who has moved meanwhile. Chosen: equal ROIs reach it two thirds of a side
apart."""

_FAR_AFTER_MS = 150.0
"""After which a lost person may have come so far; right after the loss they overlap with it as SAME says.
Chosen: three sides a second, somebody who runs."""


class PoseTracker:
    """Follows people through a video, or finds them in pictures. One for each video; not for several threads.

    Args:
        landmarker: runs the landmark network.
        detector: None follows only whom the caller points to.
        options: how people are followed; None takes the defaults.
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
        """Ours or Google's weights.

        Args:
            path: `.task` bundle, or landmark network as `.tflite` or `.onnx`.
            detector: file with a pose detector; None takes the bundle's own. A landmark network without one
                follows only whom the caller points to.
            num_threads: of both networks; None takes every core.
            **options: fields of Tracking.

        Raises:
            FileNotFoundError: if a file is missing.
            ValueError: names the file that is damaged or of another kind, or the option that cannot be.
        """
        path, chosen = Path(path).expanduser(), TrackerOptions(**options)
        found = Path(detector).expanduser() if detector else path if path.suffix == ".task" else None
        people = PersonDetector.load(found, chosen.min_detection, num_threads) if found else None
        return cls(LandmarkEngine(path, num_threads), people, chosen)

    @property
    def detects(self) -> bool:
        """It finds people by itself."""
        return self._detector is not None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the landmark network says of itself; empty for foreign weights."""
        return self._landmarker.metadata

    def reset(self) -> None:
        """Forget everybody, as before another video."""
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
        """The people in a picture, ids rising; nobody is an empty list.

        Args:
            image: uint8 RGB (height, width, 3); grey and RGBA are taken, too.
            timestamp_ms: when it was taken, later than the one before; None is a 30th of a second later.
            rois: where to look: instead of where somebody was before, if it is the same place; else for
                somebody in place of one to whom none points, if all places are taken.
            boxes_xyxy: people whom another detector found (left, top, right, bottom), pixels. In a video they
                are taken as those of our own are: for places that are free.
                With ROIs or boxes, if only an empty list of them, our own detector is not asked.

        Raises:
            ValueError: names what is wrong with the picture, the time, an ROI or a box, or says that there
                are more of them in a picture than people asked for.
        """
        image, pointed, boxes = as_rgb(image), parse_rois(rois), rois_from_boxes(boxes_xyxy)
        if not self.options.video:
            _require_places(len(pointed or ()) + len(boxes or ()), self.options.people)
            self.reset()
        self._advance(timestamp_ms)
        if image.shape[:2] != self._shape:  # another picture: nobody is where they were
            self._tracks, self._lost, self._shape = [], [], image.shape[:2]

        seen = self._follow(image, pointed or [])
        self._lost = [t for t in self._lost if self._time_ms - t.seen_ms <= self.options.memory_ms]
        if len(seen) < self.options.people:
            if pointed is None and boxes is None and self._detector:
                self._welcome(image, [person.roi for person in self._detector(image)], seen)
            elif boxes:
                self._welcome(image, boxes, seen, rough=True)
        self._tracks = [track for track, _ in seen]
        return sorted((self._pose(image, *person) for person in seen), key=lambda pose: pose.id)

    def _advance(self, timestamp_ms: float | None) -> None:
        """Set the clock."""
        if timestamp_ms is None:
            timestamp_ms = 0.0 if math.isinf(self._time_ms) else self._time_ms + _FRAME_MS
        if not isinstance(timestamp_ms, Real) or not math.isfinite(timestamp_ms):
            raise ValueError(f"timestamp_ms={timestamp_ms!r} is no time: a number of milliseconds")
        if timestamp_ms <= self._time_ms:
            raise ValueError(
                f"a frame at {timestamp_ms:g} ms cannot follow one at {self._time_ms:g} ms: "
                "times have to rise; reset() begins another video"
            )
        if timestamp_ms - self._time_ms < _TOO_SOON_MS and not self._warned:
            self._warned = True
            log.warning("frames %.3g ms apart: are these seconds?", timestamp_ms - self._time_ms)
        self._time_ms = timestamp_ms

    def _follow(self, image: np.ndarray, rois: list[Roi]) -> TrackedPoses:
        """Those who are still there, at given ROIs or where they were; the others go to the lost ones."""
        looks, own = [], match_greedy(rois, [track.roi for track in self._tracks], _NEAR)
        for k, track in enumerate(self._tracks):
            place = rois[own[k]] if k in own else track.roi
            found = self._look(image, place)
            # Of two tracks that see one person, the one whose place it is keeps them.
            looks.append((roi_iou(found.next_roi(), place) if found else 0.0, track, found))
        pointed = {self._tracks[k].id for k in own}
        seen: TrackedPoses = []
        for overlap, track, found in sorted(looks, key=lambda row: -row[0]):
            other = find_duplicate(found, seen) if found else None
            if found and overlap > _NEAR and not other:
                seen.append((track, found))
            else:
                self._lost.append(track)
                if other:
                    track.meet(other)
        for roi in (roi for n, roi in enumerate(rois) if n not in own.values()):
            found = self._look(image, roi)
            if not found or find_duplicate(found, seen):
                continue
            if len(seen) == self.options.people:
                free = [k for k, (track, _) in enumerate(seen) if track.id not in pointed]
                if not free:
                    break
                del seen[free[-1]]
            track = self._identify(roi, seen)
            pointed.add(track.id)
            seen.append((track, found))
        return seen

    def _welcome(self, image: np.ndarray, rois: list[Roi], seen: TrackedPoses, rough: bool = False) -> None:
        """Add those who are new or back.

        Args:
            image: the frame.
            rois: where people are, by a detector.
            seen: the others in this frame, added to.
            rough: an ROI says neither where the hips are nor what is up.
        """
        rois = drop_tracked_rois([roi for roi in rois if is_valid_roi(roi)], seen)
        # First where somebody was lost.
        nearness = {roi: max((roi_iou(roi, t.roi) for t in self._lost), default=0.0) for roi in rois}
        for roi in sorted(rois, key=lambda roi: -nearness[roi]):
            if len(seen) == self.options.people:
                return
            back = self._known(roi)
            if not back and len(seen) + len(self._lost) >= self.options.people:
                continue  # the place is kept for somebody who may come back
            found = self._look(image, roi)
            if found and rough:
                found = self._look(image, found.next_roi())
            if found and not find_duplicate(found, seen):
                seen.append((self._identify(roi, seen), found))

    def _look(self, image: np.ndarray, roi: Roi) -> LandmarkResult | None:
        """What is seen there, if it is a person who can be followed."""
        found = run_landmarker(self._landmarker, image, roi)
        present = found.pose_presence > self.options.min_presence
        return found if present and is_valid_roi(found.next_roi()) else None

    def _known(self, roi: Roi) -> Track | None:
        """Who was lost there: the longer ago, the farther they may be."""
        nearest = max(self._lost, key=lambda track: roi_iou(roi, track.roi), default=None)
        if not nearest:
            return None
        passed = min(1.0, (self._time_ms - nearest.seen_ms) / _FAR_AFTER_MS)
        return nearest if roi_iou(roi, nearest.roi) > MERGE_IOU + (_NEAR - MERGE_IOU) * passed else None

    def _identify(self, roi: Roi, seen: TrackedPoses) -> Track:
        """A track for somebody who appears there: whom we lost there, or somebody new."""
        back = self._known(roi)
        if not back:
            self._next_id += 1
            return Track(self._next_id - 1, roi, self._time_ms, PoseSmoother())
        self._lost.remove(back)
        if other := detect_id_swap(back, roi, seen, self._time_ms):
            back.id, other.id = other.id, back.id
        return Track(back.id, roi, self._time_ms, PoseSmoother())

    def _pose(self, image: np.ndarray, track: Track, found: LandmarkResult) -> Pose:
        """What the caller gets; and where to look next."""
        height, width = image.shape[:2]
        landmarks, world, roi = found.landmarks, found.world, found.next_roi()
        if self.options.video and self.options.smooth:
            smoothed = track.smoother(found, self._time_ms / 1000)
            landmarks, world = smoothed.landmarks, smoothed.world
            roi = roi_from_alignment(*smoothed.alignment_px)
        track.move(roi, self._time_ms)
        mask = found.mask(width, height) if self.options.mask else None
        return Pose(track.id, landmarks, world, found.pose_presence, found.roi, mask)


def _require_places(given: int, people: int) -> None:
    """Refuse to choose among the people whom the caller points to in a picture."""
    if given > people:
        raise ValueError(f"{given} ROIs and boxes, but people={people}; people={given} looks at all of them")
