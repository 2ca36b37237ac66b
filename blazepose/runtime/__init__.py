"""On-device inference: `PoseTracker` and its parts. numpy, OpenCV and an inference engine, no torch."""

from blazepose.geometry import Roi
from blazepose.runtime.pose import Pose
from blazepose.runtime.tracker import PoseTracker
from blazepose.runtime.tracker_options import TrackerOptions

__all__ = ["Pose", "PoseTracker", "Roi", "TrackerOptions"]
