"""How often left is taken for right."""

import numpy as np

from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.topology import MIRROR, NUM_LANDMARKS

PAIRS = np.array([(k, int(MIRROR[k])) for k in range(NUM_LANDMARKS) if MIRROR[k] > k])
"""Landmarks that have another side, (16, 2)."""


def swapped_pairs(
    predicted: np.ndarray, target: np.ndarray, counted: np.ndarray, torso: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs in which each side is predicted nearer to the other's label than to its own.

    Only pairs whose labels are so far apart that taking one for the other is an error by PCK@0.2 count.

    Args:
        predicted: (people, 33, 2); NaN, as of who was not found, does not count.
        target: (people, 33, 2), in the same unit.
        counted: (people, 33) bool.
        torso: (people,), in the same unit.

    Returns:
        swapped and counted pairs, both bool (people, 16), in the order of PAIRS.
    """
    left, right = PAIRS.T
    apart = np.linalg.norm(target[:, left] - target[:, right], axis=2)
    told = counted & np.isfinite(predicted).all(axis=2)
    known = told[:, left] & told[:, right] & (apart >= PCK_THRESHOLD * torso[:, None])
    swapped = known.copy()
    for own, other in ((left, right), (right, left)):
        to_own, to_other = (
            np.linalg.norm(predicted[:, own] - target[:, side], axis=2) for side in (own, other)
        )
        swapped &= to_other < to_own
    return swapped, known
