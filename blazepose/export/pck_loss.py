"""PCK of an exported file and of its weights, on the same labelled people."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from blazepose.data.readers import read_source
from blazepose.decoding import default_decoding
from blazepose.evaluation.engine_registry import TorchEngine, validation_data
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import person_key
from blazepose.evaluation.score import score
from blazepose.export.verification_images import sample_evenly
from blazepose.metrics.bootstrap import Interval, paired_difference
from blazepose.metrics.pck import PCK_THRESHOLD, pck
from blazepose.runtime.engines import InferenceEngine, LandmarkEngine

_NUM_PEOPLE = 200
"""Chosen: a minute on two cores for full; the interval shows what so few people cannot tell."""


class PckLoss(NamedTuple):
    """PCK@0.2 of a file and of its weights, in per cent, crops from the labels.

    Attributes:
        data: names of the data.
        people: number of people.
        weights: PCK of the weights.
        file: PCK of the file.
        change: from the weights to the file, paired, with its 95 % interval.
    """

    data: list[str]
    people: int
    weights: float
    file: float
    change: Interval

    def describe(self) -> str:
        """Return a sentence for the user."""
        change, low, high = self.change
        return (
            f"PCK@0.2 on {self.people} people of {', '.join(self.data)}: {self.weights:.1f} in torch, "
            f"{self.file:.1f} in the file ({change:+.1f}, 95 % interval {low:+.1f} to {high:+.1f})"
        )


def pck_loss(file: Path, weights: Path, metadata: Mapping[str, Any]) -> PckLoss:
    """Score a file and its weights on up to 200 people of their validation data.

    Args:
        file: the exported file.
        weights: what it was exported from.
        metadata: metadata of the file.

    Raises:
        ValueError: if they state no validation data, or none of its labels can be scored.
    """
    names = validation_data(weights, metadata)
    engines: tuple[InferenceEngine, ...] = TorchEngine(weights), LandmarkEngine(file)
    sources = [read_source(name, engines[0].topology) for name in names]
    share = _NUM_PEOPLE // len(sources)
    sources = [replace(source, annotations=sample_evenly(source.annotations, share)) for source in sources]
    jobs = plan_label_crops(sources, "annotation", 0)
    decoding = default_decoding(metadata)
    scored = [
        score(
            {
                person_key(job.reader, job.annotation): prediction
                for job, prediction in zip(
                    jobs, predict(engine, jobs, "annotation", 16, decoding), strict=True
                )
            },
            sources,
        )
        for engine in engines
    ]
    counted, subjects = scored[0].counted, scored[0].subjects
    correct = [each.errors < PCK_THRESHOLD for each in scored]
    change = paired_difference(correct[0], correct[1], counted, subjects=subjects)
    before, after = (pck(each.errors, counted) for each in scored)
    return PckLoss(names, len(counted), before, after, change)
