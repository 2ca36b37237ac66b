"""PCK of several files on the same labelled people, and the paired change from the first file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from blazepose.data.readers import read_source
from blazepose.evaluation.common_landmarks import common_topology, select_landmarks
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import (
    PersonKey,
    Prediction,
    person_key,
)
from blazepose.evaluation.score import score
from blazepose.exceptions import InputError
from blazepose.metrics.bootstrap import Interval, accuracy_interval, paired_difference
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.topology import Topology


class Accuracy(NamedTuple):
    """Accuracy of several files.

    Attributes:
        people: number of scored people.
        pck: PCK@0.2 of each file in per cent, with its 95 % interval.
        change: paired change from the first file, in points, with its 95 % interval; None for the first.
    """

    people: int
    pck: list[Interval]
    change: list[Interval | None]


def measure_accuracy(files: Sequence[Path], data: Sequence[str]) -> Accuracy:
    """Run landmark networks on labelled people, crops from the labels, decoded as each file is made for.

    People count who have a crop for all files, and points that all files were trained on.

    Args:
        files: landmark networks.
        data: labelled people, `reader:path[:split]`.

    Raises:
        ValueError: if the data cannot be read, or if nothing can be scored.
    """
    predictions, networks = zip(*(_predict(file, data) for file in files), strict=True)
    topology = common_topology(networks)
    sources = [
        replace(
            source,
            annotations=[
                person
                for person in source.annotations
                if all(person_key(source.reader, person) in predicted for predicted in predictions)
            ],
        )
        for source in (read_source(name, topology) for name in data)
    ]
    scored = [
        score({key: select_landmarks(each, topology) for key, each in predicted.items()}, sources)
        for predicted in predictions
    ]
    counted = np.logical_and.reduce([each.counted for each in scored])
    rows = counted.any(axis=1)
    if not rows.any():
        raise InputError(f"{', '.join(data)}: the files have no trained landmark in common that is labelled")
    counted, subjects = counted[rows], scored[0].subjects[rows]
    correct = [(each.errors[rows] < PCK_THRESHOLD) & counted for each in scored]
    return Accuracy(
        len(counted),
        [accuracy_interval(each.sum(axis=1), counted.sum(axis=1), subjects=subjects) for each in correct],
        [None, *(paired_difference(correct[0], each, counted, subjects=subjects) for each in correct[1:])],
    )


def _predict(file: Path, data: Sequence[str]) -> tuple[dict[PersonKey, Prediction], Topology]:
    """Run a network on the people of data sources, and return its topology, too."""
    engine = open_weights(file)
    jobs = plan_label_crops([read_source(name, engine.topology) for name in data], "annotation", 0)
    keys = [person_key(job.reader, job.annotation) for job in jobs]
    return dict(zip(keys, predict(engine, jobs, "annotation"), strict=True)), engine.topology
