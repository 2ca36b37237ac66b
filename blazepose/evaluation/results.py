"""The figures of an evaluation: content of results.json, and a sentence."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.data.annotation import UNKNOWN
from blazepose.evaluation.fairness.verdicts import MOST_GROUPS, OF_PEOPLE, FairnessConfig, fairness
from blazepose.evaluation.groups.breakdown import breakdown
from blazepose.evaluation.groups.group_metrics import (
    PCK,
    PDJ,
    PersonScores,
    Rows,
    group_metrics,
    group_rows,
    of_points,
    person_scores,
)
from blazepose.evaluation.keypoint_partition import PARTS, SUBSETS
from blazepose.evaluation.numbers import number, numbers
from blazepose.evaluation.oks import oks_metrics
from blazepose.evaluation.output_metrics import (
    calibration,
    class_table,
    landmark_output_metrics,
    output_metrics,
)
from blazepose.evaluation.score import ScoredPeople
from blazepose.file_content import check_file, unreadable
from blazepose.metrics.bootstrap import accuracy_interval
from blazepose.metrics.pck import (
    PCK_THRESHOLD,
    mean_error,
    pck,
    pck_auc,
    pck_curve,
    pdj,
    percent,
    torso_definition,
)
from blazepose.topology import LANDMARKS


def read_results(file: Path, otherwise: str) -> dict[str, Any]:
    """Read the results.json of an evaluation.

    Args:
        file: the results.json.
        otherwise: next step if there is no such file.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it cannot be read, or is not JSON.
    """
    check_file(file, "results of eval.py", otherwise)
    try:
        return dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise unreadable(file, "results of eval.py", error, "evaluate again") from error


def results(scored: ScoredPeople, asked: FairnessConfig | None = None) -> dict[str, Any]:
    """The figures of results.json (interface.md, eval.py writes), None where nothing counts.

    In per cent, but for those in `_mm`; `offset` is the median signed error, right and down in the crop, in
    per cent of the torso size: what is wholly wrong does not show in it. All points are pooled; in
    `fairness` and `breakdown` they are means over people. Somebody who was not found counts as wrong in all
    but errors of distance, which are those of the others.

    Args:
        scored: the people that count.
        asked: which groups get a verdict; None takes those of which the sources tell.
    """
    counted, heads, groups = scored.counted, scored.heads, group_rows(scored.annotations)
    asked = asked or FairnessConfig([name for name in OF_PEOPLE if name in groups])
    curve = pck_curve(scored.errors, counted)
    crops = sorted({prediction.crop for prediction in scored.predictions})
    return {
        "pck@0.2": number(pck(scored.errors, counted)),
        "pck@0.2_ci95": _interval(scored, person_scores(scored)[PCK]),
        "pck@0.2_raw": number(pck(scored.errors_raw, scored.regressed)),
        "pck@0.2_raw_ci95": _interval(scored, of_points(scored.errors_raw < PCK_THRESHOLD, scored.regressed)),
        "pck@0.2_mean_pose": number(pck(scored.errors_mean_pose, counted)),
        "pdj@0.2": number(pdj(scored.errors, counted, heads.visibility, heads.visibility_said)),
        "pdj@0.2_ci95": _interval(scored, person_scores(scored)[PDJ]),
        "mean_error": number(mean_error(scored.errors, counted)),
        "swap_rate": number(percent(scored.swapped, scored.pairs)),
        **numbers(output_metrics(heads)),
        **numbers(oks_metrics(scored)),
        "classes": {name: numbers(row._asdict()) for name, row in class_table(heads).items()},
        "calibration": calibration(heads),
        "num_people": len(scored.annotations),
        "num_people_pdj": int(person_scores(scored)[PDJ].known.sum()),
        "num_subjects": len(np.unique(scored.subjects)),
        "num_left_out": scored.left_out,
        "num_not_found": int((~scored.found).sum()),
        "num_nan": _count_nan(scored),
        "torso": scored.torso,
        "roi": "+".join(crops),
        "per_landmark": {
            LANDMARKS[k]: _landmark_figures(scored, k) for k in np.flatnonzero(counted.any(axis=0)).tolist()
        },
        "per_part": {part: _points_figures(scored, points) for part, points in PARTS.items()},
        "subsets": {name: _points_figures(scored, points) for name, points in SUBSETS.items()},
        "fairness": fairness(scored, groups, asked),
        "breakdown": _breakdown(
            scored, {name: groups[name] for name in groups if name not in asked.attributes}
        ),
        "pck_curve": {f"{threshold:g}": number(value) for threshold, value in curve.items()},
        "pck_auc": number(pck_auc(curve)),
        "not_trained": scored.not_trained,
        "outputs_not_trained": heads.not_trained,
    }


def _count_nan(scored: ScoredPeople) -> dict[str, int]:
    """Points, or people of `pose_presence`, of which an output is NaN or infinity though they were found."""
    heads, found = scored.heads, scored.found[:, None]
    presence = [prediction.pose_presence for prediction in scored.predictions]
    nan = {
        "landmarks": scored.counted & np.isnan(scored.errors),
        "landmarks_raw": scored.regressed & np.isnan(scored.errors_raw),
        "visibility": (heads.visibility != UNKNOWN) & ~np.isfinite(heads.visibility_said) & found,
        "presence": (heads.presence != UNKNOWN) & ~np.isfinite(heads.presence_said) & found,
        "landmarks_world": heads.world_unsaid,
        "pose_presence": np.array([said is not None and not math.isfinite(said) for said in presence]),
    }
    return {output: int(points.sum()) for output, points in nan.items() if points.any()}


def _interval(scored: ScoredPeople, people: PersonScores) -> list[float | int | None] | None:
    """95 % interval of points that are right, over people who have points that count."""
    rows = np.flatnonzero(people.known)
    if not len(rows):
        return None
    interval = accuracy_interval(people.right[rows], people.counted[rows], subjects=scored.subjects[rows])
    return [number(interval.low), number(interval.high)]


def _landmark_figures(scored: ScoredPeople, landmark: int) -> dict[str, Any]:
    errors, counted, heads = scored.errors[:, landmark], scored.counted[:, landmark], scored.heads
    seen, said = heads.visibility[:, landmark], heads.visibility_said[:, landmark]
    return {
        "pck@0.2": number(pck(errors, counted)),
        "pdj@0.2": number(pdj(errors, counted, seen, said)),
        "mean_error": number(mean_error(errors, counted)),
        "offset": _offset(scored.offsets[counted & np.isfinite(errors), landmark]),
        **numbers(landmark_output_metrics(heads, landmark)),
        "count": int(counted.sum()),
    }


def _offset(offsets: np.ndarray) -> list[float | int | None] | None:
    """Median of offsets (points, 2), per cent."""
    return [number(part) for part in (100 * np.median(offsets, axis=0)).tolist()] if len(offsets) else None


def _points_figures(scored: ScoredPeople, points: list[int]) -> dict[str, Any]:
    """Figures of some landmarks."""
    errors, counted, heads = scored.errors[:, points], scored.counted[:, points], scored.heads
    return {
        "pck@0.2": number(pck(errors, counted)),
        "pdj@0.2": number(
            pdj(errors, counted, heads.visibility[:, points], heads.visibility_said[:, points])
        ),
        "mean_error": number(mean_error(errors, counted)),
        "count": int(counted.sum()),
    }


def _breakdown(scored: ScoredPeople, groups: dict[str, Rows]) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures of people by what makes poses hard: what can be measured, and what a source says of them."""
    people = person_scores(scored)
    return {
        name: {group: group_metrics(scored, people, rows, PCK) for group, rows in of_one.items()}
        for name, of_one in (breakdown(scored) | groups).items()
        if len(of_one) <= MOST_GROUPS
    }


def headline(figures: Mapping[str, Any]) -> str:
    """The result in a sentence, with what it depends on."""
    raw, error = figures["pck@0.2_raw"], figures["mean_error"]
    return (
        f"PCK@0.2 {figures['pck@0.2']:.1f} ({'' if raw is None else f'regression alone {raw:.1f}, '}"
        f"constant mean pose {figures['pck@0.2_mean_pose']:.1f}), "
        f"mean error {'unknown' if error is None else f'{error:.1f} % of the torso'}"
        f"{' of those who were found' if figures.get('num_not_found') and error is not None else ''}; "
        f"{describe_setup(figures)}{_heads_sentence(figures)}"
    )


def _heads_sentence(figures: Mapping[str, Any]) -> str:
    texts = {
        "mpjpe_mm": "MPJPE {:.0f} mm",
        "pa_mpjpe_mm": "PA-MPJPE {:.0f} mm",
        "visibility_f1": "F1 of visible {:.1f}",
        "hidden_f1": "F1 of hidden {:.1f}",
        "mask_iou": "mask IoU {:.1f}",
    }
    known = [text.format(figures[name]) for name, text in texts.items() if figures[name] is not None]
    return f". {', '.join(known)}" if known else ""


def describe_setup(figures: Mapping[str, Any]) -> str:
    """What every figure depends on: people, crop and torso definition."""
    torso, missed = torso_definition(figures["torso"]).text, figures.get("num_not_found")
    people, subjects = figures["num_people"], figures["num_subjects"]
    not_found = f" ({missed} not found, which is wrong)" if missed else ""
    different = f", {subjects} different ones" if subjects < people else ""
    return f"{people} people{different}{not_found}, crop from {figures['roi']}, torso {torso}"
