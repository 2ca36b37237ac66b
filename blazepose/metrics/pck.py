"""Torso sizes, errors in torso sizes, and PCK in per cent; NaN without scored points.

Source of the definitions: interface.md, Definitions.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from blazepose.exceptions import InputError
from blazepose.topologies.full_body import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER, TORSO

PCK_THRESHOLD = 0.2
"""Error threshold in torso sizes. Source: paper 3, PCK@0.2."""

CURVE_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 11))


class Torso(NamedTuple):
    """A definition of torso size.

    Attributes:
        text: description for reports.
        needs: required landmarks.
        size: function from points (people, 33, 2) to sizes (people,).
    """

    text: str
    needs: tuple[int, ...]
    size: Callable[[np.ndarray], np.ndarray]


def _distance(points: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.linalg.norm(points[:, a] - points[:, b], axis=1)


def _across(points: np.ndarray) -> np.ndarray:
    return _distance(points, LEFT_SHOULDER, RIGHT_HIP)


def _diagonals(points: np.ndarray) -> np.ndarray:
    return (_across(points) + _distance(points, RIGHT_SHOULDER, LEFT_HIP)) / 2


def _midline(points: np.ndarray) -> np.ndarray:
    shoulders = (points[:, LEFT_SHOULDER] + points[:, RIGHT_SHOULDER]) / 2
    hips = (points[:, LEFT_HIP] + points[:, RIGHT_HIP]) / 2
    return np.linalg.norm(shoulders - hips, axis=1)


TORSOS: Mapping[str, Torso] = {
    "across": Torso("left shoulder to right hip", (LEFT_SHOULDER, RIGHT_HIP), _across),
    "diagonals": Torso("mean of both diagonals from shoulder to hip", TORSO, _diagonals),
    "midline": Torso("mid-shoulder to mid-hip", TORSO, _midline),
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


def torso_size(points: np.ndarray, labelled: np.ndarray, torso: str = "across") -> np.ndarray:
    """Compute the torso size of each person.

    Args:
        points: (people, 33, 2), labels in pixels or any other isotropic unit.
        labelled: (people, 33) bool.
        torso: key of TORSOS.

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
    definition = torso_definition(torso)
    return np.where(labelled[:, list(definition.needs)].all(axis=1), definition.size(points), np.nan)


def normalized_errors(predicted: np.ndarray, target: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Compute the distance of each prediction from its label, in torso sizes.

    Args:
        predicted: (people, 33, 2).
        target: (people, 33, 2), in the same unit.
        torso: (people,), in the same unit, positive.

    Returns:
        (people, 33).

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
