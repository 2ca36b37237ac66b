"""How good world landmarks are: MPJPE and PA-MPJPE, in millimetres.

Errors are arrays with NaN where a point is not known, so that any part of them can be averaged.
"""

import numpy as np

from blazepose.topology import LEFT_HIP, RIGHT_HIP

_MM = 1000
_LEAST_POINTS = 3
"""An alignment of fewer points has no error to speak of."""


def joint_errors(predicted: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Distance of each point from its label after both are centred on their own mid-hip.

    Args:
        predicted: (people, 33, 3) metres.
        target: (people, 33, 3) metres, along the same axes; any value where not known.
        known: (people, 33) bool.

    Returns:
        (people, 33) mm, NaN where not known, and for people whose hips are not known.
    """
    hips = [LEFT_HIP, RIGHT_HIP]
    predicted = predicted - predicted[:, hips].mean(axis=1, keepdims=True)
    target = target - target[:, hips].mean(axis=1, keepdims=True)
    return _distances(predicted, target, known & known[:, hips].all(axis=1, keepdims=True))


def aligned_joint_errors(predicted: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Distance of each point from its label after the prediction is moved, turned and scaled onto the label.

    The best fit in least squares of each person's known points. It never mirrors: a network that takes left
    for right has not got the pose. Source: Umeyama 1991, equations 40 to 43.

    Args:
        predicted: (people, 33, 3) metres.
        target: (people, 33, 3) metres; any value where not known.
        known: (people, 33) bool.

    Returns:
        (people, 33) mm, NaN where not known, and for people with fewer than three known points.
    """
    predicted, target = _centred(predicted, known), _centred(target, known)
    u, stretch, vt = np.linalg.svd(predicted.swapaxes(1, 2) @ target)
    proper = np.ones_like(stretch)
    proper[:, 2] = np.sign(np.linalg.det(u @ vt))
    spread = (predicted**2).sum(axis=(1, 2))
    scale = (stretch * proper).sum(axis=1) / np.where(spread > 0, spread, 1)
    aligned = scale[:, None, None] * (predicted @ (u * proper[:, None]) @ vt)
    return _distances(aligned, target, known & (known.sum(axis=1, keepdims=True) >= _LEAST_POINTS))


def mpjpe(errors: np.ndarray) -> float:
    """Mean per joint position error: all known points of joint_errors pooled, mm; NaN if there is none.

    Of aligned_joint_errors it is PA-MPJPE.
    """
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if known.size else float("nan")


def _centred(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Points around the mean of each person's known ones, and 0 for the others."""
    count = known.sum(axis=1).clip(min=1)[:, None, None]
    points = np.where(known[..., None], points, 0)
    return np.where(known[..., None], points - points.sum(axis=1, keepdims=True) / count, 0)


def _distances(predicted: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known, _MM * np.linalg.norm(predicted - target, axis=-1), np.nan)
