"""The command that trains the blog's rows."""

import sys

import pytest

from benchmarks import ablation
from tests.test_end_to_end import TINY, data


@pytest.fixture
def run(monkeypatch, tmp_path, capsys, tiny_lsp):
    """Runs the command in a folder of its own and returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> str:
        given = [*TINY, *data(tiny_lsp), *arguments]
        monkeypatch.setattr(sys, "argv", ["ablation.py", *given])
        ablation.main()
        return capsys.readouterr().out

    return call


@pytest.mark.slow
def test_rows_are_trained_once_and_then_read(run, tmp_path):
    rows = ["rows=heatmaps,mediapipe", "epochs=1", "optimiser.lr=6e-3"]
    table = run(*rows)
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [
        "| heatmaps",
        "| Google's wiring, no gradient stop",
    ]
    assert len(list(tmp_path.glob("runs/landmark/*/results.json"))) == 2
    assert run(*rows) == table
    with pytest.raises(SystemExit, match=r"was trained with optimiser\.lr=0\.006, not 0\.001; move it away"):
        run("rows=heatmaps", "epochs=1", "optimiser.lr=1e-3")
    with pytest.raises(SystemExit, match=r"optimiser\.clip_norm=5\.0"):
        run(*rows, "optimiser.clip_norm=1.0")
    with pytest.raises(SystemExit, match=r"stages\.heatmap=1, not 2"):
        run("rows=heatmaps", "epochs=2", "optimiser.lr=6e-3")


def test_unknown_rows_and_stages_are_told(run):
    with pytest.raises(SystemExit, match="rows=bth: the rows are heatmaps, regression, both"):
        run("rows=bth")
    with pytest.raises(SystemExit, match="epochs=N"):
        run("stages.joint=3")
    with pytest.raises(SystemExit, match="arguments are key=value"):
        run("both")
    with pytest.raises(SystemExit, match="the table is of the validation"):
        run("data.val=[]")
