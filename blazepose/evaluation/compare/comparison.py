"""Compare two or more evaluations of the same people, with paired intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from blazepose.evaluation.compare.comparison_inputs import Run, short_names
from blazepose.evaluation.fairness.verdicts import MOST_GROUPS, FairnessConfig, fairness
from blazepose.evaluation.groups.breakdown import breakdown
from blazepose.evaluation.groups.group_metrics import GroupIndex, group_rows
from blazepose.evaluation.keypoint_partition import PARTS, indices_by_name
from blazepose.evaluation.metric_table import PCK, PDJ, metrics_in
from blazepose.evaluation.numbers import number
from blazepose.evaluation.predictions import person_key
from blazepose.exceptions import InputError
from blazepose.metrics.bootstrap import paired_difference
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import pck

_ALL = slice(None)


class _PointMetric(NamedTuple):
    """A metric of every point for each run.

    Attributes:
        values: (people, points) values of each run.
        counted: (people, points) bool, points that count in all runs.
        subjects: (people,) numbers, equal for the same person.
        scale: factor from the mean to the reported number.
    """

    values: list[np.ndarray]
    counted: np.ndarray
    subjects: np.ndarray
    scale: float

    def compare(
        self,
        rows: np.ndarray | slice = _ALL,
        points: list[int] | slice = _ALL,
        of_people: bool = False,
    ) -> dict[str, Any]:
        """Compute each run's mean over some points of some people, and the differences from the first run.

        With too few different people, a difference has no interval. The mean is over points or, with
        `of_people`, over people, as for a group.
        """
        counted, subjects = self.counted[rows][:, points], self.subjects[rows]
        first, *others = (values[rows][:, points] for values in self.values)
        enough = len(np.unique(subjects[counted.any(axis=1)])) >= LEAST_PEOPLE
        differences = [
            paired_difference(first, other, counted, subjects=subjects, unit=self.scale, of_people=of_people)
            for other in others
        ]
        weights = counted / counted.sum(axis=1, keepdims=True).clip(min=1) if of_people else counted
        means = [float((values * weights).sum() / weights.sum()) for values in (first, *others)]
        return {
            "values": [number(self.scale * mean) for mean in means],
            "changes": [
                {
                    "value": number(difference.value),
                    "ci95": [number(difference.low), number(difference.high)] if enough else None,
                }
                for difference in differences
            ],
            "points": int(counted.sum()),
            "people": int(counted.any(axis=1).sum()),
        }


def compare_runs(runs: Sequence[Run]) -> dict[str, Any]:
    """Compare each evaluation with the first, with 95 % intervals over people.

    Returns:
        Content of comparison.json: `metadata` of the runs, of which the first applies to all; `notes`, the
        caveats; `overall`, `per_data_set`, `per_part`, `per_landmark` and `groups`, with the `values` of each
        metric in the order of the runs, and the `changes` (`value`, `ci95`) of all runs but the first.
        `groups` are means over people by `group_metrics`, the others pool points. `fairness` has the range
        and the verdict of every run for each attribute.

    Raises:
        ValueError: if the runs have no point in common.
    """
    first = runs[0].scored
    topology = first.topology
    point_metrics = _point_metrics(runs)
    correct = point_metrics[PCK]
    if not correct.counted.any():
        raise InputError("compare: these weights have no trained and labelled point in common")
    landmarks = np.flatnonzero(correct.counted.any(axis=0)).tolist()
    fairness_of_runs = _fairness(runs)
    groups = {
        name: rows_of_groups
        for name, rows_of_groups in (breakdown(first) | group_rows(first.annotations)).items()
        if 1 < len(rows_of_groups) <= MOST_GROUPS
    }
    group_metrics = {name: _group_metric(fairness_of_runs.get(name, [])) for name in groups}
    keys = ("file", "sha256", "roi", "decoding", "num_people")
    return {
        "runs": [
            {"name": name, "folder": str(run.folder)} | {key: run.metrics.get(key) for key in keys}
            for name, run in zip(short_names(runs), runs, strict=True)
        ],
        "num_people": len(first.annotations),
        "torso": first.torso,
        "metadata": list(dict.fromkeys(filter(None, (run.metrics["metadata"] for run in runs)))),
        "overall": {name: metric.compare() for name, metric in point_metrics.items() if metric.counted.any()},
        "notes": _notes(runs),
        "fairness": fairness_of_runs,
        "per_data_set": {
            name: correct.compare(rows)
            for name, rows in _data_sets(runs[0]).items()
            if correct.counted[rows].any()
        },
        "per_part": {
            part: correct.compare(points=points)
            for part, points in indices_by_name(PARTS, topology).items()
            if correct.counted[:, points].any()
        },
        "per_landmark": {topology.landmarks[k]: correct.compare(points=[k]) for k in landmarks},
        "group_metrics": group_metrics,
        "groups": {
            name: {
                group: point_metrics[group_metrics[name]].compare(rows, of_people=True)
                for group, rows in rows_of_groups.items()
                if point_metrics[group_metrics[name]].counted[rows].any()
            }
            for name, rows_of_groups in groups.items()
        },
    }


def _data_sets(run: Run) -> GroupIndex:
    """Return the rows of the people of each data set."""
    people = zip(run.scored.annotations, run.scored.predictions, strict=True)
    names = np.array([run.data_sets[person_key(prediction.reader, person)] for person, prediction in people])
    return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}


def _group_metric(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return the metric of an attribute's groups: that of their verdicts, if all agree."""
    return PDJ if verdicts and all(entry["metric"] == PDJ for entry in verdicts) else PCK


def _notes(runs: Sequence[Run]) -> list[str]:
    """List the notes of the evaluations, after the runs whose results.json is out of date."""
    runs_of_note: dict[str, list[str]] = {}
    outdated = []
    for name, run in zip(short_names(runs), runs, strict=True):
        stored, current = run.metrics[PCK], pck(run.scored.errors, run.scored.counted)
        same_people = len(run.scored.annotations) == run.metrics["num_people"]
        same_points = run.topology == run.scored.topology
        if same_people and same_points and abs(stored - current) > _TOLERANCE:
            reason = "its labels or predictions have changed since; evaluate it again"
            if run.metrics["data"] != (data := runs[0].metrics["data"]):
                reason = (
                    f"it was evaluated on {', '.join(run.metrics['data'])}, and is compared on "
                    f"{', '.join(data)}"
                )
            outdated.append(
                f"{name} has PCK@0.2 {stored:.1f} in its results.json, but {current:.1f} here: {reason}"
            )
        for note in run.metrics["notes"]:
            runs_of_note.setdefault(note, []).append(name)
    notes = [
        note if len(names) == len(runs) else f"{', '.join(names)}: {note}"
        for note, names in runs_of_note.items()
    ]
    common = runs[0].scored.topology
    if any(run.topology != common for run in runs):
        notes.append(
            f"compared on the {common.num_landmarks} landmarks of {common.name}, which all networks have; "
            "each saw its own crops"
        )
    decodings = dict.fromkeys(filter(None, (run.metrics.get("decoding") for run in runs)))
    if len(decodings) > 1:
        notes.append(
            f"the decodings differ ({', '.join(decodings)}), and are part of the differences; "
            "`blazepose compare --decode` evaluates both weights with one"
        )
    return [*outdated, *notes]


_TOLERANCE = 0.01
"""Largest difference in percent between metrics of the same predictions, caused by rounding."""


def _point_metrics(runs: Sequence[Run]) -> dict[str, _PointMetric]:
    """Return the metrics of a comparison, on the points that count in all runs."""
    metrics = {}
    for metric in metrics_in("comparison"):
        points = [metric.points_of(run.scored) for run in runs]
        counted = np.logical_and.reduce([one.counted for one in points])
        values = [np.where(counted, one.values, 0) for one in points]
        metrics[metric.key] = _PointMetric(values, counted, runs[0].scored.subjects, metric.scale)
    return metrics


def _fairness(runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Compute metric, range, worst group and verdict of each run for every attribute, on the same people.

    Each run keeps the criterion and the smallest group size of its own evaluation.
    """
    keys = ("metric", "range", "range_ci95", "worst", "criterion", "verdict")
    verdicts: dict[str, list[dict[str, Any]]] = {name: [] for name in runs[0].attributes}
    for run in runs:
        criterion = {entry["metric"]: entry["criterion"] for entry in run.metrics["fairness"].values()}
        config = FairnessConfig(
            run.attributes, run.metrics["min_group"], criterion, all_people=run.all_people
        )
        for name, entry in fairness(run.scored, group_rows(run.scored.annotations), config).items():
            verdicts[name].append({key: entry[key] for key in keys})
    return verdicts
