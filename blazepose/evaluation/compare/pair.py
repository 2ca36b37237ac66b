"""The two sides of `blazepose compare`: weights, which are evaluated here, or saved evaluations."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from blazepose.atomic import atomic_folder, file_sha256
from blazepose.config.evaluate import EvaluationConfig
from blazepose.data.readers import read_source
from blazepose.decoding import Decoding, check_decoding
from blazepose.evaluation.compare.comparison_inputs import Run, load_runs
from blazepose.evaluation.compare.forgetting import (
    Forgotten,
    RecordingEngine,
    forgetting,
)
from blazepose.evaluation.engine_registry import SUFFIXES, open_weights, weights_name
from blazepose.evaluation.evaluate import evaluate
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.inputs import EvaluationInput, resolve_input
from blazepose.evaluation.predict import CropJob, plan_label_crops, predict
from blazepose.evaluation.predictions import save_and_reload


class People(NamedTuple):
    """The people that weights are evaluated on.

    Attributes:
        data: labelled people, as `reader:path[:split]`.
        metadata: CSV file of their groups, or None.
        roi: source of the crops, a key of predict.CROPS.
        decoding: how to compute x and y; None for what each weights are made for.
    """

    data: list[str]
    metadata: str | None
    roi: str
    decoding: Decoding | None = None


def is_evaluation(path: Path) -> bool:
    """Return whether a path is the folder of a saved evaluation; a training run has a config, too."""
    return (path / "results.json").is_file() and not (path / "config.yaml").is_file()


def load_pair(pair: Sequence[Path], people: People, folder: Path) -> tuple[list[Run], Forgotten]:
    """Evaluate the weights of a pair, load both evaluations, and measure what was forgotten.

    Args:
        pair: two weights or folders of evaluations.
        people: people for the weights.
        folder: folder for the evaluations of weights, each in a subfolder.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file cannot be read, or if the evaluations cannot be compared.
    """
    inputs = [None if is_evaluation(path) else _open(path, people) for path in pair]
    if not any(inputs):
        runs = load_runs([str(path) for path in pair])
        return runs, forgotten_by(runs)
    names = [weights_name(evaluated.file) if evaluated else "" for evaluated in inputs]
    if names[0] == names[1]:
        names = ["before", "after"]
    folders = [
        folder / name if evaluated else path
        for path, evaluated, name in zip(pair, inputs, names, strict=True)
    ]
    recorders = [
        _evaluate(evaluated, people, results)
        for evaluated, results in zip(inputs, folders, strict=True)
        if evaluated
    ]
    runs = load_runs([str(path) for path in folders])
    if len(recorders) < 2:
        return runs, forgotten_by(runs)
    (jobs, first), (_, second) = recorders
    if reason := _why_not_compared(runs):
        return runs, Forgotten({}, reason)
    return runs, forgetting(jobs, runs[0].data_sets, first, second.outputs())


def _why_not_compared(runs: Sequence[Run]) -> str | None:
    different = runs[0].topology != runs[1].topology
    return "the networks have different landmarks and crops" if different else None


def _open(weights: Path, people: People) -> EvaluationInput:
    evaluated = resolve_input(EvaluationConfig(weights=str(weights), roi=people.roi))
    if people.decoding and evaluated.engine:
        check_decoding(people.decoding, evaluated.engine.metadata)  # before the other weights are evaluated
    return evaluated


def _evaluate(
    evaluated: EvaluationInput, people: People, folder: Path
) -> tuple[list[CropJob], RecordingEngine]:
    """Evaluate weights as `blazepose eval` does, without a report, and return the crops and their outputs."""
    assert evaluated.engine is not None
    sources = [read_source(spec, evaluated.topology) for spec in people.data]
    grouped = group_people(sources, people.metadata, [])
    jobs = plan_label_crops(grouped.sources, people.roi, EvaluationConfig.seed)
    engine, options = RecordingEngine(evaluated.engine, people.decoding), EvaluationConfig(roi=people.roi)
    fairness = FairnessConfig(grouped.attributes, all_people=grouped.all_people)
    provenance = evaluated.provenance | {"data": people.data, "metadata": people.metadata}
    with atomic_folder(folder) as part:
        predicted = predict(engine, jobs, people.roi, decoding=people.decoding)
        predictions = save_and_reload(predicted, part, evaluated.file)
        _, metrics = evaluate(predictions, grouped, fairness, options, provenance)
        (part / "results.json").write_text(json.dumps(metrics, indent=2) + "\n")
    return jobs, engine


def forgotten_by(runs: Sequence[Run]) -> Forgotten:
    """Measure what was forgotten between two evaluations, if their weights are still there."""
    for run in runs:
        if reason := _why_not_run(Path(run.metrics["file"]), run.metrics["sha256"]):
            return Forgotten({}, reason)
    if reason := _why_not_compared(runs):
        return Forgotten({}, reason)
    people = zip(runs[0].scored.annotations, runs[0].scored.predictions, strict=True)
    jobs = [CropJob(prediction.reader, person, prediction.roi) for person, prediction in people]
    first, second = (
        RecordingEngine(open_weights(Path(run.metrics["file"])), run.metrics.get("decoding")) for run in runs
    )
    for recorder in (first, second):
        recorder.run_on_crops(jobs)
    return forgetting(jobs, runs[0].data_sets, first, second.outputs())


def _why_not_run(file: Path, sha256: str) -> str | None:
    if file.suffix not in SUFFIXES:
        return f"{file} holds no weights, but predictions or labels"
    if not file.is_file():
        return f"the weights {file} are missing"
    return None if file_sha256(file) == sha256 else f"the weights {file} have changed since their evaluation"
