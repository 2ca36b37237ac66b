"""Metrics of groups of people: means over people, with confidence intervals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN, Annotation
from blazepose.evaluation.numbers import number
from blazepose.evaluation.score import SUBJECT, ScoredPeople
from blazepose.metrics.binary import agrees
from blazepose.metrics.bootstrap import accuracy_interval
from blazepose.metrics.mask_iou import mean_iou
from blazepose.metrics.pck import PCK_THRESHOLD, mean_error
from blazepose.metrics.pose3d import mpjpe

PCK, PDJ = "pck@0.2", "pdj@0.2"


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


def scores_from_points(correct: np.ndarray, counted: np.ndarray) -> PersonScores:
    """Sum correct and scored points (people, points) for each person."""
    return PersonScores((correct & counted).sum(axis=1), counted.sum(axis=1))


def person_scores(scored: ScoredPeople) -> Mapping[str, PersonScores]:
    """Compute PCK@0.2 and PDJ@0.2 of each person."""
    outputs, near = scored.outputs, scored.errors < PCK_THRESHOLD
    visibility_correct = agrees(outputs.visibility, outputs.predicted_visibility)
    return {
        PCK: scores_from_points(near, scored.counted),
        PDJ: scores_from_points(near & visibility_correct, scored.counted & (outputs.visibility != UNKNOWN)),
    }


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


def group_metrics(
    scored: ScoredPeople, people: Mapping[str, PersonScores], rows: np.ndarray, metric: str
) -> dict[str, Any]:
    """Compute the metrics of a group of people; None without scored points.

    `pck@0.2` and `pdj@0.2` are means over people; `count`, `std` and `ci95` are over the people who have
    `metric`, and `subjects` is the number of different identities. `mean_error` and `mpjpe_mm` pool points.
    """
    valid = rows[people[metric].has_points[rows]]
    values, subjects = people[metric].shares(valid), scored.subjects[valid]
    interval = accuracy_interval(values, np.ones(len(values)), subjects=subjects) if len(values) else None
    return {
        **{name: number(100 * _mean(scores.shares(rows))) for name, scores in people.items()},
        "std": number(100 * float(values.std(ddof=1))) if len(values) > 1 else None,
        "ci95": None if interval is None else [number(interval.low), number(interval.high)],
        "mean_error": number(mean_error(scored.errors[rows], scored.counted[rows])),
        "mpjpe_mm": number(mpjpe(scored.outputs.world_errors[rows])),
        "mask_iou": number(mean_iou(scored.outputs.mask_iou[rows])),
        "count": len(values),
        "subjects": len(np.unique(subjects)),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
