"""Second pass: predictions against annotations."""

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from blazepose.data.align import alignment_error
from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.output_metrics import ScoredOutputs, score_outputs
from blazepose.evaluation.predictions import (
    PersonKey,
    Prediction,
    learned_landmarks,
    person_key,
    require_unique,
)
from blazepose.geometry import images_to_rois, rois_to_images
from blazepose.metrics.pck import normalized_errors, torso_size
from blazepose.metrics.swaps import swapped_pairs
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

SUBJECT = "subject"
"""Attribute that is equal for one person in several pictures."""


class ScoredPeople(NamedTuple):
    """The people that count, with their errors in torso sizes.

    Attributes:
        annotations: of the people.
        predictions: of the same people.
        found: (people,) bool, Prediction.found of each.
        subjects: (people,) numbers, equal for one person in several pictures, if the `subject` is known.
        target_px: (people, 33, 2) labels; meaningless where not labelled.
        labelled: (people, 33) bool.
        sizes: (people,) of the torso, pixels.
        learned: (people, 33) bool, landmarks that the weights learned.
        counted: (people, 33) bool, landmarks that are labelled, too: the points that are scored.
        errors: (people, 33), of the landmarks as the runtime returns them, refined by the heatmap; infinite
            of people whom the detector did not find, NaN of a point that is predicted as NaN: both are wrong.
        errors_raw: (people, 33), of the regression output; infinite and NaN as `errors` are, and NaN where it
            is not told.
        regressed: (people, 33) bool, points that count of the regression output; none if nobody's is told.
        errors_mean_pose: (people, 33), of the median aligned pose of these people: what a network scores
            that always says the same.
        offsets: (people, 33, 2), from the label to the landmark as the runtime returns it, right and down in
            the crop: in the upright frame of the person.
        swapped: (people, 16) bool, pairs of metrics.swaps that are taken for each other.
        pairs: (people, 16) bool, those that could be.
        heads: what is scored beside 2-D landmarks.
        left_out: people that do not count, by reason.
        torso: key of TORSOS.
        not_trained: labelled points of landmarks that the weights never learned, by name.
    """

    annotations: list[Annotation]
    predictions: list[Prediction]
    found: np.ndarray
    subjects: np.ndarray
    target_px: np.ndarray
    labelled: np.ndarray
    sizes: np.ndarray
    learned: np.ndarray
    counted: np.ndarray
    errors: np.ndarray
    errors_raw: np.ndarray
    regressed: np.ndarray
    errors_mean_pose: np.ndarray
    offsets: np.ndarray
    swapped: np.ndarray
    pairs: np.ndarray
    heads: ScoredOutputs
    left_out: dict[str, int]
    torso: str
    not_trained: dict[str, int]


def score(
    predictions: Mapping[PersonKey, Prediction], sources: list[Source], torso: str = "across"
) -> ScoredPeople:
    """Errors of everybody who has what the metric needs.

    Args:
        predictions: as read from predictions.jsonl.
        sources: the annotations they are scored against.
        torso: key of TORSOS.

    Raises:
        ValueError: if a person has no prediction, if somebody is there twice, or if nothing can be scored.
    """
    people = [(source, annotation) for source in sources for annotation in source.annotations]
    keys = [person_key(source.reader, annotation) for source, annotation in people]
    require_unique(keys)
    sizes = torso_size(
        np.array([annotation.landmarks_px for _, annotation in people]),
        np.array([annotation.labelled for _, annotation in people]),
        torso,
    )
    left_out = Counter[str]()
    for source in sources:
        left_out.update(source.left_out)
    rows, said, missing = [], [], []
    for row, ((source, annotation), size) in enumerate(zip(people, sizes, strict=True)):
        if reason := _why_not_scorable(annotation, float(size)):
            left_out[reason] += 1
        elif keys[row] in predictions:
            rows.append(row)
            said.append(predictions[keys[row]])
        else:
            missing.append((source, annotation))
    if missing:
        source, annotation = missing[0]
        there = [f"{one.image}, person {one.person}" for one in islice(predictions.values(), 1)]
        raise ValueError(
            f"no prediction for {len(missing)} of {len(missing) + len(rows)} people, first for "
            f"{annotation.image}, person {annotation.person}, of {source.name}; there are "
            f"{len(predictions)}, first for {''.join(there)}: name their own data, or predict again"
        )
    if not rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise ValueError(f"{', '.join(s.name for s in sources)}: nobody can be scored ({reasons})")
    return _errors([people[row][1] for row in rows], said, sizes[rows], dict(left_out), torso)


def _why_not_scorable(annotation: Annotation, torso: float) -> str | None:
    if reason := alignment_error(annotation):
        return reason
    return "zero torso" if torso == 0 else None


def _errors(
    annotations: list[Annotation],
    predictions: list[Prediction],
    sizes: np.ndarray,
    left_out: dict[str, int],
    torso: str,
) -> ScoredPeople:
    target = np.array([annotation.landmarks_px for annotation in annotations]).astype(np.float64)
    labelled = np.array([annotation.labelled for annotation in annotations])
    learned = learned_landmarks(predictions, "landmarks")
    found = np.array([prediction.found for prediction in predictions])
    refined = np.array([prediction.landmarks[:, :2] for prediction in predictions])
    refined[~np.isfinite(refined)] = np.nan
    unknown = np.full((NUM_LANDMARKS, 2), np.nan)
    raw = np.array([unknown if p.landmarks_raw is None else p.landmarks_raw for p in predictions])
    raw[~np.isfinite(raw)] = np.nan
    if not (labelled & learned).any():
        raise ValueError(
            "nothing to score: the weights never learned to regress any of the labelled landmarks (after a "
            "heatmap stage, a regression or joint stage follows)"
        )
    swapped, pairs = swapped_pairs(refined, target, labelled & learned, sizes)
    missed = (labelled & ~learned).sum(axis=0)
    told = found & [prediction.landmarks_raw is not None for prediction in predictions]
    return ScoredPeople(
        annotations=annotations,
        predictions=predictions,
        found=found,
        subjects=_subjects(annotations),
        target_px=target,
        labelled=labelled,
        sizes=sizes,
        learned=learned,
        counted=labelled & learned,
        errors=_where_found(normalized_errors(refined, target, sizes), found),
        errors_raw=_where_found(normalized_errors(raw, target, sizes), found, told.any()),
        regressed=labelled & learned & ((told | ~found) & told.any())[:, None],
        errors_mean_pose=_where_found(
            normalized_errors(mean_pose(target, labelled, predictions), target, sizes), found
        ),
        offsets=_turned(refined - target, predictions) / sizes[:, None, None],
        swapped=swapped,
        pairs=pairs,
        heads=score_outputs(annotations, predictions),
        left_out=left_out,
        torso=torso,
        not_trained={LANDMARKS[k]: int(missed[k]) for k in np.flatnonzero(missed)},
    )


def _subjects(annotations: list[Annotation]) -> np.ndarray:
    """A number for everybody; who has the same subject has the same one."""
    named: dict[str, int] = {}
    return np.array(
        [
            named.setdefault(person.attributes[SUBJECT], row) if SUBJECT in person.attributes else row
            for row, person in enumerate(annotations)
        ]
    )


def _where_found(errors: np.ndarray, found: np.ndarray, told: np.bool = np.True_) -> np.ndarray:
    """Errors (people, 33); infinite of people who were not found, unless nothing is told of anybody."""
    return np.where(found[:, None] | ~told, errors, np.inf)


def _turned(vectors_px: np.ndarray, predictions: list[Prediction]) -> np.ndarray:
    """Vectors (people, 33, 2) from the axes of the picture to those of each person's crop."""
    angles = np.array([prediction.roi.rotation_rad for prediction in predictions])
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = vectors_px[..., 0], vectors_px[..., 1]
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)


def mean_pose(target_px: np.ndarray, labelled: np.ndarray, predictions: list[Prediction]) -> np.ndarray:
    """The median pose of the crops, put into each of them.

    Args:
        target_px: (people, 33, 2).
        labelled: (people, 33) bool.
        predictions: for their ROIs.

    Returns:
        (people, 33, 2) pixels; 0 for landmarks that nobody has.
    """
    rois = [prediction.roi for prediction in predictions]
    target_roi = images_to_rois(rois, target_px)
    median = np.zeros((NUM_LANDMARKS, 2))
    for k in np.flatnonzero(labelled.any(axis=0)):
        median[k] = np.median(target_roi[labelled[:, k], k], axis=0)
    return rois_to_images(rois, median)
