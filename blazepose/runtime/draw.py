"""Drawing of skeletons on images."""

from collections.abc import Sequence

import cv2
import numpy as np

from blazepose.runtime.pose import Pose
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

Color = tuple[int, int, int]

# Chosen: orange and blue stay apart for color-blind eyes and on skin, grass and sky.
LEFT_COLOR: Color = (255, 138, 0)
RIGHT_COLOR: Color = (40, 160, 255)
MIDDLE_COLOR: Color = (255, 255, 255)
_OUTLINE: Color = (0, 0, 0)

_TINT: Color = (120, 255, 120)
_TINT_ALPHA = 0.35
_MIN_VISIBILITY = 0.5
"""Lowest visibility of a landmark that is drawn."""

_SHIFT = 4
"""OpenCV draws at 1/16 pixel."""


def draw_pose(
    image: np.ndarray,
    landmarks_px: np.ndarray,
    shown: np.ndarray,
    left_color: Color = LEFT_COLOR,
    right_color: Color = RIGHT_COLOR,
    middle_color: Color = MIDDLE_COLOR,
    topology: Topology = FULL_BODY,
) -> np.ndarray:
    """Draw a skeleton on a copy of an image; left and right are the person's own.

    Args:
        image: uint8 RGB (height, width, 3).
        landmarks_px: (landmarks, 2) pixels.
        shown: (landmarks,) bool; an edge needs both its ends.
        left_color: color of the person's left side, RGB.
        right_color: color of the person's right side, RGB.
        middle_color: color of edges that join the sides, and of the nose, RGB.
        topology: the landmarks and their edges.
    """
    canvas = np.ascontiguousarray(image).copy()
    color_of = {"left": left_color, "right": right_color}
    colors = [
        next((color_of[word] for word in name.split("_") if word in color_of), middle_color)
        for name in topology.landmarks
    ]
    drawable = shown & np.isfinite(landmarks_px).all(axis=1)
    # OpenCV's coordinates have 32 bits; clipped points stay far outside.
    fixed = np.rint(np.nan_to_num(landmarks_px).clip(-1e5, 1e5) * (1 << _SHIFT)).astype(int).tolist()
    width = _line_width(landmarks_px[drawable], image.shape)
    edges = [(a, b) for a, b in topology.edges if drawable[a] and drawable[b]]
    for outline in (True, False):  # all outlines first, so that none cuts through another edge
        for a, b in edges:
            color = colors[a] if colors[a] == colors[b] else middle_color
            _line(canvas, fixed[a], fixed[b], _OUTLINE if outline else color, width + 2 * outline)
        for k in np.flatnonzero(drawable):
            _dot(canvas, fixed[k], _OUTLINE if outline else colors[k], width + 0.5 + outline)
    return canvas


def draw_poses(
    image: np.ndarray, poses: Sequence[Pose], supervised: SupervisedOutputs | None = None
) -> np.ndarray:
    """Draw all people on a copy of an image: masks as a tint, visible landmarks and edges, ids.

    Args:
        image: uint8 RGB (height, width, 3).
        poses: people in the image.
        supervised: supervised outputs of the weights; others are left out. None draws all.

    Examples:
        >>> import numpy as np
        >>> from blazepose import Pose, Roi, draw_poses
        >>> landmarks = np.zeros((33, 5))
        >>> landmarks[15] = 60, 20, 0, 1, 1  # the left wrist, visible; all others are not
        >>> pose = Pose(0, landmarks, np.zeros((33, 3)), pose_presence=1.0, roi=Roi(50, 50, 100, 0))
        >>> overlay = draw_poses(np.zeros((100, 100, 3), np.uint8), [pose])
        >>> overlay[20, 60].tolist()  # the left side is orange
        [255, 138, 0]
    """
    canvas = image
    for pose in poses:
        outputs = supervised or SupervisedOutputs.everything(topology=pose.topology)
        if pose.mask is not None and "segmentation" in outputs.outputs:
            canvas = _tint(canvas, pose.mask)
        visible = ~outputs.mask("visibility") | (pose.landmarks[:, 3] >= _MIN_VISIBILITY)
        shown = outputs.mask("landmarks") & visible
        canvas = draw_pose(canvas, pose.landmarks[:, :2], shown, topology=pose.topology)
        if len(poses) > 1:
            _write_id(canvas, pose)
    return canvas


def _tint(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint the person's pixels on a copy of the image."""
    alpha = _TINT_ALPHA * mask[..., None]
    return (image * (1 - alpha) + alpha * np.array(_TINT)).astype(np.uint8)


def _write_id(canvas: np.ndarray, pose: Pose) -> None:
    """Write the id above the head, scaled with the person."""
    x, y = pose.landmarks[:, 0].mean(), pose.landmarks[:, 1].min()
    scale = max(0.5, pose.roi.side / 600)
    origin = (round(float(np.clip(x, 0, canvas.shape[1]))), round(float(np.clip(y, 24 * scale, 1e5))))
    for color, width in ((_OUTLINE, 5), (MIDDLE_COLOR, 2)):
        thickness = max(1, round(width * scale))
        cv2.putText(
            canvas, str(pose.id), origin, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thickness, cv2.LINE_AA
        )


def _line_width(points_px: np.ndarray, shape: tuple[int, ...]) -> int:
    """Return the width of edges, a 120th of the person, so that small people stay visible."""
    extent = np.ptp(points_px, axis=0).max() if len(points_px) else 0
    return max(2, round(min(extent, *shape[:2]) / 120))


def _line(canvas: np.ndarray, start: list[int], end: list[int], color: Color, width: int) -> None:
    cv2.line(canvas, start, end, color, width, cv2.LINE_AA, _SHIFT)


def _dot(canvas: np.ndarray, center: list[int], color: Color, radius: float) -> None:
    cv2.circle(canvas, center, round(radius * (1 << _SHIFT)), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
