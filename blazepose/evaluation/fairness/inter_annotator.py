"""Inter-annotator agreement: a second annotator's labels, scored as predictions."""

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
from blazepose.evaluation.metric_table import PCK, PDJ
from blazepose.evaluation.predictions import Prediction
from blazepose.evaluation.results import read_results
from blazepose.exceptions import InputError
from blazepose.metrics.group_range import DISCREPANCIES, LEAST_PEOPLE
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topology import Topology

_MAX_COST = 1e3
"""Matching cost of two people without a common point, and upper bound of all costs."""

MISSING = "not labelled by the second annotator"


def predictions_from_annotator(
    people: PeopleWithGroups, second: Source
) -> tuple[PeopleWithGroups, list[Prediction]]:
    """Convert a second annotator's labels to predictions for the people of the first.

    People of an image are matched by the distance of their points, since ids may differ. Points that only
    one annotator labelled are not scored.

    Args:
        people: people of the first annotator.
        second: labels of the second annotator.

    Returns:
        The first annotator's people that the second labelled, too, with the number of the others in
        `left_out` and a note on the second's unmatched people; and the predictions.

    Raises:
        ValueError: if they have no person in common.
    """
    candidates: dict[str, list[Annotation]] = defaultdict(list)
    for person in second.annotations:
        candidates[_image_key(person)].append(person)
    predictions: list[Prediction] = []
    sources = []
    for source in people.sources:
        pairs = list(_match_people(source.annotations, candidates))
        sources.append(_keep_matched(source, [first for first, _ in pairs]))
        predictions += [
            _as_prediction(source.reader, first, other)
            for first, other in pairs
            if alignment_error(first) is None
        ]
    if not predictions:
        raise InputError(
            f"{second.name} labels no person of {', '.join(source.name for source in people.sources)}: "
            "both annotators must label the same image files"
        )
    notes = [*people.notes, *second.notes]
    if rest := len(second.annotations) - sum(len(source.annotations) for source in sources):
        notes.append(f"{rest} people of {second.name} are not in data.test and are left out")
    return people._replace(sources=sources, notes=notes), predictions


def human_disagreement(annotators: str | None, torso: str) -> dict[str, float]:
    """Derive the fairness criterion from human disagreement: {metric: range in percentage points}.

    Args:
        annotators: folder of an evaluation of a second annotator; None returns no criterion.
        torso: torso definition of the current evaluation.

    Raises:
        FileNotFoundError: if there is no such evaluation.
        ValueError: if no criterion can be derived from it.
    """
    if not annotators:
        return {}
    folder = Path(annotators)
    if folder.name == "results.json":
        folder = folder.parent
    file = folder / "results.json"
    metrics = read_results(
        file,
        "create it with blazepose eval predictions=landmarks:SECOND.json "
        '"data.test=[landmarks:FIRST.json]" out=...',
    )
    if not metrics.get("annotators"):
        raise InputError(
            f"annotators={folder} evaluates a network; give an evaluation of predictions=landmarks:FILE"
        )
    if metrics["torso"] != torso:
        raise InputError(f"annotators={folder} uses torso={metrics['torso']}, this evaluation torso={torso}")
    if metrics["num_people"] < LEAST_PEOPLE:
        raise InputError(
            f"annotators={folder}: {metrics['num_people']} people are too few to measure agreement; have at "
            f"least {LEAST_PEOPLE} labelled twice"
        )
    people = {PCK: metrics["num_people"], PDJ: metrics.get("num_people_pdj", metrics["num_people"])}
    agreement = {
        metric: metrics[metric]
        for metric, count in people.items()
        if count >= LEAST_PEOPLE and metrics[metric] not in (None, 100)
    }
    if not agreement:
        raise InputError(
            f"annotators={folder}: the two annotators agree on every point, so no fairness criterion can be "
            "derived. Have more, or harder, people labelled twice."
        )
    criterion = {metric: round(DISCREPANCIES * (100 - share), 4) for metric, share in agreement.items()}
    for metric, largest_range in criterion.items():
        if largest_range >= 100:
            raise InputError(
                f"annotators={folder}: the annotators agree on only {agreement[metric]:.1f} % of the points "
                f"({metric.upper()}). With such a criterion nothing would count as unfair. Check both label "
                "files."
            )
    return criterion


def _image_key(person: Annotation) -> str:
    return os.path.abspath(person.image)  # noqa: PTH100 (as in predictions.person_key)


def _match_people(
    people: list[Annotation], candidates: dict[str, list[Annotation]]
) -> Iterator[tuple[Annotation, Annotation]]:
    """Match the people of each image to candidates one-to-one, by minimal total distance."""
    images: dict[str, list[Annotation]] = defaultdict(list)
    for person in people:
        images[_image_key(person)].append(person)
    for image, first in images.items():
        second = candidates[image]
        costs = np.array([[_mean_distance(a, b) for b in second] for a in first])
        costs = costs.reshape(len(first), len(second))
        matches = zip(*linear_sum_assignment(np.minimum(costs, _MAX_COST)), strict=True)
        yield from ((first[a], second[b]) for a, b in matches if costs[a, b] < 1)


def _mean_distance(first: Annotation, second: Annotation) -> float:
    """Compute the mean distance of common points, in half diagonals of the first; from 1 on, no match."""
    both = first.labelled & second.labelled
    if not both.any():
        return _MAX_COST
    distances = np.linalg.norm(first.landmarks_px[both] - second.landmarks_px[both], axis=1)
    extent = np.ptp(first.landmarks_px[first.labelled], axis=0)
    return float(distances.mean() / max(np.hypot(*extent) / 2, 1))


def _keep_matched(source: Source, matched: Sequence[Annotation]) -> Source:
    missing = len(source.annotations) - len(matched)
    left_out = source.left_out | ({MISSING: missing} if missing else {})
    ids = {id(person) for person in matched}
    people = [person for person in source.annotations if id(person) in ids]
    return replace(source, annotations=people, left_out=left_out)


def _as_prediction(reader: str, first: Annotation, second: Annotation) -> Prediction:
    """Convert the second annotator's labels of a person to a prediction, with the ROI of the first."""
    topology, labelled = first.topology, second.labelled
    has_visibility = second.labelled & (second.visibility != UNKNOWN)
    landmarks = np.full((topology.num_landmarks, 5), np.nan)
    landmarks[labelled, :2] = second.landmarks_px[labelled]
    landmarks[has_visibility, 3] = second.visibility[has_visibility]
    world = second.landmarks_world
    return Prediction(
        image=str(first.image),
        person=first.person,
        reader=reader,
        crop="annotation",
        roi=aligned_roi(first),
        landmarks=landmarks,
        landmarks_raw=None,
        landmarks_world=world,
        pose_presence=None,
        supervised=SupervisedOutputs(
            landmarks=_names(topology, labelled),
            visibility=_names(topology, has_visibility),
            outputs=("visibility",) * bool(has_visibility.any()) + ("world",) * (world is not None),
            recorded=("landmarks", "visibility", "outputs"),
            topology=topology,
        ),
    )


def _names(topology: Topology, mask: np.ndarray) -> tuple[str, ...]:
    return tuple(topology.landmarks[k] for k in np.flatnonzero(mask))
