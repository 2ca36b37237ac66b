"""What changed between two evaluations of the same people, and for whom."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.data.annotation import UNKNOWN, Source
from blazepose.data.readers import read_source
from blazepose.evaluation.change_sheet import Change
from blazepose.evaluation.difficulty import difficulty
from blazepose.evaluation.fairness import MOST_GROUPS, Asked, fairness
from blazepose.evaluation.grouping import group_people
from blazepose.evaluation.groups import PCK, PDJ, rows_of_groups
from blazepose.evaluation.numbers import number
from blazepose.evaluation.parts import PARTS
from blazepose.evaluation.predictions import PersonKey, Prediction, person_key, read_predictions
from blazepose.evaluation.score import Scored, score
from blazepose.metrics.binary import agrees
from blazepose.metrics.bootstrap import paired_difference
from blazepose.metrics.fairness import LEAST_PEOPLE
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.topology import LANDMARKS


class Run(NamedTuple):
    """An evaluation that is compared.

    Attributes:
        folder: of its results.
        figures: its results.json.
        scored: those of its people whom all of the others have, too.
        attributes: that get a verdict.
    """

    folder: Path
    figures: Mapping[str, Any]
    scored: Scored
    attributes: list[str]


def open_runs(folders: Sequence[str]) -> list[Run]:
    """Evaluations, each with the people that all of them scored.

    Raises:
        FileNotFoundError: if one of the folders holds no evaluation.
        ValueError: if they cannot be compared.
    """
    if len({Path(folder).resolve() for folder in folders}) < max(2, len(folders)):
        raise ValueError(f"compare=[{','.join(folders)}]: name two different folders of eval.py or more")
    paths = [Path(folder) for folder in folders]
    figures = [_read_results(path) for path in paths]
    _require_equal(paths, figures, "torso")
    said = [read_predictions(_predictions_file(*run)) for run in zip(paths, figures, strict=True)]
    people = group_people(
        [read_source(spec) for spec in figures[0]["data"]],
        next((one["metadata"] for one in figures if one["metadata"]), None),
        next((one["intersect"] for one in figures if one["intersect"]), []),
    )
    sources = [_in_common(source, said) for source in people.sources]
    if not any(source.annotations for source in sources):
        raise ValueError(f"compare: {' and '.join(folders)} have nobody in common")
    return [
        Run(path, of_one, score(predictions, sources, of_one["torso"]), people.attributes)
        for path, of_one, predictions in zip(paths, figures, said, strict=True)
    ]


RAW = "pck@0.2_raw"


def names(runs: Sequence[Run]) -> list[str]:
    """What tells the folders from each other, as columns are titled: their last parts."""
    parts = [run.folder.parts for run in runs]
    depth = 1
    while len({part[-depth:] for part in parts}) < len(runs):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


_NEEDED = (
    "data",
    "metadata",
    "intersect",
    "torso",
    "roi",
    "fairness",
    "min_group",
    "file",
    "sha256",
    "num_people",
)


def _read_results(folder: Path) -> dict[str, Any]:
    file = folder / "results.json"
    if not file.is_file():
        raise FileNotFoundError(f"compare: {file} is missing; name folders that eval.py wrote (out=...)")
    try:
        figures = json.loads(file.read_text())
        return {key: figures[key] for key in _NEEDED} | figures
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"compare: {file} is not of eval.py, or of an older one: {error}") from error


def _require_equal(paths: list[Path], figures: list[dict[str, Any]], key: str) -> None:
    values = [of_one[key] for of_one in figures]
    if len(set(values)) > 1:
        pairs = ", ".join(f"{path} {value}" for path, value in zip(paths, values, strict=True))
        raise ValueError(f"compare: evaluations by different {key} cannot be compared: {pairs}")


def _predictions_file(folder: Path, figures: Mapping[str, Any]) -> Path:
    """What was scored: written there, or named there when it was scored again."""
    own = folder / "predictions.jsonl"
    return own if own.is_file() else Path(figures["file"])


def _in_common(source: Source, said: list[dict[PersonKey, Prediction]]) -> Source:
    """The people of a source of whom every evaluation has a prediction."""
    people = [
        person
        for person in source.annotations
        if all(person_key(source.reader, person) in predictions for predictions in said)
    ]
    return replace(source, annotations=people)


_ALL = slice(None)


class _Measured(NamedTuple):
    """A measure of every point by each run, (people, points) each; which points count in all of them."""

    values: list[np.ndarray]
    counted: np.ndarray
    subjects: np.ndarray

    unit: float = 100.0

    def change(self, rows: np.ndarray | slice = _ALL, points: list[int] | slice = _ALL) -> dict[str, Any]:
        """Of some points of some people: each run's mean, and how the others differ from the first.

        Of too few different people a difference has no interval.
        """
        counted, subjects = self.counted[rows][:, points], self.subjects[rows]
        first, *others = (values[rows][:, points] for values in self.values)
        known = len(np.unique(subjects[counted.any(axis=1)])) >= LEAST_PEOPLE
        differences = [
            paired_difference(first, other, counted, subjects=subjects, unit=self.unit) for other in others
        ]
        return {
            "values": [number(self.unit * float(values[counted].mean())) for values in (first, *others)],
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
        Content of comparison.json: `metadata` of the runs, of which the first counts for all; `overall`,
        `per_part`, `per_landmark` and `groups`, of each figure its
        `values` in the order of the runs, and `changes` of all but the first: `value`, `ci95`. `fairness` has
        for each attribute the range and the verdict of every run.

    Raises:
        ValueError: if they have no point in common.
    """
    first = runs[0].scored
    measures = _measures(runs)
    right = measures[PCK]
    if not right.counted.any():
        raise ValueError("compare: no labelled point is one that all of these weights have learned")
    landmarks = np.flatnonzero(right.counted.any(axis=0)).tolist()
    groups = difficulty(first) | rows_of_groups(first.annotations)
    about = ("file", "sha256", "roi", "num_people")
    return {
        "runs": [{"folder": str(run.folder)} | {key: run.figures[key] for key in about} for run in runs],
        "num_people": len(first.annotations),
        "torso": first.torso,
        "metadata": list(dict.fromkeys(filter(None, (run.figures["metadata"] for run in runs)))),
        "overall": {name: of_one.change() for name, of_one in measures.items() if of_one.counted.any()},
        "fairness": _fairness(runs),
        "per_part": {
            part: right.change(points=points)
            for part, points in PARTS.items()
            if right.counted[:, points].any()
        },
        "per_landmark": {LANDMARKS[k]: right.change(points=[k]) for k in landmarks},
        "groups": {
            name: {group: right.change(rows) for group, rows in of_one.items() if right.counted[rows].any()}
            for name, of_one in groups.items()
            if 1 < len(of_one) <= MOST_GROUPS
        },
    }


def _measures(runs: Sequence[Run]) -> dict[str, _Measured]:
    scored = [run.scored for run in runs]
    counted = np.logical_and.reduce([one.counted for one in scored])
    right = [one.errors < PCK_THRESHOLD for one in scored]
    told = np.logical_and.reduce([one.heads.visibility != UNKNOWN for one in scored])
    seen = [agrees(one.heads.visibility, one.heads.visibility_said) for one in scored]
    found = np.logical_and.reduce([np.isfinite(one.errors) for one in scored])
    world = np.logical_and.reduce([np.isfinite(one.heads.world_errors) for one in scored])
    regressed = np.logical_and.reduce([~np.isnan(one.errors_raw) for one in scored])
    agreed = [r & a for r, a in zip(right, seen, strict=True)]
    raw = [one.errors_raw < PCK_THRESHOLD for one in scored]
    errors = [np.where(found, one.errors, 0) for one in scored]
    world_errors = [np.where(world, one.heads.world_errors, 0) for one in scored]
    subjects = scored[0].subjects
    return {
        PCK: _Measured(right, counted, subjects),
        RAW: _Measured(raw, counted & regressed, subjects),
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
        asked = Asked(run.attributes, run.figures["min_group"], criterion)
        for name, of_one in fairness(run.scored, rows_of_groups(run.scored.annotations), asked).items():
            found[name].append({key: of_one[key] for key in keys})
    return found


def changes(first: Run, second: Run) -> list[Change]:
    """The people of two runs, as evaluation.change_sheet shows them."""
    right = _measures([first, second])[PCK]
    was, now = (values & right.counted for values in right.values)
    told = zip(first.scored.annotations, first.scored.predictions, second.scored.predictions, strict=True)
    return [
        Change(
            person,
            before.roi,
            before.landmarks[:, :2],
            after.landmarks[:, :2],
            first.scored.learned[k] & second.scored.learned[k],
            was[k],
            now[k],
            int(right.counted[k].sum()),
        )
        for k, (person, before, after) in enumerate(told)
    ]
