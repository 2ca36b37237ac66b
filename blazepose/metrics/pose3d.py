"""How good world landmarks are: MPJPE and PA-MPJPE, in millimetres.

Errors are arrays with NaN where a point is not known, so that any part of them can be averaged.
"""

import numpy as np

from blazepose.topology import INDEX, LEFT_HIP, RIGHT_HIP

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


_BONES = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))


def bone_asymmetry(world: np.ndarray) -> np.ndarray:
    """How unlike a person's left and right bones are, per cent of their mean length.

    Args:
        world: (people, 33, 3) metres.

    Returns:
        (people, 4) of upper arm, forearm, thigh and shin; NaN where a point is, or if bones have no length.
    """
    left, right = np.stack([_bone_lengths(world, a, b) for a, b in _BONES], axis=2)
    both = left + right
    return 200 * np.abs(left - right) / np.where(both > 0, both, np.nan)


def stature(world: np.ndarray) -> np.ndarray:
    """How tall a person is in whatever pose, less what is above the nose, (people,) metres.

    The chain from nose to mid-shoulder, mid-hip, knee, ankle and heel; of the legs, the mean of both.

    Args:
        world: (people, 33, 3) metres; NaN where a point is not known.
    """
    mid_shoulder, mid_hip = (
        world[:, [INDEX[f"{side}_{part}"] for side in ("left", "right")]].mean(axis=1)
        for part in ("shoulder", "hip")
    )
    trunk = np.linalg.norm(world[:, INDEX["nose"]] - mid_shoulder, axis=1)
    trunk += np.linalg.norm(mid_shoulder - mid_hip, axis=1)
    legs = (("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"))
    return trunk + sum(_bone_lengths(world, a, b).mean(axis=0) for a, b in legs)


def _bone_lengths(world: np.ndarray, a: str, b: str) -> np.ndarray:
    """Of the left and the right bone between two joints, (2, people) metres."""
    return np.stack(
        [
            np.linalg.norm(world[:, INDEX[f"{side}_{a}"]] - world[:, INDEX[f"{side}_{b}"]], axis=1)
            for side in ("left", "right")
        ]
    )
