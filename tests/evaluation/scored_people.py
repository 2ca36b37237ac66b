"""Scored people made by hand, with given errors and groups."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.evaluation.predictions import Prediction
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import NUM_LANDMARKS
from tests.evaluation.crowd import NAMED, person, source_of

TORSO_PX = 20 * np.hypot(0.3, 0.6)
"""Torso size of the people made here, from left shoulder to right hip."""


def labelled_person(number: int, visibility: Sequence[int] | None = None, **attributes: str) -> Annotation:
    """Return an annotation of the upright pose with 6 labelled points."""
    annotation = person(Path(f"im{number}.png"), number, (60.0, 50.0), radius=20, turn=0.0)
    labels = annotation.visibility.copy()
    if visibility is not None:
        labels[NAMED] = visibility
    return replace(annotation, visibility=labels, attributes=attributes)


def prediction_for(
    annotation: Annotation, off: Sequence[float], visibility: Sequence[float] = (1.0,) * 6
) -> Prediction:
    """Return a prediction whose points are `off` torso sizes to the right of their labels."""
    landmarks = np.zeros((NUM_LANDMARKS, 5))
    landmarks[NAMED, :2] = annotation.landmarks_px[NAMED] + np.outer(off, [TORSO_PX, 0])
    landmarks[NAMED, 3] = visibility
    return Prediction(
        image=str(annotation.image),
        person=annotation.person,
        reader="lsp",
        crop="annotation",
        roi=aligned_roi(annotation),
        landmarks=landmarks,
        landmarks_raw=None,
        landmarks_world=np.full((NUM_LANDMARKS, 3), np.nan),
        pose_presence=0.9,
        supervised=SupervisedOutputs.from_metadata(None),
    )


def score_people(people: Sequence[Annotation], predictions: Sequence[Prediction]) -> ScoredPeople:
    """Score predictions for people."""
    by_key = {("lsp", str(Path(p.image).absolute()), p.person): p for p in predictions}
    return score(by_key, [source_of(list(people))])


def people_with_correct(groups: dict[str, Sequence[int]]) -> ScoredPeople:
    """Score people of each group of `team`, with the given numbers of correct points out of 6."""
    people, predictions = [], []
    for group, counts in groups.items():
        for correct in counts:
            people.append(labelled_person(len(people), team=group))
            predictions.append(prediction_for(people[-1], [0.0] * correct + [1.0] * (6 - correct)))
    return score_people(people, predictions)
