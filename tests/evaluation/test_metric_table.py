"""The table of metrics: every row can be computed where it claims to be, and is documented."""

import re
from pathlib import Path

import numpy as np
import pytest

from blazepose.evaluation.metric import Metric
from blazepose.evaluation.metric_table import METRICS, metrics_in
from blazepose.evaluation.results import results
from blazepose.evaluation.score import ScoredPeople
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people

REFERENCE = Path(__file__).parents[2] / "docs/reference"


@pytest.fixture(scope="module")
def scored() -> ScoredPeople:
    """Three people, of whom the first has one point of six wrong and one hidden point taken for visible."""
    people = [labelled_person(k, visibility=[2, 2, 2, 2, 2, 1]) for k in range(3)]
    predictions = [prediction_for(person, [0.5 * (k == 0)] + [0.0] * 5) for k, person in enumerate(people)]
    return score_people(people, predictions)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_rows_are_complete(metric: Metric, scored):
    assert (metric.points is None) != (metric.overall is None)
    assert metric.title
    assert metric.definition
    assert bool(metric.column) == bool(set(metric.places) - {"overall"})
    assert metric.section is None or "overall" in metric.places
    if metric.points is None:
        assert tuple(metric.places) == ("overall",)
        return
    values, counted = metric.points_of(scored)
    assert counted.dtype == bool
    assert counted.shape == values.shape[:2]
    assert len(counted) == 3
    if {"landmark", "part"} & set(metric.places):
        assert counted.shape == (3, 33)
    if metric.interval:
        assert set(np.unique(values[counted])) <= {0, 1}
        assert metric.scale == 100


def test_every_place_reads_the_table(scored):
    metrics = results(scored)
    assert list(metrics["per_landmark"]["left_hip"])[:-1] == [row.key for row in metrics_in("landmark")]
    assert list(metrics["per_part"]["hips"])[:-1] == [row.key for row in metrics_in("part")]
    group = metrics["breakdown"]["rotation"]["upright, under 30°"]
    assert {row.key for row in metrics_in("group")} == set(group) - {"std", "ci95", "count", "subjects"}
    assert {row.key for row in metrics_in("overall")} <= set(metrics)


def test_a_new_row_is_reported_everywhere(scored, monkeypatch):
    """One function and one row."""
    new = Metric(
        "far",
        "far landmarks",
        "more than a tenth of the torso off",
        points=lambda scored: METRICS["pck@0.2"].points_of(scored)._replace(values=scored.errors > 0.1),
        places=("overall", "landmark", "part", "group"),
        section="headline",
        column="far",
    )
    monkeypatch.setitem(METRICS, "far", new)
    metrics = results(scored)
    assert metrics["far"] == pytest.approx(100 / 18, abs=1e-3)
    assert metrics["per_landmark"]["left_shoulder"]["far"] == pytest.approx(100 / 3, abs=1e-3)
    assert metrics["per_part"]["shoulders"]["far"] == pytest.approx(100 / 6, abs=1e-3)
    assert metrics["breakdown"]["rotation"]["upright, under 30°"]["far"] == pytest.approx(100 / 18, abs=1e-3)


def test_the_reference_lists_the_table():
    text = (REFERENCE / "metrics.md").read_text()
    rows = re.findall(r"^\| `(\S+)` \| (.*) \| (%|mm) \| (.*?) ?\|$", text, re.MULTILINE)
    assert rows == [(row.key, row.definition, row.unit, row.better or "") for row in METRICS.values()]
