"""Train, fine-tune, evaluate and export BlazePose, the 33-landmark body pose model, and track people with it.

The public names are imported when they are used: `import blazepose` alone imports neither torch nor OpenCV.

Examples:
    Track people in a video, and draw them:

    >>> from blazepose import PoseTracker, draw_poses, open_source
    >>> tracker = PoseTracker.load("pose_landmarker_full.task", num_poses=2)
    >>> for frame in open_source("squats.mp4").frames:
    ...     poses = tracker(frame.image, frame.time_ms)
    ...     overlay = draw_poses(frame.image, poses)
    >>> overlay.shape  # height, width, RGB
    (240, 320, 3)
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blazepose.geometry import Roi
    from blazepose.runtime.draw import draw_poses
    from blazepose.runtime.media import open_source
    from blazepose.runtime.pose import Pose
    from blazepose.runtime.tracker import PoseTracker
    from blazepose.topologies.full_body import LANDMARKS
    from blazepose.training.weights import load_model

try:
    __version__ = version("blazepose")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"

__all__ = [
    "LANDMARKS",
    "Pose",
    "PoseTracker",
    "Roi",
    "__version__",
    "draw_poses",
    "load_model",
    "open_source",
]

_MODULES = {
    "LANDMARKS": "topologies.full_body",
    "Pose": "runtime.pose",
    "PoseTracker": "runtime.tracker",
    "Roi": "geometry",
    "draw_poses": "runtime.draw",
    "load_model": "training.weights",
    "open_source": "runtime.media",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"blazepose.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'blazepose' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
