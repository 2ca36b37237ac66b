"""Left/right swaps."""

import numpy as np

from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


def left_right_pairs(topology: Topology = FULL_BODY) -> np.ndarray:
    """Return the pairs of left and right landmarks, (pairs, 2)."""
    mirror = topology.mirror[: topology.num_landmarks]
    return np.array([(k, other) for k, other in enumerate(mirror.tolist()) if other > k])


def swapped_pairs(
    predicted: np.ndarray,
    target: np.ndarray,
    counted: np.ndarray,
    torso: np.ndarray,
    topology: Topology = FULL_BODY,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs in which each side is predicted nearer to the other side's label than to its own.

    Only pairs whose labels are at least PCK_THRESHOLD torso sizes apart are scored.

    Args:
        predicted: (people, landmarks, 2); NaN, as for missed people, is not scored.
        target: (people, landmarks, 2), in the same unit.
        counted: (people, landmarks) bool.
        torso: (people,), in the same unit.
        topology: the landmarks.

    Returns:
        swapped and scored pairs, both bool (people, pairs), in the order of left_right_pairs.
    """
    left, right = left_right_pairs(topology).T
    distance = np.linalg.norm(target[:, left] - target[:, right], axis=2)
    valid = counted & np.isfinite(predicted).all(axis=2)
    scored = valid[:, left] & valid[:, right] & (distance >= PCK_THRESHOLD * torso[:, None])
    swapped = scored.copy()
    for own, other in ((left, right), (right, left)):
        to_own, to_other = (
            np.linalg.norm(predicted[:, own] - target[:, side], axis=2) for side in (own, other)
        )
        swapped &= to_other < to_own
    return swapped, scored
