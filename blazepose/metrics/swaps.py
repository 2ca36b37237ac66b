"""Left/right swaps."""

import numpy as np

from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.topologies.full_body import MIRROR, NUM_LANDMARKS

PAIRS = np.array([(k, int(MIRROR[k])) for k in range(NUM_LANDMARKS) if MIRROR[k] > k])
"""Pairs of left and right landmarks, (16, 2)."""


def swapped_pairs(
    predicted: np.ndarray, target: np.ndarray, counted: np.ndarray, torso: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs in which each side is predicted nearer to the other side's label than to its own.

    Only pairs whose labels are at least PCK_THRESHOLD torso sizes apart are scored.

    Args:
        predicted: (people, 33, 2); NaN, as for missed people, is not scored.
        target: (people, 33, 2), in the same unit.
        counted: (people, 33) bool.
        torso: (people,), in the same unit.

    Returns:
        swapped and scored pairs, both bool (people, 16), in the order of PAIRS.
    """
    left, right = PAIRS.T
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
