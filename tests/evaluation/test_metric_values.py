"""Metrics by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.evaluation import metric_values
from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.score import ScoredPeople
from blazepose.geometry import Roi
from tests.evaluation.crowd import NAMED
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def scored_person(
    off: list[float], visibility: list[int] | None = None, predicted: list[float] | None = None
) -> ScoredPeople:
    person = labelled_person(0, visibility)
    return score_people([person], [prediction_for(person, off, predicted or [1.0] * 6)])


def test_pdj_needs_the_correct_visibility():
    off, labels = [0.1, 0.1, 0.1, 0.1, 0.9, 0.1], [VISIBLE, VISIBLE, HIDDEN, UNKNOWN, VISIBLE, UNKNOWN]
    pdj = METRICS["pdj@0.2"]
    scored = scored_person(off, labels, [0.9, 0.4, 0.1, 0.9, 0.9, 0.9])
    assert pdj.compute(scored) == 50, "correct, wrong, correct, -, far, -"
    assert pdj.compute(scored_person(off, labels, [0.5] * 6)) == 50, "0.5 is visible"
    assert pdj.compute(scored_person(off, [UNKNOWN] * 6)) is None


def test_the_mean_error_is_of_the_torso_in_percent():
    scored = scored_person([0.0, 0.1999, 0.2, 5.0, 0.0, 0.3])
    assert METRICS["mean_error"].compute(scored) == pytest.approx(
        100 * (0.1999 + 0.2 + 5 + 0.3) / 6, abs=1e-3
    )
    assert METRICS["pck@0.2"].compute(scored) == pytest.approx(100 * 3 / 6, abs=1e-3), "0.2 is not below"


def test_offsets_are_along_the_axes_of_the_crop():
    """In the crop of a person on the side, right in the image is up."""
    person = labelled_person(0)
    prediction = prediction_for(person, [0.25] * 6)
    lying = replace(prediction, roi=Roi(50, 50, 100, math.pi / 2))
    vectors = metric_values.offset(score_people([person], [lying])).values[0, NAMED]
    np.testing.assert_allclose(vectors, [[0, -0.25]] * 6, atol=1e-6)
    row = METRICS["offset"]
    scored = score_people([person], [lying])
    assert row.pooled(row.points_of(scored), points=[NAMED[0]]) == pytest.approx([0, -25], abs=1e-3)


def test_a_missed_person_is_wrong_and_has_no_distance():
    people = [labelled_person(k) for k in range(2)]
    predictions = [prediction_for(person, [0.1] * 6) for person in people]
    scored = score_people(
        people, [predictions[0], replace(predictions[1], landmarks=np.full((33, 5), np.nan))]
    )
    assert METRICS["pck@0.2"].compute(scored) == METRICS["pck@0.2_mean_pose"].compute(scored) == 50
    assert METRICS["mean_error"].compute(scored) == pytest.approx(10, abs=1e-3)
