"""Skeletons drawn on pictures."""

from collections.abc import Collection, Mapping, Sequence

import cv2
import numpy as np

from blazepose.runtime.pose import Pose
from blazepose.topology import EDGES, LANDMARKS

Color = tuple[int, int, int]

# Chosen: orange and blue stay apart for colour-blind eyes and on skin, grass and sky.
LEFT_COLOR: Color = (255, 138, 0)
RIGHT_COLOR: Color = (40, 160, 255)
MIDDLE_COLOR: Color = (255, 255, 255)
_OUTLINE: Color = (0, 0, 0)

_TINT: Color = (120, 255, 120)
_TINT_SHARE = 0.35
_SEEN_FROM = 0.5
"""Visibility of what is drawn."""

_SHIFT = 4
"""OpenCV draws at 1/16 pixel."""

_SIDES = [next((word for word in name.split("_") if word in ("left", "right")), "") for name in LANDMARKS]


def draw_pose(
    image: np.ndarray,
    landmarks_px: np.ndarray,
    shown: np.ndarray,
    left_color: Color = LEFT_COLOR,
    right_color: Color = RIGHT_COLOR,
    middle_color: Color = MIDDLE_COLOR,
) -> np.ndarray:
    """A copy of the picture with the skeleton on it; left and right are the person's own.

    Args:
        image: uint8 RGB (height, width, 3).
        landmarks_px: (33, 2) pixels.
        shown: (33,) bool; an edge needs both its ends.
        left_color: of the person's left side, RGB.
        right_color: of the person's right side, RGB.
        middle_color: of edges that join the sides, and of the nose, RGB.
    """
    canvas = np.ascontiguousarray(image).copy()
    colors = [{"left": left_color, "right": right_color}.get(side, middle_color) for side in _SIDES]
    drawable = shown & np.isfinite(landmarks_px).all(axis=1)
    # OpenCV counts in 32 bits: points far outside stay far outside.
    fixed = np.rint(np.nan_to_num(landmarks_px).clip(-1e5, 1e5) * (1 << _SHIFT)).astype(int).tolist()
    width = _line_width(landmarks_px[drawable], image.shape)
    edges = [(a, b) for a, b in EDGES if drawable[a] and drawable[b]]
    for outline in (True, False):  # all outlines first, so that none cuts through another bone
        for a, b in edges:
            color = colors[a] if colors[a] == colors[b] else middle_color
            _line(canvas, fixed[a], fixed[b], _OUTLINE if outline else color, width + 2 * outline)
        for k in np.flatnonzero(drawable):
            _dot(canvas, fixed[k], _OUTLINE if outline else colors[k], width + 0.5 + outline)
    return canvas


def draw_poses(
    image: np.ndarray, poses: Sequence[Pose], trained: Mapping[str, Collection[str]] | None = None
) -> np.ndarray:
    """A copy of the picture with everybody on it: masks as a tint, what is seen of the skeletons, ids.

    Args:
        image: uint8 RGB (height, width, 3).
        poses: people in it.
        trained: what the weights say they learned, {"landmarks": names, "visibility": names, "outputs":
            names}; the rest is left out. None draws all.
    """
    known = np.isin(LANDMARKS, LANDMARKS if trained is None else list(trained["landmarks"]))
    tells = np.isin(LANDMARKS, LANDMARKS if trained is None else list(trained["visibility"]))
    masks = trained is None or "segmentation" in trained.get("outputs", ())
    canvas = image
    for pose in poses:
        if pose.mask is not None and masks:
            canvas = _tint(canvas, pose.mask)
        seen = ~tells | (pose.landmarks[:, 3] >= _SEEN_FROM)
        canvas = draw_pose(canvas, pose.landmarks[:, :2], known & seen)
        if len(poses) > 1:
            _write_id(canvas, pose)
    return canvas


def _tint(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A copy with the person in another light."""
    share = _TINT_SHARE * mask[..., None]
    return (image * (1 - share) + share * np.array(_TINT)).astype(np.uint8)


def _write_id(canvas: np.ndarray, pose: Pose) -> None:
    """The id above the head, as large as the person."""
    x, y = pose.landmarks[:, 0].mean(), pose.landmarks[:, 1].min()
    scale = max(0.5, pose.roi.side / 600)
    place = (round(float(np.clip(x, 0, canvas.shape[1]))), round(float(np.clip(y, 24 * scale, 1e5))))
    for color, width in ((_OUTLINE, 5), (MIDDLE_COLOR, 2)):
        thickness = max(1, round(width * scale))
        cv2.putText(
            canvas, str(pose.id), place, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thickness, cv2.LINE_AA
        )


def _line_width(points_px: np.ndarray, shape: tuple[int, ...]) -> int:
    """Bones as wide as a 120th of the person, so that small people stay visible."""
    extent = np.ptp(points_px, axis=0).max() if len(points_px) else 0
    return max(2, round(min(extent, *shape[:2]) / 120))


def _line(canvas: np.ndarray, start: list[int], end: list[int], color: Color, width: int) -> None:
    cv2.line(canvas, start, end, color, width, cv2.LINE_AA, _SHIFT)


def _dot(canvas: np.ndarray, center: list[int], color: Color, radius: float) -> None:
    cv2.circle(canvas, center, round(radius * (1 << _SHIFT)), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
