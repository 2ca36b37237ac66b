"""COCO's average precision by object keypoint similarity (OKS), with COCO's own code."""

import contextlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from blazepose.data.person_box import surrounding_box
from blazepose.evaluation.score import ScoredPeople
from blazepose.skeletons import COCO17
from blazepose.topology import Topology

_FAR_AWAY = -1e6
"""Pixel coordinate for a point predicted as NaN or infinity."""

_METRICS = ("oks_ap", "oks_ap50", "oks_ap75", "oks_ap_medium", "oks_ap_large", "oks_ar")


@lru_cache(maxsize=1)  # a row of the table of metrics for each of its values
def oks_metrics(scored: ScoredPeople) -> dict[str, float]:
    """Compute OKS average precision and recall over COCO's 17 keypoints, per cent; NaN without areas.

    As for COCO, points count that are labelled, of the landmarks that are scored.
    There is one prediction per person, in the person's own crop; unlike for a detector, there are no
    duplicates and no false positives.
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
    detected = [row for row in rows if scored.detected[row]]
    predictions = [_prediction(scored, row, number[scored.annotations[row].image]) for row in detected]
    with contextlib.redirect_stdout(None):
        truth.createIndex()
        evaluator = COCOeval(truth, truth.loadRes(predictions) if predictions else COCO(), "keypoints")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    stats = np.where(evaluator.stats[:6] < 0, np.nan, 100 * evaluator.stats[:6])  # -1: no person of that size
    return dict(zip(_METRICS, stats.tolist(), strict=True))


def _label(scored: ScoredPeople, row: int, image: int) -> dict[str, Any]:
    person = scored.annotations[row]
    counted = _coco_points(scored.counted[row], scored.topology, missing=False)
    left, top, right, bottom = surrounding_box(person).tolist()
    x, y = _coco_points(scored.target_px[row], scored.topology, missing=0).T
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


def _prediction(scored: ScoredPeople, row: int, image: int) -> dict[str, Any]:
    prediction = scored.predictions[row]
    points = _coco_points(prediction.landmarks[:, :2], scored.topology, missing=_FAR_AWAY)
    x, y = np.where(np.isfinite(points), points, _FAR_AWAY).T
    score = 1.0 if prediction.pose_presence is None else prediction.pose_presence
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.stack([x, y, np.ones(len(x))], axis=1).ravel().tolist(),
        "score": score if math.isfinite(score) else 0.0,
    }


def _coco_points(values: np.ndarray, topology: Topology, missing: float) -> np.ndarray:
    """Return the values (17, ...) of COCO's keypoints; `missing` for those that the topology lacks."""
    points = np.full((len(COCO17), *values.shape[1:]), missing, values.dtype)
    for k, name in enumerate(COCO17.values()):
        if name in topology.landmarks:
            points[k] = values[topology.index[name]]
    return points
