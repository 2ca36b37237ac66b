"""Scored people made by hand: who has which points right, and which groups they are in."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.evaluation.predictions import Prediction
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.topology import NUM_LANDMARKS
from tests.evaluation.crowd import NAMED, person, source_of

TORSO_PX = 20 * np.hypot(0.3, 0.6)
"""From the left shoulder to the right hip of who is made here."""


def somebody(number: int, visibility: Sequence[int] | None = None, **attributes: str) -> Annotation:
    """One of the crowd's poses, upright, with 6 labelled points."""
    made = person(Path(f"im{number}.png"), number, (60.0, 50.0), radius=20, turn=0.0)
    seen = made.visibility.copy()
    if visibility is not None:
        seen[NAMED] = visibility
    return replace(made, visibility=seen, attributes=attributes)


def answer(about: Annotation, off: Sequence[float], seen: Sequence[float] = (1.0,) * 6) -> Prediction:
    """A prediction whose points are so many torsos to the right of their labels."""
    landmarks = np.zeros((NUM_LANDMARKS, 5))
    landmarks[NAMED, :2] = about.landmarks_px[NAMED] + np.outer(off, [TORSO_PX, 0])
    landmarks[NAMED, 3] = seen
    return Prediction(
        image=str(about.image),
        person=about.person,
        reader="lsp",
        crop="annotation",
        roi=aligned_roi(about),
        landmarks=landmarks,
        landmarks_raw=None,
        landmarks_world=np.full((NUM_LANDMARKS, 3), np.nan),
        pose_presence=0.9,
        trained=None,
    )


def judged(people: Sequence[Annotation], answers: Sequence[Prediction]) -> ScoredPeople:
    """People and what is said of them."""
    said = {("lsp", str(Path(p.image).absolute()), p.person): p for p in answers}
    return score(said, [source_of(list(people))])


def with_right(groups: dict[str, Sequence[int]]) -> ScoredPeople:
    """People of whom so many of 6 points are right, by group of `team`."""
    people, answers = [], []
    for group, rights in groups.items():
        for right in rights:
            people.append(somebody(len(people), team=group))
            answers.append(answer(people[-1], [0.0] * right + [1.0] * (6 - right)))
    return judged(people, answers)
