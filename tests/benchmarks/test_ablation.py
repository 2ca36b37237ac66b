"""The command that trains the blog's rows."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from benchmarks import ablation
from blazepose.decoding import DECODINGS
from tests.forked_command import run_script
from tests.test_end_to_end import TINY, data


@pytest.fixture
def run(monkeypatch, tmp_path, capsys, tiny_lsp):
    """Runs the command in a folder of its own and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ablation.subprocess, "run", run_forked)

    def call(*arguments: str) -> str:
        call_with(monkeypatch, *TINY, *data(tiny_lsp), *arguments)
        return capsys.readouterr().out

    return call


def run_forked(command: list[str], check: bool) -> None:
    done = run_script(Path.cwd(), *command[1:])
    assert done.returncode == 0, done.stderr


def test_the_people_have_to_be_named(monkeypatch, tmp_path, tiny_lsp):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"name its people with data\.val="):
        call_with(monkeypatch, "rows=heatmaps", "model=lite", data(tiny_lsp)[0])


def call_with(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ablation.py", *arguments])
    ablation.main()


@pytest.mark.slow
def test_rows_are_trained_once_and_then_read(run, tmp_path, tiny_lsp, monkeypatch):
    rows = ["rows=heatmaps,mediapipe", "epochs=1", "optimizer.lr=6e-3"]
    table = run(*rows)
    assert [line.split(" | ")[:2] for line in table.splitlines()[2:]] == [
        ["| heatmaps", "heatmap"],
        *(["| Google's wiring, no gradient stop", decoding] for decoding in DECODINGS),
    ]
    assert len(list(tmp_path.glob("runs/landmark/*/results.json"))) == 2
    reports = list(tmp_path.glob("runs/landmark/*/eval_*/report.html"))
    assert len(reports) == 3, "of the row that regresses"
    assert re.search(r"\| Google's wiring.* \| \d+\.\d to \d+\.\d \|", table)
    assert run(*rows) == table
    without_preset = [item for item in TINY if item != "data=lsp"]
    call_with(monkeypatch, *without_preset, *data(tiny_lsp), *rows)  # read, not refused
    assert len(list(tmp_path.glob("runs/landmark/*"))) == 2
    with pytest.raises(SystemExit, match=r"was trained with optimizer\.lr=0\.006, not 0\.001; move it away"):
        run("rows=heatmaps", "epochs=1", "optimizer.lr=1e-3")
    with pytest.raises(SystemExit, match=r"optimizer\.clip_norm=5\.0"):
        run(*rows, "optimizer.clip_norm=1.0")
    with pytest.raises(SystemExit, match=r"stages\.heatmap=1, not 2"):
        run("rows=heatmaps", "epochs=2", "optimizer.lr=6e-3")


def test_rows_that_regress_are_compared(run, tmp_path, monkeypatch):
    asked: list[list[str]] = []

    def train(experiment: str, overrides: list[str], model: str) -> Path:
        folder = tmp_path / experiment
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "checkpoints/last.ckpt").touch()
        (folder / "results.json").touch()
        return folder

    def evaluate(command: list[str], check: bool) -> None:
        asked.append(command[2:])
        if command[2].startswith("weights="):
            folder = Path(command[4].removeprefix("out="))
            folder.mkdir()
            figures = {"pck@0.2": 50.0, "pck@0.2_ci95": [47.1, 53.0], "mean_error": 20.0}
            (folder / "results.json").write_text(json.dumps(figures))

    monkeypatch.setattr(ablation, "train", train)
    monkeypatch.setattr(ablation.subprocess, "run", evaluate)
    table = run("rows=both,mediapipe")
    assert table.count("| 50.0 | 47.1 to 53.0 | 20.0 |") == 6
    reports = [f"{tmp_path}/{row}/eval_mediapipe" for row in ("both", "mediapipe")]
    assert asked[-1] == [f"compare=[{','.join(reports)}]"]
    assert [command[1] for command in asked[:3]] == [f"decode={decoding}" for decoding in DECODINGS]
    assert len(asked) == 7
    asked.clear()
    assert run("rows=regression").count("| 50.0 |") == 2, "it has no heatmaps to decode"


def test_a_report_of_earlier_weights_is_left_and_made_anew(tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "eval_heatmap").mkdir()
    (tmp_path / "eval_heatmap/results.json").touch()
    (tmp_path / "eval_heatmap_2").mkdir()  # cut off
    (tmp_path / "checkpoints/last.ckpt").touch()
    os.utime(tmp_path / "eval_heatmap/results.json", (1, 1))
    asked: list[list[str]] = []
    monkeypatch.setattr(ablation.subprocess, "run", lambda command, check: asked.append(command))
    assert ablation.evaluate(tmp_path, "heatmap") == tmp_path / "eval_heatmap_3"
    assert asked[0][-2:] == ["decode=heatmap", f"out={tmp_path / 'eval_heatmap_3'}"]
    os.utime(tmp_path / "checkpoints/last.ckpt", (0, 0))
    assert ablation.evaluate(tmp_path, "heatmap") == tmp_path / "eval_heatmap"
    assert len(asked) == 1


def test_unknown_rows_and_stages_are_told(run):
    with pytest.raises(SystemExit, match="rows=bth: the rows are heatmaps, regression, both"):
        run("rows=bth")
    with pytest.raises(SystemExit, match="epochs=N"):
        run("stages.joint=3")
    with pytest.raises(SystemExit, match="arguments are key=value"):
        run("both")
    with pytest.raises(SystemExit, match="the table is of the validation"):
        run("data.val=[]")
