"""Lines of charts, by numbers."""

import numpy as np
from matplotlib.figure import Figure

from blazepose.evaluation.report.plots import _plot_trend, plot_curve, plot_difficulty
from blazepose.evaluation.results import results
from tests.evaluation.judged import answer, judged, somebody


def steps(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Points (steps, 2) of the line of medians."""
    axes = Figure().subplots()
    _plot_trend(axes, values, errors)
    return axes.lines[-1].get_xydata()


def test_people_of_equal_values_are_in_one_step():
    """Their order in a file says nothing: half of them hide nothing, and are wrong by 0 to 99."""
    values = np.concatenate([np.zeros(100), np.linspace(0.1, 1, 100)])
    line = steps(values, np.concatenate([np.arange(100.0), np.full(100, 7.0)]))
    assert (line[:, 0] == 0).sum() == 1
    assert line[0, 1] == 49.5
    assert (line[1:, 1] == 7).all()
    assert 5 <= len(line) <= 10


def test_few_people_are_few_steps():
    assert len(steps(np.arange(40.0), np.ones(40))) == 3
    assert len(steps(np.arange(5.0), np.ones(5))) == 1


def test_charts_of_points_that_are_all_nan(tmp_path):
    """Visibility is labelled of the last person alone, of whom no point is a number."""
    people = [*map(somebody, range(3)), somebody(3, [1] * 6)]
    answers = [answer(one, [0.0] * 6) for one in people]
    for count in (1, 4):
        for one in answers[-count:]:
            one.landmarks[:, :2] = np.nan
        scored = judged(people, answers)
        figures = results(scored) | {"file": "a.jsonl", "data": ["lsp:x"], "sha256": "0", "annotators": False}
        for plot in (plot_curve, plot_difficulty):
            plot(scored, figures, tmp_path / "chart.png")
            assert (tmp_path / "chart.png").stat().st_size > 1000
