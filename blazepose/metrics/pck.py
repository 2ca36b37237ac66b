"""Torso sizes, errors in torso sizes, and PCK in per cent; NaN without scored points.

Source of the definitions: interface.md, Definitions.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topology import HIPS, SHOULDERS, Topology

PCK_THRESHOLD = 0.2
"""Error threshold in torso sizes. Source: paper 3, PCK@0.2."""

CURVE_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 11))


class Torso(NamedTuple):
    """A definition of torso size.

    Attributes:
        text: description for reports.
        needs: names of the required landmarks.
        size: function from the points of left and right shoulder, left and right hip, (people, 2) each, to
            sizes (people,).
        shoulder_widths: the size in shoulder widths, for people without labelled hips.
    """

    text: str
    needs: tuple[str, ...]
    size: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    shoulder_widths: float


Points = np.ndarray


def _distance(a: Points, b: Points) -> np.ndarray:
    return np.linalg.norm(a - b, axis=1)


def _across(left_shoulder: Points, right_shoulder: Points, left_hip: Points, right_hip: Points) -> np.ndarray:
    return _distance(left_shoulder, right_hip)


def _diagonals(
    left_shoulder: Points, right_shoulder: Points, left_hip: Points, right_hip: Points
) -> np.ndarray:
    return (_distance(left_shoulder, right_hip) + _distance(right_shoulder, left_hip)) / 2


def _midline(
    left_shoulder: Points, right_shoulder: Points, left_hip: Points, right_hip: Points
) -> np.ndarray:
    return _distance((left_shoulder + right_shoulder) / 2, (left_hip + right_hip) / 2)


# Shoulder widths: medians of 4,347 people of lspet_train, by benchmarks/torso_sizes.py lsp:data/lspet_train;
# quartiles across 1.42 and 2.29, of the diagonals 1.45 and 2.28, of the midline 1.18 and 2.09.
TORSOS: Mapping[str, Torso] = {
    "across": Torso("left shoulder to right hip", (SHOULDERS[0], HIPS[1]), _across, 1.81),
    "diagonals": Torso("mean of both diagonals from shoulder to hip", (*SHOULDERS, *HIPS), _diagonals, 1.80),
    "midline": Torso("mid-shoulder to mid-hip", (*SHOULDERS, *HIPS), _midline, 1.57),
}
"""Definitions of torso size; `across` is the default."""


def torso_definition(name: str) -> Torso:
    """Return a torso definition by name.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in TORSOS:
        raise InputError(f"torso={name} is unknown; torso is one of {', '.join(TORSOS)}")
    return TORSOS[name]


def torso_size(
    points: np.ndarray, labelled: np.ndarray, torso: str = "across", topology: Topology = FULL_BODY
) -> np.ndarray:
    """Compute the torso size of each person.

    Where the topology's crop does not need the hips, people without labelled hips get a multiple of their
    shoulder width.

    Args:
        points: (people, landmarks, 2), labels in pixels or any other isotropic unit.
        labelled: (people, landmarks) bool.
        torso: key of TORSOS.
        topology: the landmarks.

    Returns:
        (people,), in the unit of the points; NaN where a required landmark is not labelled.

    Examples:
        >>> import numpy as np
        >>> from blazepose.metrics.pck import torso_size
        >>> from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_HIP
        >>> points, labelled = np.zeros((1, 33, 2)), np.full((1, 33), True)
        >>> points[0, LEFT_SHOULDER], points[0, RIGHT_HIP] = (130, 60), (100, 100)
        >>> torso_size(points, labelled)  # the diagonal of 30 x 40 pixels
        array([50.])
    """
    definition, corners = torso_definition(torso), points[:, topology.indices((*SHOULDERS, *HIPS))]
    sizes = np.where(has_torso(labelled, torso, topology), definition.size(*corners.swapaxes(0, 1)), np.nan)
    if not topology.roi.upward_by_head:
        return sizes
    widths = np.where(
        labelled[:, topology.indices(SHOULDERS)].all(axis=1), _distance(corners[:, 0], corners[:, 1]), np.nan
    )
    return np.where(np.isnan(sizes), definition.shoulder_widths * widths, sizes)


def has_torso(labelled: np.ndarray, torso: str = "across", topology: Topology = FULL_BODY) -> np.ndarray:
    """Return whose torso is labelled, bool (people,); the size of the others comes from their shoulders.

    Arguments as of torso_size.
    """
    return np.all(labelled[:, topology.indices(torso_definition(torso).needs)], axis=1)


def normalized_errors(predicted: np.ndarray, target: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Compute the distance of each prediction from its label, in torso sizes.

    Args:
        predicted: (people, landmarks, 2).
        target: (people, landmarks, 2), in the same unit.
        torso: (people,), in the same unit, positive.

    Returns:
        (people, landmarks).

    Examples:
        >>> import numpy as np
        >>> from blazepose.metrics.pck import normalized_errors
        >>> label = np.zeros((1, 33, 2))
        >>> errors = normalized_errors(label + [3, 4], label, torso=np.array([50.0]))  # 5 px of 50
        >>> errors.shape, errors[0, 0].item()
        ((1, 33), 0.1)
    """
    return np.linalg.norm(predicted - target, axis=-1) / torso[:, None]


def pck(errors: np.ndarray, labelled: np.ndarray, threshold: float = PCK_THRESHOLD) -> float:
    """Compute the share of labelled points with an error below `threshold` torso sizes.

    Args:
        errors: (...), normalized_errors.
        labelled: (...) bool, the scored points.
        threshold: in torso sizes.

    Examples:
        >>> import numpy as np
        >>> from blazepose.metrics.pck import pck
        >>> errors = np.array([[0.05, 0.1, 0.3, 9.0]])  # torso sizes
        >>> labelled = np.array([[True, True, True, False]])
        >>> round(pck(errors, labelled), 1)  # two of three labelled points are within 0.2
        66.7
    """
    return percent(errors < threshold, labelled)


def pck_curve(errors: np.ndarray, labelled: np.ndarray) -> dict[float, float]:
    """Compute the PCK at each of CURVE_THRESHOLDS."""
    return {threshold: pck(errors, labelled, threshold) for threshold in CURVE_THRESHOLDS}


def pck_auc(curve: Mapping[float, float]) -> float:
    """Compute the normalized area under a PCK curve (trapezoids)."""
    thresholds = list(curve)
    return float(np.trapezoid(list(curve.values()), thresholds)) / (thresholds[-1] - thresholds[0])


def percent(values: np.ndarray, counted: np.ndarray) -> float:
    """Compute the mean of the counted values, in per cent; NaN if there is none."""
    return 100 * float(values[counted].mean()) if counted.any() else float("nan")
