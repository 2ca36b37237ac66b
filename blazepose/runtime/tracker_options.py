"""Options of `PoseTracker`, named as in MediaPipe's `PoseLandmarkerOptions`."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from blazepose.anchors import DEFAULT_MIN_SCORE
from blazepose.decoding import DECODINGS, Decoding
from blazepose.exceptions import InputError


@dataclass(frozen=True)
class TrackerOptions:
    """Number of people, running mode, thresholds and outputs of a tracker.

    Attributes:
        num_poses: maximum number of people.
        running_mode: "video" (frames in order of time) or "image" (each image by itself).
        smooth_landmarks: smooth landmarks, world landmarks, visibility and the ROIs over time.
        output_segmentation_masks: return masks, too.
        min_pose_detection_confidence: lowest score of a detection, 0..1.
        min_pose_presence_confidence: pose presence above which a person is tracked, 0..1.
        max_lost_ms: time for which the place of a lost person is kept; no other person takes it meanwhile.
        decoding: how to compute x and y (decode.Decoding); None takes what the weights were made for.

    Raises:
        ValueError: if an option is of another type or out of range; names it.
    """

    num_poses: int = 1
    running_mode: str = "video"
    smooth_landmarks: bool = True
    output_segmentation_masks: bool = False
    min_pose_detection_confidence: float = DEFAULT_MIN_SCORE
    min_pose_presence_confidence: float = 0.5
    max_lost_ms: float = 1000.0
    decoding: Decoding | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.num_poses, Integral) or self.num_poses < 1:
            raise InputError(f"num_poses={self.num_poses!r} must be a whole number from 1 up")
        if self.running_mode not in ("image", "video"):
            raise InputError(f'running_mode={self.running_mode!r} must be "image" or "video"')
        for name in ("smooth_landmarks", "output_segmentation_masks"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}={getattr(self, name)!r} must be True or False")
        for name in ("min_pose_detection_confidence", "min_pose_presence_confidence"):
            if not _in_range(getattr(self, name), 1):
                raise InputError(f"{name}={getattr(self, name)!r} must be a number from 0 to 1")
        if not _in_range(self.max_lost_ms, math.inf) or math.isinf(self.max_lost_ms):
            raise InputError(f"max_lost_ms={self.max_lost_ms!r} must be a finite number from 0 up")
        if self.decoding not in (None, *DECODINGS):
            raise InputError(f"decoding={self.decoding!r} must be None or one of {', '.join(DECODINGS)}")


def _in_range(value: object, highest: float) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= highest
