"""Values of the plotted lines."""

import numpy as np
from matplotlib.figure import Figure

from blazepose.evaluation.report.plots import _plot_trend, plot_curve, plot_difficulty
from blazepose.evaluation.results import results
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def median_line(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return points (bins, 2) of the median line."""
    axes = Figure().subplots()
    _plot_trend(axes, values, errors)
    return axes.lines[-1].get_xydata()


def test_equal_values_share_a_bin():
    """Half of the people have value 0 and errors of 0 to 99, in one bin whatever their order."""
    values = np.concatenate([np.zeros(100), np.linspace(0.1, 1, 100)])
    line = median_line(values, np.concatenate([np.arange(100.0), np.full(100, 7.0)]))
    assert (line[:, 0] == 0).sum() == 1
    assert line[0, 1] == 49.5
    assert (line[1:, 1] == 7).all()
    assert 5 <= len(line) <= 10


def test_few_people_make_few_bins():
    assert len(median_line(np.arange(40.0), np.ones(40))) == 3
    assert len(median_line(np.arange(5.0), np.ones(5))) == 1


def test_charts_of_points_that_are_all_nan(tmp_path):
    """Only the last person has labelled visibility, and only NaN points."""
    people = [*map(labelled_person, range(3)), labelled_person(3, [1] * 6)]
    answers = [prediction_for(one, [0.0] * 6) for one in people]
    for count in (1, 4):
        for one in answers[-count:]:
            one.landmarks[:, :2] = np.nan
        scored = score_people(people, answers)
        metrics = results(scored) | {"file": "a.jsonl", "data": ["lsp:x"], "sha256": "0", "annotators": False}
        for plot in (plot_curve, plot_difficulty):
            plot(scored, metrics, tmp_path / "chart.png")
            assert (tmp_path / "chart.png").stat().st_size > 1000
