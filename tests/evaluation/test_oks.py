"""COCO's figures, against its similarity computed here from its definition."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.evaluation.oks import oks_figures
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


def test_average_precision_by_its_definition():
    """Four people; of each threshold from 0.5 to 0.95, those above it are found, all with one score."""
    area, torso = 3000.0, 20 * np.hypot(0.3, 0.6)
    off = (0.0, 0.12, 0.3, 0.8)
    people = [replace(somebody(k), area_px=area) for k in range(4)]
    figures = oks_figures(judged(people, [answer(one, [d] * 6) for one, d in zip(people, off, strict=True)]))
    similar = np.array([similarity(dict.fromkeys(POSE, d * torso), area) for d in off])
    found = [(similar > threshold).mean() for threshold in np.arange(0.5, 0.96, 0.05)]
    assert figures["oks_ar"] == pytest.approx(100 * np.mean(found))
    assert 0 < figures["oks_ap"] <= figures["oks_ar"] + 1
    assert figures["oks_ap50"] > figures["oks_ap75"] > 0
    assert np.isnan(figures["oks_ap_large"])
    assert figures["oks_ap_medium"] == figures["oks_ap"]


def test_perfect_answers_and_people_who_are_not_found():
    people = [replace(somebody(k), area_px=3000.0) for k in range(3)]
    right = [answer(one, [0.0] * 6) for one in people]
    assert oks_figures(judged(people, right))["oks_ap"] == pytest.approx(100)
    right[0].landmarks[:] = np.nan
    assert oks_figures(judged(people, right))["oks_ar"] == pytest.approx(100 * 2 / 3)
    right[1].landmarks[INDEX["left_hip"]] = np.nan
    assert oks_figures(judged(people, right))["oks_ar"] < 100 * 2 / 3


def test_without_areas_there_is_no_figure():
    figures = oks_figures(judged([somebody(0)], [answer(somebody(0), [0.0] * 6)]))
    assert all(np.isnan(value) for value in figures.values())


def test_nobody_found_at_all():
    people = [replace(somebody(0), area_px=3000.0)]
    missed = answer(people[0], [0.0] * 6)
    missed.landmarks[:] = np.nan
    assert oks_figures(judged(people, [missed]))["oks_ap"] == 0
