"""What the runtime says of a person."""

from dataclasses import dataclass

import numpy as np

from blazepose.geometry import Roi


@dataclass(frozen=True, eq=False)
class Pose:
    """A person in a frame.

    Attributes:
        id: the same for the same person in every frame.
        landmarks: (33, 5) x_px, y_px, z (pixels on the scale of x, origin at the hips, negative towards the
            camera), visibility and presence in 0..1; topology.LANDMARKS has the names.
        world: (33, 3) metres, hip-centred, along the axes of the picture.
        pose_presence: 0..1, whether there is a person in the ROI.
        roi: that the landmark network looked through.
        mask: float32 (height, width), how sure it is that a pixel shows the person; None unless asked for.
    """

    id: int
    landmarks: np.ndarray
    world: np.ndarray
    pose_presence: float
    roi: Roi
    mask: np.ndarray | None = None
