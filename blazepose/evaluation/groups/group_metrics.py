"""Figures of groups of people: means over people, with how sure they are."""

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
    """Of each person, how much is right.

    Attributes:
        right: (people,) points.
        counted: (people,) points; 0 of who has none that count.
    """

    right: np.ndarray
    counted: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Who has points that count, bool (people,)."""
        return self.counted > 0

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Share of each of these people, 0..1, of who has one."""
        rows = rows[self.known[rows]]
        return self.right[rows] / self.counted[rows]


def of_points(right: np.ndarray, counted: np.ndarray) -> PersonScores:
    """Of points (people, points) that are right, those of each person that count."""
    return PersonScores((right & counted).sum(axis=1), counted.sum(axis=1))


def person_scores(scored: ScoredPeople) -> Mapping[str, PersonScores]:
    """PCK@0.2 and PDJ@0.2 of each person."""
    heads, right = scored.heads, scored.errors < PCK_THRESHOLD
    seen = agrees(heads.visibility, heads.visibility_said)
    return {
        PCK: of_points(right, scored.counted),
        PDJ: of_points(right & seen, scored.counted & (heads.visibility != UNKNOWN)),
    }


Rows = dict[str, np.ndarray]
"""{group: rows of its people}, groups in order."""


def group_rows(people: Sequence[Annotation]) -> dict[str, Rows]:
    """{attribute: its groups}, but for subjects; who lacks an attribute is in none of its groups."""
    found: dict[str, dict[str, list[int]]] = {}
    for row, person in enumerate(people):
        for attribute, group in person.attributes.items():
            if attribute == SUBJECT:
                continue
            found.setdefault(attribute, {}).setdefault(group, []).append(row)
    return {
        attribute: {group: np.array(groups[group]) for group in in_order(groups)}
        for attribute, groups in found.items()
    }


def in_order(groups: Iterable[str]) -> list[str]:
    """Names by the alphabet, numbers by size."""
    return sorted(groups, key=lambda group: group.zfill(9) if group.isdigit() else group)


def group_metrics(
    scored: ScoredPeople, people: Mapping[str, PersonScores], rows: np.ndarray, metric: str
) -> dict[str, Any]:
    """Figures of some of the people, None where nothing counts.

    `pck@0.2` and `pdj@0.2` are means over people; `count`, `std` and `ci95` are of the people who have
    `metric`, `subjects` is how many different ones they are. `mean_error` and `mpjpe_mm` pool the points, as
    those of everybody do.
    """
    known = rows[people[metric].known[rows]]
    values, subjects = people[metric].of(known), scored.subjects[known]
    interval = accuracy_interval(values, np.ones(len(values)), subjects=subjects) if len(values) else None
    return {
        **{name: number(100 * _mean(kind.of(rows))) for name, kind in people.items()},
        "std": number(100 * float(values.std(ddof=1))) if len(values) > 1 else None,
        "ci95": None if interval is None else [number(interval.low), number(interval.high)],
        "mean_error": number(mean_error(scored.errors[rows], scored.counted[rows])),
        "mpjpe_mm": number(mpjpe(scored.heads.world_errors[rows])),
        "mask_iou": number(mean_iou(scored.heads.mask_iou[rows])),
        "count": len(values),
        "subjects": len(np.unique(subjects)),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
