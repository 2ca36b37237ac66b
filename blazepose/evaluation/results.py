"""The figures of an evaluation: content of results.json, and a sentence."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from blazepose.evaluation.heads import class_table, head_figures, landmark_head_figures
from blazepose.evaluation.score import Scored
from blazepose.metrics.mask import mean_iou
from blazepose.metrics.pck import mean_error, pck, pck_area, pck_curve, pdj, torso_definition
from blazepose.metrics.pose3d import mpjpe
from blazepose.topology import LANDMARKS

_DECIMALS = 4


def results(scored: Scored) -> dict[str, Any]:
    """The figures of results.json (interface.md, eval.py writes), None where nothing counts.

    In per cent, but for those in `_mm`; `offset` is the median signed error, right and down in the crop, in
    per cent of the torso size: what is wholly wrong does not show in it. All points are pooled; in `groups`,
    those of the people of each group. Somebody who was not found counts as wrong in all but errors of
    distance, which are those of the others.
    """
    counted, heads = scored.counted, scored.heads
    curve = pck_curve(scored.errors, counted)
    crops = sorted({prediction.crop for prediction in scored.predictions})
    return {
        "pck@0.2": _number(pck(scored.errors, counted)),
        "pck@0.2_raw": _number(pck(scored.errors_raw, counted & ~np.isnan(scored.errors_raw))),
        "pck@0.2_mean_pose": _number(pck(scored.errors_mean_pose, counted)),
        "pdj@0.2": _number(pdj(scored.errors, counted, heads.visibility, heads.visibility_said)),
        "mean_error": _number(mean_error(scored.errors, counted)),
        **_numbers(head_figures(heads)),
        "classes": {name: _numbers(row._asdict()) for name, row in class_table(heads).items()},
        "num_people": len(scored.annotations),
        "num_left_out": scored.left_out,
        "num_not_found": sum(not prediction.found for prediction in scored.predictions),
        "torso": scored.torso,
        "roi": "+".join(crops),
        "per_landmark": {
            LANDMARKS[k]: _landmark_figures(scored, k) for k in np.flatnonzero(counted.any(axis=0)).tolist()
        },
        "groups": _groups(scored),
        "pck_curve": {f"{threshold:g}": _number(value) for threshold, value in curve.items()},
        "pck_area": _number(pck_area(curve)),
        "not_trained": scored.not_trained,
        "outputs_not_trained": heads.not_trained,
    }


def _landmark_figures(scored: Scored, landmark: int) -> dict[str, Any]:
    errors, counted = scored.errors[:, landmark], scored.counted[:, landmark]
    return {
        "pck@0.2": _number(pck(errors, counted)),
        "mean_error": _number(mean_error(errors, counted)),
        "offset": _offset(scored.offsets[counted & np.isfinite(errors), landmark]),
        **_numbers(landmark_head_figures(scored.heads, landmark)),
        "count": int(counted.sum()),
    }


def _offset(offsets: np.ndarray) -> list[float] | None:
    """Median of offsets (points, 2), per cent."""
    return (100 * np.median(offsets, axis=0)).round(_DECIMALS).tolist() if len(offsets) else None


def _groups(scored: Scored) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures of each group's people, by attribute; who lacks an attribute is in none of its groups."""
    people: dict[str, dict[str, list[int]]] = {}
    for row, annotation in enumerate(scored.annotations):
        for attribute, group in annotation.attributes.items():
            people.setdefault(attribute, {}).setdefault(group, []).append(row)
    return {
        attribute: {group: _group_figures(scored, groups[group]) for group in sorted(groups, key=_in_order)}
        for attribute, groups in sorted(people.items())
    }


def _in_order(group: str) -> str:
    return group.zfill(9) if group.isdigit() else group


def _group_figures(scored: Scored, rows: list[int]) -> dict[str, Any]:
    errors, counted, heads = scored.errors[rows], scored.counted[rows], scored.heads
    return {
        "pck@0.2": _number(pck(errors, counted)),
        "pdj@0.2": _number(pdj(errors, counted, heads.visibility[rows], heads.visibility_said[rows])),
        "mean_error": _number(mean_error(errors, counted)),
        "mpjpe_mm": _number(mpjpe(heads.world_errors[rows])),
        "mask_iou": _number(mean_iou(heads.mask_iou[rows])),
        "count": len(rows),
    }


def _number(value: float | int) -> float | int | None:
    return None if math.isnan(value) else round(value, _DECIMALS)


def _numbers(values: Mapping[str, float | int]) -> dict[str, float | int | None]:
    return {name: _number(value) for name, value in values.items()}


def headline(figures: Mapping[str, Any]) -> str:
    """The result in a sentence, with what it depends on."""
    raw, error = figures["pck@0.2_raw"], figures["mean_error"]
    return (
        f"PCK@0.2 {figures['pck@0.2']:.1f} ({'' if raw is None else f'regression alone {raw:.1f}, '}"
        f"constant mean pose {figures['pck@0.2_mean_pose']:.1f}), "
        f"mean error {math.nan if error is None else error:.1f} % of the torso"
        f"{' of those who were found' if figures.get('num_not_found') else ''}; "
        f"{setting(figures)}{_heads_sentence(figures)}"
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


def setting(figures: Mapping[str, Any]) -> str:
    """What every figure depends on: people, crop and torso definition."""
    torso, missed = torso_definition(figures["torso"]).text, figures.get("num_not_found")
    not_found = f" ({missed} not found, which is wrong)" if missed else ""
    return f"{figures['num_people']} people{not_found}, crop from {figures['roi']}, torso {torso}"
