"""PCK@0.1."""

import pytest

from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.report.markdown import headline_table, landmark_tables
from blazepose.evaluation.results import results
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def test_half_of_the_threshold_counts():
    scored = score_people(
        [labelled_person(0)], [prediction_for(labelled_person(0), [0, 0, 0, 0.09, 0.11, 0.3])]
    )
    assert METRICS["pck@0.1"].compute(scored) == pytest.approx(100 * 4 / 6, abs=0.01)
    metrics = results(scored) | {"annotators": None}
    assert metrics["pck@0.1"] < metrics["pck@0.2"]
    assert len(metrics["pck@0.1_ci95"]) == 2
    assert {"pck@0.1"} <= set(metrics["per_landmark"]["left_hip"])
    assert "PCK@0.1" in headline_table(metrics)
    assert "PCK@0.1" in "".join(landmark_tables(metrics))
