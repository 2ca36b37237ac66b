"""Output of the runtime for one person."""

from dataclasses import dataclass

import numpy as np

from blazepose.geometry import Roi
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


@dataclass(frozen=True, eq=False)
class Pose:
    """A person in a frame.

    Attributes:
        id: number of the person, stable across frames.
        landmarks: (landmarks, 5) x_px, y_px, z (pixels on the scale of x, origin at the hips, negative
            towards the camera), visibility and presence in 0..1; topology.landmarks has the names, for
            MediaPipe's 33 also blazepose.LANDMARKS.
        world: (landmarks, 3) meters, hip-centered, along the axes of the image; None from a network without.
        pose_presence: probability of a person in the ROI, 0..1.
        roi: the ROI that the landmark network ran on.
        mask: float32 (height, width), probability that a pixel shows the person; None unless requested.
        topology: the landmarks, their names and edges.

    Examples:
        >>> import numpy as np
        >>> from blazepose import LANDMARKS, Pose, Roi
        >>> landmarks = np.zeros((33, 5))
        >>> landmarks[LANDMARKS.index("left_wrist")] = 310, 170, -40, 0.9, 1
        >>> pose = Pose(0, landmarks, world=np.zeros((33, 3)), pose_presence=0.98, roi=Roi(300, 200, 250, 0))
        >>> x, y, z, visibility, presence = pose.landmarks[LANDMARKS.index("left_wrist")].tolist()
        >>> x, y, visibility
        (310.0, 170.0, 0.9)
    """

    id: int
    landmarks: np.ndarray
    world: np.ndarray | None
    pose_presence: float
    roi: Roi
    mask: np.ndarray | None = None
    topology: Topology = FULL_BODY
