"""Our tracker as a function of a frame, as evaluation.mediapipe_runtime has MediaPipe's."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.evaluation.mediapipe_runtime import Runner
from blazepose.runtime.tracker import PoseTracker


def our_runner(bundle: Path, **options: Any) -> Runner:
    """Create a runner of our tracker, with options of TrackerOptions."""
    tracker = PoseTracker.load(bundle, **options)

    def run(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        poses = tracker(frame, time_ms)
        return poses[0].landmarks[:, :2] if poses else None

    return run


def has_mediapipe() -> bool:
    """Return whether MediaPipe is installed."""
    return find_spec("mediapipe") is not None
