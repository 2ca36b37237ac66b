"""Second pass: score predictions against annotations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from blazepose.data.align import alignment_error
from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.output_metrics import ScoredOutputs, score_outputs
from blazepose.evaluation.predictions import (
    PersonKey,
    Prediction,
    person_key,
    require_unique,
    supervised_landmarks,
)
from blazepose.exceptions import InputError
from blazepose.metrics.pck import has_torso, normalized_errors, torso_size
from blazepose.topology import Topology

SUBJECT = "subject"
"""Attribute with the identity of a person, equal across images."""


@dataclass(frozen=True, eq=False)
class ScoredPeople:
    """The scored people, with their errors in torso sizes.

    Attributes:
        annotations: annotation of each person.
        predictions: prediction for each person.
        detected: (people,) bool, Prediction.detected of each.
        subjects: (people,) identity numbers: people of the same `subject` share one, others are unique.
        points_px: (people, landmarks, 2) landmarks refined by the heatmap; NaN where predicted as NaN or
            infinity.
        target_px: (people, landmarks, 2) labels, undefined where unlabelled.
        labelled: (people, landmarks) bool.
        sizes: (people,) torso sizes in pixels.
        supervised: (people, landmarks) bool, landmarks that the weights were trained on.
        counted: (people, landmarks) bool, the scored points: labelled, supervised and chosen.
        errors: (people, landmarks) errors of the heatmap-refined landmarks; inf for missed people, NaN for
            points predicted as NaN: both count as wrong.
        errors_raw: (people, landmarks) errors of the regression output, likewise; NaN where it is missing.
        regressed: (people, landmarks) bool, scored points of the regression output; none if no prediction has
            it.
        outputs: scores of the outputs other than 2-D landmarks.
        left_out: number of people not scored, by reason.
        torso: key of TORSOS.
        chosen: names of the landmarks that the evaluation is restricted to; empty for all.
    """

    annotations: list[Annotation]
    predictions: list[Prediction]
    detected: np.ndarray
    subjects: np.ndarray
    points_px: np.ndarray
    target_px: np.ndarray
    labelled: np.ndarray
    sizes: np.ndarray
    supervised: np.ndarray
    counted: np.ndarray
    errors: np.ndarray
    errors_raw: np.ndarray
    regressed: np.ndarray
    outputs: ScoredOutputs
    left_out: dict[str, int]
    torso: str
    chosen: Sequence[str] = ()

    @property
    def topology(self) -> Topology:
        """Landmarks of the arrays."""
        return self.annotations[0].topology

    @property
    def not_trained(self) -> dict[str, int]:
        """Number of labelled points by landmark, for landmarks not supervised in training."""
        counts = (self.labelled & ~self.supervised & _choice(self.topology, self.chosen)).sum(axis=0)
        return {self.topology.landmarks[k]: int(counts[k]) for k in np.flatnonzero(counts)}

    @property
    def num_torso_from_shoulders(self) -> int:
        """Number of people whose torso size comes from the shoulder width."""
        return int((~has_torso(self.labelled, self.torso, self.topology)).sum())


def _choice(topology: Topology, chosen: Sequence[str]) -> np.ndarray:
    """Return the mask of the landmarks to score, bool (landmarks,); all of them without a choice."""
    return np.isin(topology.landmarks, chosen or topology.landmarks)


def score(
    predictions: Mapping[PersonKey, Prediction],
    sources: list[Source],
    torso: str = "across",
    chosen: Sequence[str] = (),
) -> ScoredPeople:
    """Score the predictions of all people with the labels that the metric needs.

    Args:
        predictions: content of predictions.jsonl.
        sources: annotations to score against, with the landmarks of the predictions.
        torso: key of TORSOS.
        chosen: names of the landmarks to score; empty for all.

    Raises:
        ValueError: if a person has no prediction or occurs twice, or if nothing can be scored.
    """
    people = [(source, annotation) for source in sources for annotation in source.annotations]
    keys = [person_key(source.reader, annotation) for source, annotation in people]
    require_unique(keys)
    sizes = torso_size(
        np.array([annotation.landmarks_px for _, annotation in people]),
        np.array([annotation.labelled for _, annotation in people]),
        torso,
        people[0][1].topology,
    )
    left_out = Counter[str]()
    for source in sources:
        left_out.update(source.left_out)
    rows, matched, missing = [], [], []
    for row, ((source, annotation), size) in enumerate(zip(people, sizes, strict=True)):
        if reason := _exclusion_reason(annotation, float(size)):
            left_out[reason] += 1
        elif keys[row] in predictions:
            rows.append(row)
            matched.append(predictions[keys[row]])
        else:
            missing.append((source, annotation))
    if missing:
        source, annotation = missing[0]
        first = [f"{entry.image}, person {entry.person}" for entry in islice(predictions.values(), 1)]
        raise InputError(
            f"no prediction for {len(missing)} of {len(missing) + len(rows)} people, the first is "
            f"{annotation.image}, person {annotation.person}, of {source.name}. The file has "
            f"{len(predictions)} predictions, the first for {''.join(first)}. Set data.test to the data they "
            "were made on, or run the weights again."
        )
    if not rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise InputError(f"{', '.join(s.name for s in sources)}: no person can be scored ({reasons})")
    return _score_people(
        [people[row][1] for row in rows], matched, sizes[rows], dict(left_out), torso, chosen
    )


def _exclusion_reason(annotation: Annotation, torso: float) -> str | None:
    if reason := alignment_error(annotation):
        return reason
    return "zero torso" if torso == 0 else None


def _score_people(
    annotations: list[Annotation],
    predictions: list[Prediction],
    sizes: np.ndarray,
    left_out: dict[str, int],
    torso: str,
    chosen: Sequence[str],
) -> ScoredPeople:
    choice = _choice(annotations[0].topology, chosen)
    target = np.array([annotation.landmarks_px for annotation in annotations]).astype(np.float64)
    labelled = np.array([annotation.labelled for annotation in annotations])
    supervised = supervised_landmarks(predictions, "landmarks")
    detected = np.array([prediction.detected for prediction in predictions])
    refined = np.array([prediction.landmarks[:, :2] for prediction in predictions])
    refined[~np.isfinite(refined)] = np.nan
    missing = np.full(target.shape[1:], np.nan)
    raw = np.array([missing if p.landmarks_raw is None else p.landmarks_raw for p in predictions])
    raw[~np.isfinite(raw)] = np.nan
    counted = labelled & supervised & choice
    if not counted.any():
        if not supervised.any():
            raise InputError(
                "nothing to score: these weights were trained with heatmaps only. Continue with "
                "stages.regression or stages.joint."
            )
        if (labelled & supervised).any():
            raise InputError(
                f"nothing to score: none of landmarks=[{','.join(chosen)}] is labelled and predicted"
            )
        raise InputError(
            "nothing to score: these weights were not trained on any of the labelled landmarks. Choose other "
            "data with data.test."
        )
    has_raw = detected & [prediction.landmarks_raw is not None for prediction in predictions]
    errors_raw = normalized_errors(raw, target, sizes)
    return ScoredPeople(
        annotations=annotations,
        predictions=predictions,
        detected=detected,
        subjects=_subjects(annotations),
        points_px=refined,
        target_px=target,
        labelled=labelled,
        sizes=sizes,
        supervised=supervised,
        counted=counted,
        errors=inf_where_missed(normalized_errors(refined, target, sizes), detected),
        errors_raw=inf_where_missed(errors_raw, detected) if has_raw.any() else errors_raw,
        regressed=counted & ((has_raw | ~detected) & has_raw.any())[:, None],
        outputs=score_outputs(annotations, predictions, choice),
        left_out=left_out,
        torso=torso,
        chosen=chosen,
    )


def _subjects(annotations: list[Annotation]) -> np.ndarray:
    """Return an identity number for each person, equal for the same subject."""
    numbers: dict[str, int] = {}
    return np.array(
        [
            numbers.setdefault(person.attributes[SUBJECT], row) if SUBJECT in person.attributes else row
            for row, person in enumerate(annotations)
        ]
    )


def inf_where_missed(errors: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """Return errors (people, landmarks), with inf for missed people."""
    return np.where(detected[:, None], errors, np.inf)
