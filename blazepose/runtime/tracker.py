"""Detector and landmark network together: people are detected once, then tracked from frame to frame.

A frame is four steps in a row. The first three are taken twice: for the tracks and the caller's ROIs, then
for new people, because the detector runs only if the tracks leave a place free.

1. Candidates: `Association.propose_tracked` and `propose_new` return the ROIs where people may be.
2. Landmarks: `_landmarks_at` runs the network on a batch of ROIs. Only this and the detector use the image.
3. Association: `Association.resolve` determines which person each result is.
4. Smoothing: `_finish_pose` filters each person's landmarks.

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

from blazepose.decoding import check_decoding, default_decoding
from blazepose.exceptions import InputError
from blazepose.geometry import Roi, roi_from_alignment
from blazepose.runtime.association import Association, Candidate
from blazepose.runtime.engines import Delegate, InferenceEngine, LandmarkEngine
from blazepose.runtime.frames import as_rgb
from blazepose.runtime.landmarker import LandmarkResult, run_landmarker
from blazepose.runtime.person_detector import PersonDetector
from blazepose.runtime.pose import Pose
from blazepose.runtime.roi_inputs import is_valid_roi, parse_rois, rois_from_boxes
from blazepose.runtime.track import Track
from blazepose.runtime.tracker_options import TrackerOptions
from blazepose.topology import Topology

log = logging.getLogger(__name__)

_MIN_INTERVAL_MS = 1.0
"""Shortest interval of a camera's frames; a shorter one means that the caller counts in seconds."""

_DEFAULT_INTERVAL_MS = 1000 / 30
"""Interval of frames without timestamps."""


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
        self._decoding = self.options.decoding or default_decoding(landmarker.metadata)
        check_decoding(self._decoding, landmarker.metadata)
        if detector:
            detector.check_points(landmarker.topology)
        self._landmarker, self._detector, self._warned = landmarker, detector, False
        self.reset()

    @classmethod
    def load(
        cls,
        path: Path | str,
        detector: Path | str | None = None,
        num_threads: int | None = None,
        delegate: Delegate = "cpu",
        **options: Any,
    ) -> "PoseTracker":
        """Load our weights or Google's.

        Args:
            path: `.task` bundle, or landmark network as `.tflite` or `.onnx`.
            detector: file with a pose detector; None takes the bundle's. A landmark network without one
                tracks only people at the caller's ROIs and boxes.
            num_threads: threads of both networks; None takes every core; 1 may be faster if they are busy.
            delegate: "gpu" runs the landmark network on LiteRT's GPU accelerator. The detector stays on the
                CPU: it seldom runs, and Google's is not computed correctly there.
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
        engine = LandmarkEngine(path, num_threads, tracker_options.output_segmentation_masks, delegate)
        return cls(engine, detects, tracker_options)

    @property
    def detects(self) -> bool:
        """Whether it has a detector."""
        return self._detector is not None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the landmark network; empty for foreign weights."""
        return self._landmarker.metadata

    @property
    def topology(self) -> Topology:
        """Landmarks of the network: their names, and the edges of the drawing."""
        return self._landmarker.topology

    def reset(self) -> None:
        """Forget all people, ids and the time, as before another video."""
        self._association = Association(self.options)
        self._shape: tuple[int, ...] = ()

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
        image, user_rois = as_rgb(image), parse_rois(rois)
        box_rois = rois_from_boxes(boxes_xyxy, around_hips=not self.topology.roi.upward_by_head)
        if self.options.running_mode == "image":
            _check_count(len(user_rois or ()) + len(box_rois or ()), self.options.num_poses)
            self.reset()
        time_ms = self._check_time(timestamp_ms)
        if image.shape[:2] != self._shape:  # another image: no track is valid in it
            self._association.clear()
            self._shape = image.shape[:2]

        self._find_people(image, self._association.propose_tracked(user_rois or [], time_ms))
        new_rois = self._new_rois(image, user_rois, box_rois)
        self._find_people(image, self._association.propose_new(new_rois), in_boxes=bool(box_rois))
        poses = [self._finish_pose(person.track, person.result) for person in self._association.tracked]
        return sorted(poses, key=lambda pose: pose.id)

    def _check_time(self, timestamp_ms: float | None) -> float:
        """Return the time of the frame."""
        last_ms = self._association.time_ms
        if timestamp_ms is None:
            timestamp_ms = 0.0 if math.isinf(last_ms) else last_ms + _DEFAULT_INTERVAL_MS
        if not isinstance(timestamp_ms, Real) or not math.isfinite(timestamp_ms):
            raise InputError(f"timestamp_ms={timestamp_ms!r} must be a finite number of milliseconds")
        if timestamp_ms <= last_ms:
            raise InputError(
                f"timestamps must increase (got {timestamp_ms:g} ms after {last_ms:g} ms). "
                "Call reset() before a new video."
            )
        if timestamp_ms - last_ms < _MIN_INTERVAL_MS and not self._warned:
            self._warned = True
            log.warning("frames are %.3g ms apart: are these seconds?", timestamp_ms - last_ms)
        return timestamp_ms

    def _new_rois(
        self, image: np.ndarray, user_rois: list[Roi] | None, box_rois: list[Roi] | None
    ) -> list[Roi]:
        """Return the ROIs of the caller's boxes, or if places are free, those of the detector."""
        rois = box_rois or []
        if user_rois is None and box_rois is None and self._detector and self._association.num_free:
            rois = [detection.roi_for(self.topology) for detection in self._detector(image)]
        return [roi for roi in rois if is_valid_roi(roi)]

    def _find_people(self, image: np.ndarray, candidates: list[Candidate], in_boxes: bool = False) -> None:
        """Run the landmark network on candidates, and associate the results, while places are free.

        Args:
            image: the frame.
            candidates: where people may be; emptied as far as places are free.
            in_boxes: whether the ROIs are of boxes, and have neither the body's center nor a rotation.
        """
        while batch := self._association.take_batch(candidates):
            results = self._landmarks_at(image, batch)
            if in_boxes:
                second = iter(
                    self._landmarks_at(image, [Candidate(result.next_roi()) for result in results if result])
                )
                results = [next(second) if result else None for result in results]
            self._association.resolve(batch, results)

    def _landmarks_at(self, image: np.ndarray, candidates: list[Candidate]) -> list[LandmarkResult | None]:
        """Run the landmark network on candidates; None where there is no person who can be tracked."""
        results = [
            run_landmarker(
                self._landmarker, image, roi, self._decoding, track.landmarks_px if track else None
            )
            for roi, track, _ in candidates
        ]
        return [result if self._is_person(result) else None for result in results]

    def _is_person(self, result: LandmarkResult) -> bool:
        present = result.pose_presence > self.options.min_pose_presence_confidence
        return present and is_valid_roi(result.next_roi())

    def _finish_pose(self, track: Track, result: LandmarkResult) -> Pose:
        """Smooth a result, update its track, and return the pose."""
        height, width = self._shape
        smoothed = track.smoother(result, self._association.time_ms / 1000)
        track.landmarks_px = result.landmarks[:, :2]
        center, circle = smoothed.alignment_px
        roi = roi_from_alignment(center, circle, self.topology.roi.expansion)
        track.update(roi, self._association.time_ms)
        return Pose(
            id=track.id,
            landmarks=smoothed.landmarks,
            world=smoothed.world,
            pose_presence=result.pose_presence,
            roi=result.roi,
            mask=result.mask(width, height) if self.options.output_segmentation_masks else None,
            topology=self.topology,
        )


def _check_count(num_given: int, num_poses: int) -> None:
    """Refuse more ROIs and boxes for one image than people to return."""
    if num_given > num_poses:
        raise InputError(
            f"got {num_given} ROIs and boxes but num_poses={num_poses}; set num_poses={num_given}"
        )
