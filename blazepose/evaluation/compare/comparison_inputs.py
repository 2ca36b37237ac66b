"""Evaluations of the same people, opened to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from blazepose.data.annotation import Annotation, Source
from blazepose.data.readers import read_source
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.groups.group_metrics import PCK
from blazepose.evaluation.predictions import PersonKey, Prediction, person_key, read_predictions
from blazepose.evaluation.results import read_results
from blazepose.evaluation.score import ScoredPeople, score


class Run(NamedTuple):
    """An evaluation that is compared.

    Attributes:
        folder: of its results.
        figures: its results.json.
        scored: those of its people whom all of the others have, too.
        attributes: that get a verdict.
        everybody: with those who do not count.
    """

    folder: Path
    figures: Mapping[str, Any]
    scored: ScoredPeople
    attributes: list[str]
    everybody: Sequence[Annotation]


def load_runs(folders: Sequence[str]) -> list[Run]:
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
        Run(path, of_one, score(predictions, sources, of_one["torso"]), people.attributes, people.all_people)
        for path, of_one, predictions in zip(paths, figures, said, strict=True)
    ]


def short_names(runs: Sequence[Run]) -> list[str]:
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
    "notes",
    PCK,
)


def _read_results(folder: Path) -> dict[str, Any]:
    file = folder / "results.json"
    figures = read_results(file, "name folders that eval.py wrote (out=...)")
    if lacking := [key for key in _NEEDED if key not in figures]:
        raise ValueError(
            f"compare: {file} has no {', '.join(lacking)}: another version wrote it; evaluate again"
        )
    return figures


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
