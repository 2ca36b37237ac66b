"""Metrics of groups of people: means over people, with confidence intervals."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from blazepose.data.annotation import Annotation
from blazepose.evaluation.metric_table import metrics_in
from blazepose.evaluation.numbers import number
from blazepose.evaluation.score import SUBJECT, ScoredPeople
from blazepose.metrics.bootstrap import accuracy_interval

GroupIndex = dict[str, np.ndarray]
"""{group: rows of its people}, groups in order."""


def group_rows(people: Sequence[Annotation]) -> dict[str, GroupIndex]:
    """Index the groups of each attribute except `subject`; people without the attribute are in no group."""
    rows: dict[str, dict[str, list[int]]] = {}
    for row, person in enumerate(people):
        for attribute, group in person.attributes.items():
            if attribute == SUBJECT:
                continue
            rows.setdefault(attribute, {}).setdefault(group, []).append(row)
    return {
        attribute: {group: np.array(groups[group]) for group in sort_groups(groups)}
        for attribute, groups in rows.items()
    }


def sort_groups(groups: Iterable[str]) -> list[str]:
    """Sort group names alphabetically, and numbers by value."""
    return sorted(groups, key=lambda group: group.zfill(9) if group.isdigit() else group)


class GroupMetrics:
    """Metrics of any group of the scored people.

    Attributes:
        people: PCK@0.2 and PDJ@0.2 of each person, by key.
        subjects: (people,) identity numbers.
    """

    def __init__(self, scored: ScoredPeople) -> None:
        self.subjects = scored.subjects
        metrics = [(metric, metric.points_of(scored)) for metric in metrics_in("group")]
        self.people = {metric.key: points.per_person() for metric, points in metrics if metric.interval}
        self._pooled = [(metric, points) for metric, points in metrics if not metric.interval]

    def __call__(self, rows: np.ndarray, judged_by: str) -> dict[str, Any]:
        """Compute the metrics of a group of people; None without scored points.

        `pck@0.2` and `pdj@0.2` are means over people; `count`, `std` and `ci95` are over the people who have
        the metric `judged_by`, and `subjects` is the number of different identities. The others pool points.
        """
        valid = rows[self.people[judged_by].has_points[rows]]
        values, subjects = self.people[judged_by].shares(valid), self.subjects[valid]
        interval = accuracy_interval(values, np.ones(len(values)), subjects=subjects) if len(values) else None
        return {
            **{key: number(100 * _mean(scores.shares(rows))) for key, scores in self.people.items()},
            "std": number(100 * float(values.std(ddof=1))) if len(values) > 1 else None,
            "ci95": None if interval is None else [number(interval.low), number(interval.high)],
            **{metric.key: metric.pooled(points, people=rows) for metric, points in self._pooled},
            "count": len(values),
            "subjects": len(np.unique(subjects)),
        }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
