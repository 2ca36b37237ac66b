"""What changed between two evaluations of the same people, and for whom."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN
from blazepose.evaluation.compare.before_after import PersonChange
from blazepose.evaluation.compare.comparison_inputs import Run, short_names
from blazepose.evaluation.fairness.verdicts import MOST_GROUPS, FairnessConfig, fairness
from blazepose.evaluation.groups.breakdown import breakdown
from blazepose.evaluation.groups.group_metrics import PCK, PDJ, group_rows
from blazepose.evaluation.keypoint_partition import PARTS
from blazepose.evaluation.numbers import number
from blazepose.metrics.binary import agrees
from blazepose.metrics.bootstrap import paired_difference
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import PCK_THRESHOLD, pck
from blazepose.topology import LANDMARKS

RAW = "pck@0.2_raw"


_ALL = slice(None)


class _Measured(NamedTuple):
    """A measure of every point by each run, (people, points) each; which points count in all of them."""

    values: list[np.ndarray]
    counted: np.ndarray
    subjects: np.ndarray

    unit: float = 100.0

    def change(
        self,
        rows: np.ndarray | slice = _ALL,
        points: list[int] | slice = _ALL,
        of_people: bool = False,
    ) -> dict[str, Any]:
        """Of some points of some people: each run's mean, and how the others differ from the first.

        Of too few different people a difference has no interval. The mean is over points, or, `of_people`,
        over people, as that of a group is.
        """
        counted, subjects = self.counted[rows][:, points], self.subjects[rows]
        first, *others = (values[rows][:, points] for values in self.values)
        known = len(np.unique(subjects[counted.any(axis=1)])) >= LEAST_PEOPLE
        differences = [
            paired_difference(first, other, counted, subjects=subjects, unit=self.unit, of_people=of_people)
            for other in others
        ]
        weights = counted / counted.sum(axis=1, keepdims=True).clip(min=1) if of_people else counted
        means = [float((values * weights).sum() / weights.sum()) for values in (first, *others)]
        return {
            "values": [number(self.unit * mean) for mean in means],
            "changes": [
                {"value": number(one.value), "ci95": [number(one.low), number(one.high)] if known else None}
                for one in differences
            ],
            "points": int(counted.sum()),
            "people": int(counted.any(axis=1).sum()),
        }


def comparison(runs: Sequence[Run]) -> dict[str, Any]:
    """What each evaluation has, and by how much it differs from the first, with 95 % intervals over people.

    Returns:
        Content of comparison.json: `metadata` of the runs, of which the first counts for all; `notes`, what
        else is to be known; `overall`, `per_part`, `per_landmark` and `groups`, of each figure its `values`
        in the order of the runs, and `changes` of all but the first: `value`, `ci95`. `groups` are means over
        people by `group_metrics`, the others pool points. `fairness` has for each attribute the range and the
        verdict of every run.

    Raises:
        ValueError: if they have no point in common.
    """
    first = runs[0].scored
    measures = _measures(runs)
    right = measures[PCK]
    if not right.counted.any():
        raise ValueError("compare: no labelled point is one that all of these weights have learned")
    landmarks = np.flatnonzero(right.counted.any(axis=0)).tolist()
    fair = _fairness(runs)
    groups = {
        name: of_one
        for name, of_one in (breakdown(first) | group_rows(first.annotations)).items()
        if 1 < len(of_one) <= MOST_GROUPS
    }
    metrics = {name: _metric(fair.get(name, [])) for name in groups}
    about = ("file", "sha256", "roi", "num_people")
    return {
        "runs": [{"folder": str(run.folder)} | {key: run.figures[key] for key in about} for run in runs],
        "num_people": len(first.annotations),
        "torso": first.torso,
        "metadata": list(dict.fromkeys(filter(None, (run.figures["metadata"] for run in runs)))),
        "overall": {name: of_one.change() for name, of_one in measures.items() if of_one.counted.any()},
        "notes": _notes(runs),
        "fairness": fair,
        "per_part": {
            part: right.change(points=points)
            for part, points in PARTS.items()
            if right.counted[:, points].any()
        },
        "per_landmark": {LANDMARKS[k]: right.change(points=[k]) for k in landmarks},
        "group_metrics": metrics,
        "groups": {
            name: {
                group: measures[metrics[name]].change(rows, of_people=True)
                for group, rows in of_one.items()
                if measures[metrics[name]].counted[rows].any()
            }
            for name, of_one in groups.items()
        },
    }


def _metric(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """By what groups are compared: what their verdicts are by, if they have any."""
    return PDJ if verdicts and all(of_one["metric"] == PDJ for of_one in verdicts) else PCK


def _notes(runs: Sequence[Run]) -> list[str]:
    """What the evaluations noted, and whose results.json does not hold any more."""
    whose: dict[str, list[str]] = {}
    changed = []
    for name, run in zip(short_names(runs), runs, strict=True):
        then, now = run.figures[PCK], pck(run.scored.errors, run.scored.counted)
        if len(run.scored.annotations) == run.figures["num_people"] and abs(then - now) > _SAME:
            why = "its labels or predictions have changed since; evaluate it again"
            if run.figures["data"] != (data := runs[0].figures["data"]):
                why = f"it is of {', '.join(run.figures['data'])}, and here all are by {', '.join(data)}"
            changed.append(f"{name} has PCK@0.2 {then:.1f} in its results.json, and {now:.1f} here: {why}")
        for note in run.figures["notes"]:
            whose.setdefault(note, []).append(name)
    told = [note if len(of) == len(runs) else f"{', '.join(of)}: {note}" for note, of in whose.items()]
    return [*changed, *told]


_SAME = 0.01
"""Per cent by which figures of the same predictions differ at most, as they are rounded."""


def _measures(runs: Sequence[Run]) -> dict[str, _Measured]:
    scored = [run.scored for run in runs]
    counted = np.logical_and.reduce([one.counted for one in scored])
    right = [one.errors < PCK_THRESHOLD for one in scored]
    told = np.logical_and.reduce([one.outputs.visibility != UNKNOWN for one in scored])
    seen = [agrees(one.outputs.visibility, one.outputs.predicted_visibility) for one in scored]
    found = np.logical_and.reduce([np.isfinite(one.errors) for one in scored])
    world = np.logical_and.reduce([np.isfinite(one.outputs.world_errors) for one in scored])
    regressed = np.logical_and.reduce([one.regressed for one in scored])
    agreed = [r & a for r, a in zip(right, seen, strict=True)]
    raw = [one.errors_raw < PCK_THRESHOLD for one in scored]
    errors = [np.where(found, one.errors, 0) for one in scored]
    world_errors = [np.where(world, one.outputs.world_errors, 0) for one in scored]
    subjects = scored[0].subjects
    return {
        PCK: _Measured(right, counted, subjects),
        RAW: _Measured(raw, regressed, subjects),
        PDJ: _Measured(agreed, counted & told, subjects),
        "mean_error": _Measured(errors, counted & found, subjects),
        "mpjpe_mm": _Measured(world_errors, world, subjects, unit=1),
    }


def _fairness(runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Of every attribute: metric, range, worst group and verdict of each run, all over the same people.

    By the criterion and the smallest group that each was evaluated by.
    """
    keys = ("metric", "range", "range_ci95", "worst", "criterion", "verdict")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in runs[0].attributes}
    for run in runs:
        criterion = {of_one["metric"]: of_one["criterion"] for of_one in run.figures["fairness"].values()}
        asked = FairnessConfig(run.attributes, run.figures["min_group"], criterion, all_people=run.everybody)
        for name, of_one in fairness(run.scored, group_rows(run.scored.annotations), asked).items():
            found[name].append({key: of_one[key] for key in keys})
    return found


def changes(first: Run, second: Run) -> list[PersonChange]:
    """The people of two runs, as evaluation.change_sheet shows them."""
    right = _measures([first, second])[PCK]
    was, now = (values & right.counted for values in right.values)
    told = zip(first.scored.annotations, first.scored.predictions, second.scored.predictions, strict=True)
    return [
        PersonChange(
            person,
            before.roi,
            before.landmarks[:, :2],
            after.landmarks[:, :2],
            first.scored.supervised[k] & second.scored.supervised[k],
            was[k],
            now[k],
            int(right.counted[k].sum()),
        )
        for k, (person, before, after) in enumerate(told)
    ]
