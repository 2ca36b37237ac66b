"""Metrics of an evaluation: the content of results.json, and a one-sentence summary."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import UNKNOWN
from blazepose.evaluation.fairness.verdicts import (
    DEMOGRAPHIC_ATTRIBUTES,
    MOST_GROUPS,
    FairnessConfig,
    fairness,
)
from blazepose.evaluation.groups.breakdown import breakdown
from blazepose.evaluation.groups.group_metrics import GroupIndex, GroupMetrics, group_rows
from blazepose.evaluation.keypoint_partition import PARTS, SUBSETS, indices_by_name
from blazepose.evaluation.metric import Place
from blazepose.evaluation.metric_table import METRICS, PCK, PDJ, metrics_in
from blazepose.evaluation.numbers import number, numbers
from blazepose.evaluation.output_metrics import calibration, class_table
from blazepose.evaluation.score import ScoredPeople
from blazepose.file_content import check_file, unreadable
from blazepose.metrics.bootstrap import accuracy_interval
from blazepose.metrics.pck import pck_curve, torso_definition
from blazepose.metrics.points import PersonScores
from blazepose.topologies import topologies


def read_results(file: Path, otherwise: str) -> dict[str, Any]:
    """Read the results.json of an evaluation.

    Args:
        file: the results.json.
        otherwise: next step, for the error message if there is no such file.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is not readable JSON.
    """
    check_file(file, "results of blazepose eval", otherwise)
    try:
        return dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise unreadable(file, "results of blazepose eval", error, "evaluate again") from error


def results(scored: ScoredPeople, config: FairnessConfig | None = None) -> dict[str, Any]:
    """Compute the metrics of results.json (docs/reference/files.md); None without scored points.

    They are in per cent, except those ending in `_mm`. `offset` is the median signed error, right and down in
    the crop, in per cent of the torso size; as a median it ignores gross errors. Metrics pool all points, and
    are means over people in `fairness` and `breakdown`. A missed person counts as wrong, except in distance
    errors, which cover detected people only.

    Args:
        scored: the scored people.
        config: groups to compare; None selects the demographic attributes of the sources.
    """
    outputs, groups, overall = scored.outputs, group_rows(scored.annotations), _overall(scored)
    config = config or FairnessConfig([name for name in DEMOGRAPHIC_ATTRIBUTES if name in groups])
    topology = scored.topology
    landmarks = {topology.landmarks[k]: [k] for k in np.flatnonzero(scored.counted.any(axis=0)).tolist()}
    curve = pck_curve(scored.errors, scored.counted)
    area = overall.pop("pck_auc")
    return {
        **overall,
        "classes": {name: numbers(row._asdict()) for name, row in class_table(outputs).items()},
        "calibration": calibration(outputs),
        "num_people": len(scored.annotations),
        "num_people_pdj": int(METRICS[PDJ].points_of(scored).counted.any(axis=1).sum()),
        "num_subjects": len(np.unique(scored.subjects)),
        "num_left_out": scored.left_out,
        "num_not_found": int((~scored.detected).sum()),
        "num_nan": _count_nan(scored),
        "topology": topology.name,
        "landmarks": list(scored.chosen) or None,
        "torso": scored.torso,
        "num_torso_from_shoulders": scored.num_torso_from_shoulders,
        "roi": "+".join(sorted({prediction.crop for prediction in scored.predictions})),
        "decoding": "+".join(sorted({p.decoding for p in scored.predictions if p.decoding})) or None,
        "per_landmark": _metrics_of_points(scored, "landmark", landmarks),
        "per_part": _metrics_of_points(scored, "part", indices_by_name(PARTS, topology)),
        "subsets": _metrics_of_points(scored, "part", indices_by_name(SUBSETS, topology)),
        "fairness": fairness(scored, groups, config),
        "breakdown": _breakdown(
            scored, {name: groups[name] for name in groups if name not in config.attributes}
        ),
        "pck_curve": {f"{threshold:g}": number(value) for threshold, value in curve.items()},
        "pck_auc": area,
        "not_trained": scored.not_trained,
        "outputs_not_trained": outputs.not_trained,
    }


def _overall(scored: ScoredPeople) -> dict[str, Any]:
    """Compute the metrics over all people, with the 95 % intervals of those that have one."""
    values: dict[str, Any] = {}
    for metric in metrics_in("overall"):
        values[metric.key] = metric.compute(scored)
        if metric.interval:
            values[f"{metric.key}_ci95"] = _interval(metric.points_of(scored).per_person(), scored.subjects)
    return values


def _count_nan(scored: ScoredPeople) -> dict[str, int]:
    """Count the NaN or infinite outputs of detected people: points, or people for `pose_presence`."""
    outputs, detected = scored.outputs, scored.detected[:, None]
    presence = [prediction.pose_presence for prediction in scored.predictions]
    nan = {
        "landmarks": scored.counted & np.isnan(scored.errors),
        "landmarks_raw": scored.regressed & np.isnan(scored.errors_raw),
        "visibility": (outputs.visibility != UNKNOWN) & ~np.isfinite(outputs.predicted_visibility) & detected,
        "presence": (outputs.presence != UNKNOWN) & ~np.isfinite(outputs.predicted_presence) & detected,
        "landmarks_world": outputs.nonfinite_world,
        "pose_presence": np.array([value is not None and not math.isfinite(value) for value in presence]),
    }
    return {output: int(points.sum()) for output, points in nan.items() if points.any()}


def _interval(people: PersonScores, subjects: np.ndarray) -> list[float | int | None] | None:
    """Compute the 95 % interval of the share of correct points, over people with scored points."""
    rows = np.flatnonzero(people.has_points)
    if not len(rows):
        return None
    interval = accuracy_interval(people.correct[rows], people.counted[rows], subjects=subjects[rows])
    return [number(interval.low), number(interval.high)]


def _metrics_of_points(
    scored: ScoredPeople, place: Place, subsets: Mapping[str, list[int]]
) -> dict[str, dict[str, Any]]:
    """Compute the metrics of each subset of the landmarks."""
    metrics = [(metric, metric.points_of(scored)) for metric in metrics_in(place)]
    return {
        name: {
            **{metric.key: metric.pooled(values, points=points) for metric, values in metrics},
            "count": int(scored.counted[:, points].sum()),
        }
        for name, points in subsets.items()
    }


def _breakdown(scored: ScoredPeople, groups: dict[str, GroupIndex]) -> dict[str, dict[str, dict[str, Any]]]:
    """Compute metrics by difficulty, and by the other attributes of the sources."""
    group_metrics = GroupMetrics(scored)
    return {
        name: {group: group_metrics(rows, PCK) for group, rows in index.items()}
        for name, index in (breakdown(scored) | groups).items()
        if len(index) <= MOST_GROUPS
    }


def headline(metrics: Mapping[str, Any]) -> str:
    """Summarize the results and the setup in a sentence."""
    raw, error = metrics["pck@0.2_raw"], metrics["mean_error"]
    return (
        f"PCK@0.2 {metrics['pck@0.2']:.1f} ({'' if raw is None else f'regression alone {raw:.1f}, '}"
        f"constant mean pose {metrics['pck@0.2_mean_pose']:.1f}), "
        f"mean error {'unknown' if error is None else f'{error:.1f} % of the torso'}"
        f"{' of detected people' if metrics.get('num_not_found') and error is not None else ''}; "
        f"{describe_setup(metrics)}{_outputs_sentence(metrics)}"
    )


def _outputs_sentence(metrics: Mapping[str, Any]) -> str:
    parts = [
        metric.summary.format(metrics[metric.key])
        for metric in METRICS.values()
        if metric.summary and metrics[metric.key] is not None
    ]
    return f". {', '.join(parts)}" if parts else ""


def describe_setup(metrics: Mapping[str, Any]) -> str:
    """Describe the setup of the metrics: people, crop, decoding and torso definition."""
    missed = metrics.get("num_not_found")
    people, subjects = metrics["num_people"], metrics["num_subjects"]
    not_detected = f" ({missed} not detected, counted as wrong)" if missed else ""
    different = f", {subjects} different ones" if subjects < people else ""
    decoding = f", decoding {metrics['decoding']}" if metrics.get("decoding") else ""
    chosen = f", scored on {describe_landmarks(names)}" if (names := metrics.get("landmarks")) else ""
    return (
        f"{people} people{different}{not_detected}, crop from {metrics['roi']}{decoding}{chosen}, "
        f"torso {describe_torso(metrics)}"
    )


def describe_landmarks(names: Sequence[str]) -> str:
    """Describe the landmarks that an evaluation is restricted to: a topology, or their names."""
    for topology in topologies().values():
        if set(names) == set(topology.landmarks):
            return f"the {len(names)} landmarks of {topology.name}"
    return f"{len(names)} landmarks ({', '.join(names)})" if len(names) > 1 else names[0]


def describe_torso(metrics: Mapping[str, Any]) -> str:
    """Describe the torso size, and for how many people it comes from the shoulder width."""
    definition = torso_definition(metrics["torso"])
    if not (count := metrics.get("num_torso_from_shoulders")):
        return definition.text
    widths = f"{definition.shoulder_widths} shoulder widths"
    return f"{definition.text}, {widths} for {count} without labelled hips"
