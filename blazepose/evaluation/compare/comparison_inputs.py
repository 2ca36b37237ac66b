"""Load evaluations of the same people for a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from blazepose.data.annotation import Annotation, Source
from blazepose.data.readers import read_source
from blazepose.evaluation.common_landmarks import common_topology, select_landmarks
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.metric_table import PCK
from blazepose.evaluation.predictions import (
    PersonKey,
    Prediction,
    person_key,
    read_predictions,
    read_topology,
)
from blazepose.evaluation.results import read_results
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class Run(NamedTuple):
    """One evaluation of a comparison.

    Attributes:
        folder: folder of its results.
        metrics: content of its results.json.
        scored: its people that all other evaluations have, too.
        attributes: attributes that get a verdict.
        all_people: all annotated people, including those not scored.
        data_sets: name of each person's data set, as the user typed it.
        topology: landmarks of its network; the comparison is on those that all networks have.
    """

    folder: Path
    metrics: Mapping[str, Any]
    scored: ScoredPeople
    attributes: list[str]
    all_people: Sequence[Annotation]
    data_sets: Mapping[PersonKey, str]
    topology: Topology = FULL_BODY


def load_runs(folders: Sequence[str]) -> list[Run]:
    """Load evaluations, each with the people that all of them have predictions for.

    Raises:
        FileNotFoundError: if a folder holds no evaluation.
        ValueError: if the evaluations cannot be compared.
    """
    if len({Path(folder).resolve() for folder in folders}) < max(2, len(folders)):
        raise InputError(f"compare {', '.join(folders)}: give two or more different evaluations")
    paths = [Path(folder) for folder in folders]
    metrics = [_read_results(path) for path in paths]
    _require_equal(paths, metrics, "torso")
    files = [_predictions_file(*run) for run in zip(paths, metrics, strict=True)]
    topologies = [read_topology(file) for file in files]
    common = common_topology(topologies)
    predictions = [
        {key: select_landmarks(prediction, common) for key, prediction in read_predictions(file).items()}
        for file in files
    ]
    people = group_people(
        [read_source(spec, common) for spec in metrics[0]["data"]],
        next((entry["metadata"] for entry in metrics if entry["metadata"]), None),
        next((entry["intersect"] for entry in metrics if entry["intersect"]), []),
    )
    sources = [_in_common(source, predictions) for source in people.sources]
    if not any(source.annotations for source in sources):
        raise InputError(f"compare: {' and '.join(folders)} have no person in common")
    data_sets = {
        person_key(source.reader, person): source.name for source in sources for person in source.annotations
    }
    shared = people.attributes, people.all_people, data_sets
    return [
        Run(
            path,
            entry,
            score(predicted, sources, entry["torso"], entry.get("landmarks") or ()),
            *shared,
            topology,
        )
        for path, entry, predicted, topology in zip(paths, metrics, predictions, topologies, strict=True)
    ]


def short_names(runs: Sequence[Run]) -> list[str]:
    """Return the shortest distinct endings of the folders' paths, as column titles."""
    parts = [run.folder.parts for run in runs]
    depth = 1
    while len({part[-depth:] for part in parts}) < len(runs):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


_REQUIRED_KEYS = (
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
    metrics = read_results(file, "give result folders of blazepose eval (its out=)")
    if missing := [key for key in _REQUIRED_KEYS if key not in metrics]:
        raise InputError(
            f"compare: {file} has no {', '.join(missing)}: it is from another version; evaluate again"
        )
    return metrics


def _require_equal(paths: list[Path], metrics: list[dict[str, Any]], key: str) -> None:
    values = [entry[key] for entry in metrics]
    if len(set(values)) > 1:
        pairs = ", ".join(f"{path} {value}" for path, value in zip(paths, values, strict=True))
        raise InputError(f"compare: evaluations with different {key} cannot be compared: {pairs}")


def _predictions_file(folder: Path, metrics: Mapping[str, Any]) -> Path:
    """Return the scored predictions: the folder's own file, or the file of `predictions=`."""
    file = folder / "predictions.jsonl"
    return file if file.is_file() else Path(metrics["file"])


def _in_common(source: Source, predictions: list[dict[PersonKey, Prediction]]) -> Source:
    """Keep the people of a source that every evaluation has predictions of."""
    people = [
        person
        for person in source.annotations
        if all(person_key(source.reader, person) in predicted for predicted in predictions)
    ]
    return replace(source, annotations=people)
