"""Labelled pictures made on the spot: stick figures in LSP Extended's layout."""

from pathlib import Path

import cv2
import numpy as np
import scipy.io

from blazepose.skeletons import LSP14_NAMES

# Upright and facing the camera, head up, in units of the figure's height; the person's right is on the
# left of the picture. LSP order.
_FIGURE = {
    "right_ankle": (-0.10, 0.95),
    "right_knee": (-0.10, 0.75),
    "right_hip": (-0.08, 0.53),
    "left_hip": (0.08, 0.53),
    "left_knee": (0.10, 0.75),
    "left_ankle": (0.10, 0.95),
    "right_wrist": (-0.28, 0.50),
    "right_elbow": (-0.22, 0.37),
    "right_shoulder": (-0.13, 0.22),
    "left_shoulder": (0.13, 0.22),
    "left_elbow": (0.22, 0.37),
    "left_wrist": (0.28, 0.50),
    "neck": (0.0, 0.18),
    "head_top": (0.0, 0.02),
}


def stick_figure(rng: np.random.Generator, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """A picture (size, size, 3) uint8 of a randomly placed stick figure, and its LSP keypoints (14, 2)."""
    unit = np.array([_FIGURE[name] for name in LSP14_NAMES])
    unit = unit + rng.normal(0, 0.02, unit.shape)
    points = (unit - [0, 0.5]) * size * rng.uniform(0.6, 0.85) + size / 2 + rng.uniform(-6, 6, 2)
    image = np.full((size, size, 3), rng.integers(0, 90, 3), np.uint8)
    for chain, color in (
        ((0, 1, 2), 210),
        ((3, 4, 5), 150),
        ((6, 7, 8), 230),
        ((9, 10, 11), 170),
        ((2, 8, 9, 3), 255),
    ):
        cv2.polylines(image, [np.rint(points[list(chain)]).astype(np.int32)], False, (color,) * 3, 4)
    cv2.circle(image, np.rint(points[12:].mean(axis=0)).astype(int).tolist(), size // 16, (255, 220, 180), -1)
    return image, points


def write_lsp(folder: Path, people: int, seed: int = 0) -> Path:
    """A data set of stick figures in LSP Extended's layout."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    joints = np.ones((14, 3, people))
    for i in range(people):
        image, points = stick_figure(rng)
        cv2.imwrite(str(folder / "images" / f"im{i + 1:05d}.jpg"), image)
        joints[:, :2, i] = points
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    return folder
