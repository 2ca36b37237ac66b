"""COCO's average precision, against OKS computed here from its definition."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.evaluation.common_landmarks import select_landmarks
from blazepose.evaluation.oks import oks_metrics
from blazepose.skeletons import COCO17
from blazepose.topologies.full_body import INDEX
from tests.evaluation.crowd import POSE, UPPER_BODY, upper_body
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people

# Of the 17 keypoints. Source: page of the COCO keypoint task.
SIGMAS = dict(
    zip(
        COCO17.values(),
        np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000,
        strict=True,
    )
)


def similarity(errors_px: dict[str, float], area: float) -> float:
    terms = [np.exp(-((d / (2 * SIGMAS[name])) ** 2) / (2 * area)) for name, d in errors_px.items()]
    return float(np.mean(terms))


def average_precision(correct: np.ndarray, scores: np.ndarray) -> float:
    """Compute the mean interpolated precision at 101 recalls, per cent, of one prediction per person."""
    correct = correct[np.argsort(-scores)]
    recall, precision = correct.cumsum() / len(correct), correct.cumsum() / np.arange(1, len(correct) + 1)
    at = [precision[recall >= wanted].max(initial=0) for wanted in np.arange(101) / 100]
    return 100 * float(np.mean(at))


def test_average_precision_by_its_definition():
    """Four people; the highest score, of the second worst prediction, costs precision where it is wrong."""
    area, torso = 3000.0, 20 * np.hypot(0.3, 0.6)
    off, scores = (0.0, 0.12, 0.3, 0.8), np.array([0.7, 0.8, 0.9, 0.6])
    people = [replace(labelled_person(k), area_px=area) for k in range(4)]
    predictions = [
        replace(prediction_for(one, [d] * 6), pose_presence=score)
        for one, d, score in zip(people, off, scores.tolist(), strict=True)
    ]
    metrics = oks_metrics(score_people(people, predictions))
    similarities = np.array([similarity(dict.fromkeys(POSE, d * torso), area) for d in off])
    thresholds = np.arange(10, 20) / 20
    expected = [average_precision(similarities >= threshold, scores) for threshold in thresholds]
    assert len(set(expected)) > 2
    assert metrics["oks_ap"] == pytest.approx(np.mean(expected))
    assert metrics["oks_ap50"] == pytest.approx(expected[0])
    assert metrics["oks_ap75"] == pytest.approx(expected[5])
    assert metrics["oks_ar"] == pytest.approx(100 * np.mean([similarities >= t for t in thresholds]))
    assert np.isnan(metrics["oks_ap_large"])
    assert metrics["oks_ap_medium"] == metrics["oks_ap"]


def test_perfect_predictions_and_missed_people():
    people = [replace(labelled_person(k), area_px=3000.0) for k in range(3)]
    correct = [prediction_for(one, [0.0] * 6) for one in people]
    assert oks_metrics(score_people(people, correct))["oks_ap"] == pytest.approx(100)
    correct[0].landmarks[:] = np.nan
    assert oks_metrics(score_people(people, correct))["oks_ar"] == pytest.approx(100 * 2 / 3)
    correct[1].landmarks[INDEX["left_hip"]] = np.nan
    assert oks_metrics(score_people(people, correct))["oks_ar"] < 100 * 2 / 3


def test_without_areas_there_is_no_metric():
    metrics = oks_metrics(score_people([labelled_person(0)], [prediction_for(labelled_person(0), [0.0] * 6)]))
    assert all(np.isnan(value) for value in metrics.values())


def test_people_without_an_area_are_ignored():
    """The first has none, the second is missed, the third is correct."""
    people = [labelled_person(0), *(replace(labelled_person(k), area_px=3000.0) for k in (1, 2))]
    predictions = [prediction_for(one, [0.0] * 6) for one in people]
    predictions[1].landmarks[:] = np.nan
    assert oks_metrics(score_people(people, predictions))["oks_ar"] == pytest.approx(50)


def test_no_person_detected():
    people = [replace(labelled_person(0), area_px=3000.0)]
    missed = prediction_for(people[0], [0.0] * 6)
    missed.landmarks[:] = np.nan
    assert oks_metrics(score_people(people, [missed]))["oks_ap"] == 0


def test_keypoints_that_a_topology_lacks_are_not_scored():
    """The ankle is 0.8 torsos off; of the upper body it does not count."""
    people = [replace(labelled_person(k), area_px=3000.0) for k in range(3)]
    off = [0.8 * (name == "left_ankle") for name in POSE]
    predictions = [prediction_for(person, off) for person in people]
    assert oks_metrics(score_people(people, predictions))["oks_ap"] < 95
    above = [upper_body(person) for person in people]
    selected = [select_landmarks(prediction, UPPER_BODY) for prediction in predictions]
    for prediction, person in zip(selected, above, strict=True):
        prediction.landmarks[0, :2] = person.landmarks_px[0]
    assert oks_metrics(score_people(above, selected))["oks_ap"] == pytest.approx(100)
