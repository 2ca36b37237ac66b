"""Values of points, and which of them count: the form of every metric that is a mean."""

from typing import NamedTuple

import numpy as np


class PointValues(NamedTuple):
    """Values of points, or of other things that people have: pairs of landmarks, bones, a mask.

    Attributes:
        values: (people, points) values, or bool for correct and wrong; any value where not counted.
        counted: (people, points) bool, the scored points.
    """

    values: np.ndarray
    counted: np.ndarray

    def mean(self) -> float:
        """Compute the mean of the counted values, pooled over people; NaN if there is none."""
        return float(self.values[self.counted].mean()) if self.counted.any() else float("nan")

    def per_person(self) -> "PersonScores":
        """Sum the counted values of each person."""
        return PersonScores(np.where(self.counted, self.values, 0).sum(axis=1), self.counted.sum(axis=1))


class PersonScores(NamedTuple):
    """Correct points of each person.

    Attributes:
        correct: (people,) number of correct points.
        counted: (people,) number of scored points.
    """

    correct: np.ndarray
    counted: np.ndarray

    @property
    def has_points(self) -> np.ndarray:
        """Mask of the people with scored points, bool (people,)."""
        return self.counted > 0

    def shares(self, rows: np.ndarray) -> np.ndarray:
        """Return the share of correct points, 0..1, of those of the given people with scored points."""
        rows = rows[self.has_points[rows]]
        return self.correct[rows] / self.counted[rows]


def finite_values(values: np.ndarray, counted: np.ndarray | bool = True) -> PointValues:
    """Count the finite values: errors of missed people are infinite, invalid ones are NaN."""
    return PointValues(values, np.isfinite(values) & counted)
