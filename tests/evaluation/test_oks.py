"""COCO's figures, against its similarity computed here from its definition."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.evaluation.oks import oks_metrics
from blazepose.topology import COCO17, INDEX
from tests.evaluation.crowd import POSE
from tests.evaluation.judged import answer, judged, somebody

# Source: the COCO keypoint task's page, of each of the 17.
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


def average_precision(right: np.ndarray, scores: np.ndarray) -> float:
    """Of answers, one a person, of whom some are right: mean precision at 101 recalls, per cent.

    The precision at a recall is the best one at this or a larger recall.
    """
    right = right[np.argsort(-scores)]
    recall, precision = right.cumsum() / len(right), right.cumsum() / np.arange(1, len(right) + 1)
    at = [precision[recall >= wanted].max(initial=0) for wanted in np.arange(101) / 100]
    return 100 * float(np.mean(at))


def test_average_precision_by_its_definition():
    """Four people, surest of the second worst: it costs the others precision where it is wrong."""
    area, torso = 3000.0, 20 * np.hypot(0.3, 0.6)
    off, scores = (0.0, 0.12, 0.3, 0.8), np.array([0.7, 0.8, 0.9, 0.6])
    people = [replace(somebody(k), area_px=area) for k in range(4)]
    said = [
        replace(answer(one, [d] * 6), pose_presence=score)
        for one, d, score in zip(people, off, scores.tolist(), strict=True)
    ]
    figures = oks_metrics(judged(people, said))
    similar = np.array([similarity(dict.fromkeys(POSE, d * torso), area) for d in off])
    thresholds = np.arange(10, 20) / 20
    found = [average_precision(similar >= threshold, scores) for threshold in thresholds]
    assert len(set(found)) > 2
    assert figures["oks_ap"] == pytest.approx(np.mean(found))
    assert figures["oks_ap50"] == pytest.approx(found[0])
    assert figures["oks_ap75"] == pytest.approx(found[5])
    assert figures["oks_ar"] == pytest.approx(100 * np.mean([similar >= t for t in thresholds]))
    assert np.isnan(figures["oks_ap_large"])
    assert figures["oks_ap_medium"] == figures["oks_ap"]


def test_perfect_answers_and_people_who_are_not_found():
    people = [replace(somebody(k), area_px=3000.0) for k in range(3)]
    right = [answer(one, [0.0] * 6) for one in people]
    assert oks_metrics(judged(people, right))["oks_ap"] == pytest.approx(100)
    right[0].landmarks[:] = np.nan
    assert oks_metrics(judged(people, right))["oks_ar"] == pytest.approx(100 * 2 / 3)
    right[1].landmarks[INDEX["left_hip"]] = np.nan
    assert oks_metrics(judged(people, right))["oks_ar"] < 100 * 2 / 3


def test_without_areas_there_is_no_figure():
    figures = oks_metrics(judged([somebody(0)], [answer(somebody(0), [0.0] * 6)]))
    assert all(np.isnan(value) for value in figures.values())


def test_who_has_no_area_does_not_count():
    """The first has none, the second is not found, the third is right."""
    people = [somebody(0), *(replace(somebody(k), area_px=3000.0) for k in (1, 2))]
    said = [answer(one, [0.0] * 6) for one in people]
    said[1].landmarks[:] = np.nan
    assert oks_metrics(judged(people, said))["oks_ar"] == pytest.approx(50)


def test_nobody_found_at_all():
    people = [replace(somebody(0), area_px=3000.0)]
    missed = answer(people[0], [0.0] * 6)
    missed.landmarks[:] = np.nan
    assert oks_metrics(judged(people, [missed]))["oks_ap"] == 0
