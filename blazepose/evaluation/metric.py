"""A metric of an evaluation: its name, its meaning, and how it is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from blazepose.evaluation.numbers import number
from blazepose.evaluation.score import ScoredPeople
from blazepose.metrics.points import PointValues

Place = Literal["overall", "landmark", "part", "group", "comparison"]
"""Places of a metric: the top level of results.json, its tables per landmark, part of the body and group of
people, and the differences between evaluations."""

Section = Literal["headline", "oks", "outputs"]
"""Tables of a report: 2-D landmarks, COCO's metrics, and outputs other than 2-D landmarks."""

_EVERYTHING = slice(None)


@dataclass(frozen=True)
class Metric:
    """A metric: a mean of `points`, or `overall` if it is no mean.

    Attributes:
        key: its key in results.json.
        title: its row in a report.
        definition: what it measures, for the glossary docs/reference/metrics.md.
        points: function that returns the values of all points, (people, points).
        overall: function that returns the metric itself; NaN without labels.
        places: where it is reported; all but "overall" need `points`, per landmark one for each landmark.
        section: its table in a report; None leaves it out.
        column: title of its column, in the tables of its other places.
        unit: "%" or "mm".
        scale: factor from the mean of `points` to the unit; 100 for shares of 0..1.
        limits: smallest and largest possible value; None is no limit.
        better: "higher", "lower" or "nearest 0"; None for a property of the labels.
        interval: whether it has a 95 % interval, `<key>_ci95`. Groups then average it over people instead
            of pooling points. Its values must be 0..1.
        vector: whether a value is a pair (right, down), of which the median counts instead of the mean.
        summary: format of its part of the one-line summary; empty leaves it out.
    """

    key: str
    title: str
    definition: str
    points: Callable[[ScoredPeople], PointValues] | None = None
    overall: Callable[[ScoredPeople], float] | None = None
    places: Sequence[Place] = ("overall",)
    section: Section | None = None
    column: str = ""
    unit: Literal["%", "mm"] = "%"
    scale: float = 100
    limits: tuple[float | None, float | None] = (0, 100)
    better: Literal["higher", "lower", "nearest 0"] | None = "higher"
    interval: bool = False
    vector: bool = False
    summary: str = ""

    def compute(self, scored: ScoredPeople) -> float | int | None:
        """Compute the metric over all people, rounded; None without scored points."""
        return number(self.overall(scored)) if self.overall else self.pooled(self.points_of(scored))

    def points_of(self, scored: ScoredPeople) -> PointValues:
        """Return the values of all points of a metric that is a mean."""
        assert self.points, self.key
        return self.points(scored)

    def pooled(
        self,
        of: PointValues,
        people: np.ndarray | slice = _EVERYTHING,
        points: Sequence[int] | slice = _EVERYTHING,
    ) -> Any:
        """Summarize the points of some people, rounded; None if none counts."""
        values, counted = (array[people][:, points] for array in of)
        if not self.vector:
            return number(self.scale * PointValues(values, counted).mean())
        middle = self.scale * np.median(values[counted], axis=0) if counted.any() else None
        return middle if middle is None else [number(value) for value in middle.tolist()]
