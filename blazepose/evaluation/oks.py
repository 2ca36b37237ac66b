"""Object keypoint similarity, as COCO's tables have it, by COCO's own code."""

import contextlib
import math
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from blazepose.data.person_box import surrounding_box
from blazepose.evaluation.score import ScoredPeople
from blazepose.topology import COCO17, INDEX

_POINTS = [INDEX[name] for name in COCO17.values()]
_NOWHERE = -1e6
"""A pixel of a point that is predicted as NaN or infinity."""

_METRICS = ("oks_ap", "oks_ap50", "oks_ap75", "oks_ap_medium", "oks_ap_large", "oks_ar")


def oks_metrics(scored: ScoredPeople) -> dict[str, float]:
    """Average precision and recall over COCO's 17 keypoints, per cent; NaN without areas, which COCO labels.

    Each person has one answer, in their own crop: where a table of a detector counts people who are found
    twice or where nobody is, this one does not.
    """
    rows = [row for row, person in enumerate(scored.annotations) if person.area_px is not None]
    if not rows:
        return dict.fromkeys(_METRICS, math.nan)
    images = {scored.annotations[row].image: None for row in rows}
    number = {image: k for k, image in enumerate(images, start=1)}
    truth = COCO()
    truth.dataset = {
        "images": [{"id": k} for k in number.values()],
        "categories": [{"id": 1}],
        "annotations": [_label(scored, row, number[scored.annotations[row].image]) for row in rows],
    }
    found = [row for row in rows if scored.found[row]]
    said = [_answer(scored, row, number[scored.annotations[row].image]) for row in found]
    with contextlib.redirect_stdout(None):
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(said) if said else COCO(), "keypoints")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    stats = np.where(judge.stats[:6] < 0, np.nan, 100 * judge.stats[:6])  # -1: there is nobody of that size
    return dict(zip(_METRICS, stats.tolist(), strict=True))


def _label(scored: ScoredPeople, row: int, image: int) -> dict[str, Any]:
    person, counted = scored.annotations[row], scored.counted[row, _POINTS]
    left, top, right, bottom = surrounding_box(person).tolist()
    x, y = scored.target_px[row, _POINTS].T
    return {
        "id": row + 1,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": person.area_px,
        "bbox": [left, top, right - left, bottom - top],
        "num_keypoints": int(counted.sum()),
        "keypoints": np.stack([x, y, 2 * counted], axis=1).ravel().tolist(),
    }


def _answer(scored: ScoredPeople, row: int, image: int) -> dict[str, Any]:
    prediction = scored.predictions[row]
    points = prediction.landmarks[_POINTS, :2]
    x, y = np.where(np.isfinite(points), points, _NOWHERE).T
    score = 1.0 if prediction.pose_presence is None else prediction.pose_presence
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.stack([x, y, np.ones(len(x))], axis=1).ravel().tolist(),
        "score": score if math.isfinite(score) else 0.0,
    }
