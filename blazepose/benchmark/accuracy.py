"""PCK of several files on the same labelled people, and the paired change from the first file."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from blazepose.data.readers import read_source
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import person_key
from blazepose.evaluation.score import score
from blazepose.exceptions import InputError
from blazepose.metrics.bootstrap import Interval, accuracy_interval, paired_difference
from blazepose.metrics.pck import PCK_THRESHOLD


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

    Points count that all files were trained on.

    Args:
        files: landmark networks.
        data: labelled people, `reader:path[:split]`.

    Raises:
        ValueError: if the data cannot be read, or if nothing can be scored.
    """
    sources = [read_source(name) for name in data]
    jobs = plan_label_crops(sources, "annotation", 0)
    keys = [person_key(job.reader, job.annotation) for job in jobs]
    scored = [
        score(dict(zip(keys, predict(open_weights(file), jobs, "annotation"), strict=True)), sources)
        for file in files
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
