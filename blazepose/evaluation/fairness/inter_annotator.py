"""How well people agree: a second annotator's labels in the place of a network's answers."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.evaluation.groups.assignment import PeopleWithGroups
from blazepose.evaluation.groups.group_metrics import PCK, PDJ
from blazepose.evaluation.predictions import Prediction
from blazepose.evaluation.results import read_results
from blazepose.metrics.group_range import DISCREPANCIES, LEAST_PEOPLE
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

_STRANGERS = 1e3
"""Distance of two people who have no point in common, or none near each other: they are matched last."""

MISSING = "not labelled by the second annotator"


def predictions_from_annotator(
    people: PeopleWithGroups, second: Source
) -> tuple[PeopleWithGroups, list[Prediction]]:
    """Labels of a second annotator as predictions about the people of the first.

    Who is who is told by places, the nearest points of each picture: ids are each annotator's own. Points
    that only one of both labelled do not count.

    Args:
        people: of the first annotator.
        second: the other's.

    Returns:
        The first annotator's people without those whom the second did not label, who are counted as left
        out, with a note of those whom the first did not; and the predictions.

    Raises:
        ValueError: if they have nobody in common.
    """
    others: dict[str, list[Annotation]] = defaultdict(list)
    for person in second.annotations:
        others[_place(person)].append(person)
    predictions: list[Prediction] = []
    known = []
    for source in people.sources:
        pairs = list(_pairs(source.annotations, others))
        known.append(_without_partner(source, [first for first, _ in pairs]))
        predictions += [
            _as_prediction(source.reader, first, other)
            for first, other in pairs
            if alignment_error(first) is None
        ]
    if not predictions:
        raise ValueError(
            f"{second.name} labels nobody of {', '.join(source.name for source in people.sources)}: "
            "the annotators need the same pictures, in the same places"
        )
    notes = [*people.notes, *second.notes]
    if rest := len(second.annotations) - sum(len(source.annotations) for source in known):
        notes.append(f"{rest} people of {second.name} are not in data.test, and are left out")
    return people._replace(sources=known, notes=notes), predictions


def human_disagreement(measured: str | None, torso: str) -> dict[str, float]:
    """{metric: range above which groups are treated unfairly, in points of a hundred}, where it was measured.

    Args:
        measured: folder of an evaluation of a second annotator, whose discrepancy says it; None is nothing.
        torso: definition by which the groups are measured.

    Raises:
        FileNotFoundError: if there is no such evaluation.
        ValueError: if it is of something else.
    """
    if not measured:
        return {}
    folder = Path(measured)
    if folder.name == "results.json":
        folder = folder.parent
    file = folder / "results.json"
    figures = read_results(
        file,
        "make it with python eval.py predictions=landmarks:SECOND.json "
        '"data.test=[landmarks:FIRST.json]" out=...',
    )
    if not figures.get("annotators"):
        raise ValueError(
            f"annotators={folder} scores a network; name an evaluation of predictions=landmarks:FILE"
        )
    if figures["torso"] != torso:
        raise ValueError(f"annotators={folder} measures by torso={figures['torso']}, not {torso}")
    if figures["num_people"] < LEAST_PEOPLE:
        raise ValueError(
            f"annotators={folder}: {figures['num_people']} people are too few to tell how well they agree; "
            f"label {LEAST_PEOPLE} or more twice"
        )
    people = {PCK: figures["num_people"], PDJ: figures.get("num_people_pdj", figures["num_people"])}
    agreed = {
        metric: figures[metric]
        for metric, count in people.items()
        if count >= LEAST_PEOPLE and figures[metric] not in (None, 100)
    }
    if not agreed:
        raise ValueError(f"annotators={folder}: they agree wholly, which says nothing of people who do not")
    found = {metric: round(DISCREPANCIES * (100 - share), 4) for metric, share in agreed.items()}
    for metric, most in found.items():
        if most >= 100:
            raise ValueError(
                f"annotators={folder}: they agree in {agreed[metric]:.1f} % of the points only "
                f"({metric.upper()}), so nothing would be unfair; look at their labels"
            )
    return found


def _place(person: Annotation) -> str:
    return os.path.abspath(person.image)  # noqa: PTH100 (as in predictions.person_key)


def _pairs(
    people: list[Annotation], others: dict[str, list[Annotation]]
) -> Iterator[tuple[Annotation, Annotation]]:
    """Who is who: of each picture the pairs that are nearest in all."""
    pictures: dict[str, list[Annotation]] = defaultdict(list)
    for person in people:
        pictures[_place(person)].append(person)
    for picture, here in pictures.items():
        there = others[picture]
        apart = np.array([[_apart(a, b) for b in there] for a in here]).reshape(len(here), len(there))
        found = zip(*linear_sum_assignment(np.minimum(apart, _STRANGERS)), strict=True)
        yield from ((here[a], there[b]) for a, b in found if apart[a, b] < 1)


def _apart(first: Annotation, second: Annotation) -> float:
    """Mean distance of the points that both have, in half diagonals of the first's: from 1 on, strangers."""
    both = first.labelled & second.labelled
    if not both.any():
        return _STRANGERS
    distances = np.linalg.norm(first.landmarks_px[both] - second.landmarks_px[both], axis=1)
    extent = np.ptp(first.landmarks_px[first.labelled], axis=0)
    return float(distances.mean() / max(np.hypot(*extent) / 2, 1))


def _without_partner(source: Source, matched: Sequence[Annotation]) -> Source:
    missing = len(source.annotations) - len(matched)
    left_out = source.left_out | ({MISSING: missing} if missing else {})
    known = {id(person) for person in matched}
    people = [person for person in source.annotations if id(person) in known]
    return replace(source, annotations=people, left_out=left_out)


def _as_prediction(reader: str, first: Annotation, second: Annotation) -> Prediction:
    """What the second annotator says of a person of the first, whose labels say where the crop is."""
    labelled, told = second.labelled, second.labelled & (second.visibility != UNKNOWN)
    landmarks = np.full((NUM_LANDMARKS, 5), np.nan)
    landmarks[labelled, :2] = second.landmarks_px[labelled]
    landmarks[told, 3] = second.visibility[told]
    world = second.landmarks_world
    return Prediction(
        image=str(first.image),
        person=first.person,
        reader=reader,
        crop="annotation",
        roi=aligned_roi(first),
        landmarks=landmarks,
        landmarks_raw=None,
        landmarks_world=np.full((NUM_LANDMARKS, 3), np.nan) if world is None else world,
        pose_presence=None,
        trained={
            "landmarks": _names(labelled),
            "visibility": _names(told),
            "outputs": ["visibility"] * bool(told.any()) + ["world"] * (world is not None),
        },
    )


def _names(chosen: np.ndarray) -> list[str]:
    return [LANDMARKS[k] for k in np.flatnonzero(chosen)]
