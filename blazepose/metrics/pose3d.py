"""Metrics of world landmarks: MPJPE and PA-MPJPE in millimeters, bone asymmetry, stature.

Errors are arrays with NaN at invalid points, so that any subset can be averaged.
"""

import numpy as np

from blazepose.topologies import FULL_BODY
from blazepose.topology import HIPS, SHOULDERS, Topology

_MM = 1000
_LEAST_POINTS = 3
"""Fewest points for an alignment; fewer fit almost perfectly."""


def joint_errors(
    predicted: np.ndarray, target: np.ndarray, valid: np.ndarray, topology: Topology = FULL_BODY
) -> np.ndarray:
    """Compute the distance of each point from its label after centering both on their own mid-hip.

    Args:
        predicted: (people, landmarks, 3) meters.
        target: (people, landmarks, 3) meters, along the same axes; any value where invalid.
        valid: (people, landmarks) bool.
        topology: the landmarks.

    Returns:
        (people, landmarks) mm, NaN where invalid, and for people with an invalid hip.

    Examples:
        >>> import numpy as np
        >>> from blazepose.metrics.pose3d import joint_errors
        >>> label = np.zeros((1, 33, 3))
        >>> predicted = label.copy()
        >>> predicted[0, 0] = 0.05, 0, 0  # the nose is 5 cm off
        >>> errors = joint_errors(predicted, label, np.full((1, 33), True))
        >>> errors[0, 0].item(), round(errors.mean().item(), 1)  # mm; MPJPE is the mean of all points
        (50.0, 1.5)
    """
    hips = topology.indices(HIPS)
    predicted = predicted - predicted[:, hips].mean(axis=1, keepdims=True)
    target = target - target[:, hips].mean(axis=1, keepdims=True)
    return _distances(predicted, target, valid & valid[:, hips].all(axis=1, keepdims=True))


def aligned_joint_errors(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Compute the distance of each point from its label after Procrustes alignment.

    The alignment is the least-squares similarity transform of each person's valid points, without reflection:
    swapped sides remain errors. Source: Umeyama 1991, equations 40 to 43.

    Args:
        predicted: (people, points, 3) meters.
        target: (people, points, 3) meters; any value where invalid.
        valid: (people, points) bool.

    Returns:
        (people, points) mm, NaN where invalid, and for people with fewer than three valid points.
    """
    predicted, target = _center(predicted, valid), _center(target, valid)
    u, stretch, vt = np.linalg.svd(predicted.swapaxes(1, 2) @ target)
    proper = np.ones_like(stretch)
    proper[:, 2] = np.sign(np.linalg.det(u @ vt))
    spread = (predicted**2).sum(axis=(1, 2))
    scale = (stretch * proper).sum(axis=1) / np.where(spread > 0, spread, 1)
    aligned = scale[:, None, None] * (predicted @ (u * proper[:, None]) @ vt)
    return _distances(aligned, target, valid & (valid.sum(axis=1, keepdims=True) >= _LEAST_POINTS))


def _center(points: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Subtract the mean of each person's valid points; invalid points become 0."""
    count = valid.sum(axis=1).clip(min=1)[:, None, None]
    points = np.where(valid[..., None], points, 0)
    return np.where(valid[..., None], points - points.sum(axis=1, keepdims=True) / count, 0)


def _distances(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return np.where(valid, _MM * np.linalg.norm(predicted - target, axis=-1), np.nan)


_BONES = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))


def bone_asymmetry(world: np.ndarray, topology: Topology = FULL_BODY) -> np.ndarray:
    """Compute the difference of a person's left and right bones, per cent of their mean length.

    Args:
        world: (people, landmarks, 3) meters.
        topology: the landmarks.

    Returns:
        (people, 4) for upper arm, forearm, thigh and shin; NaN with a NaN point, for bones of zero length
        and those that the topology lacks.
    """
    left, right = np.stack([_bone_lengths(world, a, b, topology) for a, b in _BONES], axis=2)
    both = left + right
    return 200 * np.abs(left - right) / np.where(both > 0, both, np.nan)


def stature(world: np.ndarray, topology: Topology = FULL_BODY) -> np.ndarray:
    """Compute the height of people from heel to nose, whatever the pose, (people,) meters.

    It is the length of the chain nose, mid-shoulder, mid-hip, knee, ankle and heel, averaged over both legs.

    Args:
        world: (people, landmarks, 3) meters; NaN at invalid points.
        topology: the landmarks; NaN for one without feet.
    """
    mid_shoulder, mid_hip = (world[:, topology.indices(names)].mean(axis=1) for names in (SHOULDERS, HIPS))
    trunk = np.linalg.norm(world[:, topology.index["nose"]] - mid_shoulder, axis=1)
    trunk += np.linalg.norm(mid_shoulder - mid_hip, axis=1)
    legs = (("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"))
    return trunk + sum(_bone_lengths(world, a, b, topology).mean(axis=0) for a, b in legs)


def _bone_lengths(world: np.ndarray, a: str, b: str, topology: Topology) -> np.ndarray:
    """Compute the lengths of left and right bone between joints, (2, people) meters; NaN without them."""
    bones = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")]
    if not {name for bone in bones for name in bone} <= set(topology.landmarks):
        return np.full((2, len(world)), np.nan)
    ends = np.array([topology.indices(bone) for bone in bones])
    return np.linalg.norm(world[:, ends[:, 0]] - world[:, ends[:, 1]], axis=2).T
