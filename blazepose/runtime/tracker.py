"""Detector and landmark network together: people found once, then followed from frame to frame.

Source: mediapipe.md sections 2 and 3. Otherwise than MediaPipe, it looks for a lost person in the same frame,
gives people ids that stay, does not jump to somebody else, and takes ROIs and boxes from the caller.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.anchors import FOUND_FROM
from blazepose.geometry import Roi, roi_from_alignment, roi_from_box, roi_overlap
from blazepose.runtime.detector import PersonDetector
from blazepose.runtime.engines import InferenceEngine, LandmarkEngine
from blazepose.runtime.frames import as_rgb
from blazepose.runtime.landmarker import Look, look
from blazepose.runtime.pose import Pose
from blazepose.runtime.smoothing import PoseSmoother

_FRAME_MS = 1000 / 30
"""Between frames whose times are not given."""

_SAME = 0.5
"""Overlap of two ROIs of one person in one frame. Source: mediapipe.md section 2, min_tracking_confidence."""

_NEAR = 0.2
"""Overlap of two ROIs of one person who has moved meanwhile. Chosen: equal ROIs reach it two thirds of a side
apart."""

_FAR_AFTER_MS = 150.0
"""After which a lost person may have come so far; right after the loss they overlap with it as _SAME says.
Chosen: three sides a second, somebody who runs."""


@dataclass(frozen=True)
class Tracking:
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
    min_detection: float = FOUND_FROM
    min_presence: float = 0.5
    memory_ms: float = 1000.0

    def __post_init__(self) -> None:
        if self.people < 1:
            raise ValueError(f"people={self.people}: follow one person or more")
        for name in ("min_detection", "min_presence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}: a number from 0 to 1")
        if not 0 <= self.memory_ms < math.inf:
            raise ValueError(f"memory_ms={self.memory_ms}: a number from 0 up")


@dataclass
class _Track:
    """Somebody who is followed, or was until `seen_ms`."""

    id: int
    roi: Roi
    seen_ms: float
    smoother: PoseSmoother


class PoseTracker:
    """Follows people through a video, or finds them in pictures. One for each video; not for several threads.

    Args:
        landmarker: runs the landmark network.
        detector: None follows only whom the caller points to.
        options: how people are followed.
    """

    def __init__(
        self,
        landmarker: InferenceEngine,
        detector: PersonDetector | None,
        options: Tracking = Tracking(),
    ) -> None:
        self.options = options
        self._landmarker, self._detector = landmarker, detector
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
        path, chosen = Path(path).expanduser(), Tracking(**options)
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
        self._tracks: list[_Track] = []
        self._lost: list[_Track] = []
        self._time_ms = -math.inf
        self._shape: tuple[int, ...] = ()
        self._next_id = 0

    def __call__(
        self,
        image: np.ndarray,
        timestamp_ms: float | None = None,
        rois: Sequence[Roi] = (),
        boxes_xyxy: Sequence[np.ndarray | Sequence[float]] = (),
    ) -> list[Pose]:
        """The people in a picture, ids rising; nobody is an empty list.

        Args:
            image: uint8 RGB (height, width, 3); grey and RGBA are taken, too.
            timestamp_ms: when it was taken, later than the one before; None is a 30th of a second later.
            rois: where to look: instead of where somebody was before, if it is the same place; else for
                somebody in place of one to whom none points, if all places are taken.
            boxes_xyxy: people whom another detector found (left, top, right, bottom), pixels.
                With ROIs or boxes, our own detector has nothing to do in this frame.

        Raises:
            ValueError: names what is wrong with the picture, the time, an ROI or a box.
        """
        image = as_rgb(image)
        boxes = [roi_from_box(np.asarray(box)) for box in boxes_xyxy]
        for roi in rois:
            if not _usable(roi):
                raise ValueError(f"{roi} is nowhere: a side has to be above 1 pixel, and all numbers finite")
        if not self.options.video:
            self.reset()
        self._advance(timestamp_ms)
        if image.shape[:2] != self._shape:  # another picture: nobody is where they were
            self._tracks, self._lost, self._shape = [], [], image.shape[:2]

        seen = self._follow(image, list(rois))
        self._lost = [t for t in self._lost if self._time_ms - t.seen_ms <= self.options.memory_ms]
        if len(seen) < self.options.people:
            self._welcome(image, boxes, detect=not rois and not boxes, seen=seen)
        self._tracks = [track for track, _ in seen]
        return sorted((self._pose(image, *person) for person in seen), key=lambda pose: pose.id)

    def _advance(self, timestamp_ms: float | None) -> None:
        """Set the clock."""
        if timestamp_ms is None:
            timestamp_ms = 0.0 if math.isinf(self._time_ms) else self._time_ms + _FRAME_MS
        if not math.isfinite(timestamp_ms):
            raise ValueError(f"timestamp_ms={timestamp_ms} is no time: a number of milliseconds")
        if timestamp_ms <= self._time_ms:
            raise ValueError(
                f"a frame at {timestamp_ms:g} ms cannot follow one at {self._time_ms:g} ms: "
                "times have to rise; reset() begins another video"
            )
        self._time_ms = timestamp_ms

    def _follow(self, image: np.ndarray, rois: list[Roi]) -> list[tuple[_Track, Look]]:
        """Those who are still there, at given ROIs or where they were; the others go to the lost ones."""
        looks, pointed = [], set()
        for track in self._tracks:
            given = max(rois, key=lambda roi: roi_overlap(roi, track.roi), default=None)
            if given and roi_overlap(given, track.roi) > _NEAR:
                rois.remove(given)
                track.roi = given
                pointed.add(track.id)
            found = self._look(image, track.roi)
            # Of two tracks that see one person, the one whose place it is keeps them.
            looks.append((roi_overlap(found.next_roi(), track.roi) if found else 0.0, track, found))
        seen: list[tuple[_Track, Look]] = []
        for overlap, track, found in sorted(looks, key=lambda row: -row[0]):
            if found and overlap > _NEAR and not _among(found.next_roi(), seen):
                seen.append((track, found))
            else:
                self._lost.append(track)
        for roi in rois:
            found = self._look(image, roi)
            if not found or _among(found.next_roi(), seen):
                continue
            if len(seen) == self.options.people:
                others = [k for k, (track, _) in enumerate(seen) if track.id not in pointed]
                if not others:
                    break
                del seen[others[-1]]
            track = self._identify(roi)
            pointed.add(track.id)
            seen.append((track, found))
        return seen

    def _welcome(
        self, image: np.ndarray, boxes: list[Roi], detect: bool, seen: list[tuple[_Track, Look]]
    ) -> None:
        """Add those who are new or back, found by boxes or by our own detector."""
        for roi in self._candidates(image, boxes, detect):
            if len(seen) == self.options.people:
                return
            if _among(roi, seen):
                continue
            back = self._known(roi)
            if not back and len(seen) + len(self._lost) >= self.options.people:
                continue  # the place is kept for somebody who may come back
            found = self._look(image, roi)
            if found and boxes:  # a box says neither where the hips are nor what is up
                found = self._look(image, found.next_roi())
            if found and not _among(found.next_roi(), seen):
                seen.append((self._identify(roi), found))

    def _candidates(self, image: np.ndarray, boxes: list[Roi], detect: bool) -> Iterator[Roi]:
        """Where people may be: first where somebody was lost."""
        if detect and self._detector:
            boxes = [person.roi for person in self._detector(image)]
        usable = [roi for roi in boxes if _usable(roi)]
        nearness = [max((roi_overlap(roi, t.roi) for t in self._lost), default=0.0) for roi in usable]
        for k in sorted(range(len(usable)), key=lambda k: -nearness[k]):
            yield usable[k]

    def _look(self, image: np.ndarray, roi: Roi) -> Look | None:
        """What is seen there, if it is a person who can be followed."""
        found = look(self._landmarker, image, roi)
        present = found.pose_presence > self.options.min_presence
        return found if present and _usable(found.next_roi()) else None

    def _known(self, roi: Roi) -> _Track | None:
        """Who was lost there: the longer ago, the farther they may be."""
        nearest = max(self._lost, key=lambda track: roi_overlap(roi, track.roi), default=None)
        if not nearest:
            return None
        passed = min(1.0, (self._time_ms - nearest.seen_ms) / _FAR_AFTER_MS)
        return nearest if roi_overlap(roi, nearest.roi) > _SAME + (_NEAR - _SAME) * passed else None

    def _identify(self, roi: Roi) -> _Track:
        """A track for somebody who appears there: whom we lost there, or somebody new."""
        back = self._known(roi)
        if back:
            self._lost.remove(back)
        else:
            self._next_id += 1
        number = back.id if back else self._next_id - 1
        return _Track(number, roi, self._time_ms, PoseSmoother())

    def _pose(self, image: np.ndarray, track: _Track, found: Look) -> Pose:
        """What the caller gets; and where to look next."""
        height, width = image.shape[:2]
        landmarks, world, track.roi = found.landmarks, found.world, found.next_roi()
        if self.options.video and self.options.smooth:
            smoothed = track.smoother(found, self._time_ms / 1000)
            landmarks, world = smoothed.landmarks, smoothed.world
            track.roi = roi_from_alignment(*smoothed.alignment_px)
        track.seen_ms = self._time_ms
        mask = found.mask(width, height) if self.options.mask else None
        return Pose(track.id, landmarks, world, found.pose_presence, found.roi, mask)


def _usable(roi: Roi) -> bool:
    """Something can be seen through it."""
    return math.isfinite(roi.center_x + roi.center_y + roi.side + roi.rotation_rad) and roi.side > 1


def _among(roi: Roi, seen: list[tuple[_Track, Look]]) -> bool:
    """Somebody who has been seen in this frame is there."""
    return any(roi_overlap(roi, found.next_roi()) > _SAME for _, found in seen)
