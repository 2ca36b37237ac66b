"""The commands behind docs/benchmarks/decoding.md that run a network on labelled people.

The network regresses the left ankle to the mid-hip, and has a peak in its heatmap where it is.
"""

import re
import sys

import pytest

from benchmarks import decoding
from tests.constant_network import write_network


@pytest.fixture
def run(monkeypatch, tmp_path, capsys, tiny_lsp):
    """Run the command with such a network, and return the numbers that it prints, by row."""
    (tmp_path / "people").symlink_to(tiny_lsp)
    monkeypatch.chdir(tmp_path)

    def call(command: str, *arguments: str, peak: float, presence: float) -> dict[str, list[float]]:
        write_network(tmp_path / "net.onnx", ankle_peak=peak, presence=presence)
        monkeypatch.setattr(sys, "argv", ["decoding.py", command, "net.onnx", "lsp:people", *arguments])
        decoding.main()
        rows = [line.strip("| ").split(" | ", 1) for line in capsys.readouterr().out.splitlines()]
        return {name: [float(number) for number in re.findall(r"[\d.]+", cells)] for name, cells in rows}

    return call


def test_each_pair_of_constants_is_scored(run):
    table = run("choose", "--people", "3", peak=-4.0, presence=20.0)
    assert [*table] == ["regression", "8, inf", "8, 6", "8, 3", "12, 6", "4, 6", "2, 6"]
    error = {name: values[1] for name, values in table.items()}
    assert error["8, 6"] < error["8, 3"] < error["regression"], "a narrow prior keeps the regression"
    assert error["8, 6"] < error["2, 6"] < error["regression"], "and so does a small factor"
    assert error["8, inf"] > error["regression"], "empty heatmaps have no place without a prior"


def test_legs_outside_the_picture_are_scored(run):
    table = run("cut", peak=20.0, presence=0.0)  # a probability of 0.5: half of the way
    error = {name: values[1] for name, values in table.items()}
    assert error["heatmap, as if all were present"] < error["heatmap"] < error["mediapipe"]
    assert all(values[2] == 24 for values in table.values()), "people"


def test_landmarks_before_keep_a_landmark_in_its_place(run):
    table = run("turn", "--every", "12", peak=-4.0, presence=20.0)
    mean = {name: values[1] for name, values in table.items()}
    assert mean["mediapipe"] != mean["heatmap"]
    assert 0 < mean["heatmap, previous"] < mean["heatmap"]


@pytest.mark.parametrize("command", ["choose", "cut", "turn"])
def test_a_file_that_decodes_is_refused(monkeypatch, tmp_path, tiny_lsp, capsys, command):
    about = {"decoding": "heatmap", "precision": "fp32"}
    file = str(write_network(tmp_path / "net.onnx", about))
    monkeypatch.setattr(sys, "argv", ["decoding.py", command, file, f"lsp:{tiny_lsp}"])
    with pytest.raises(SystemExit):
        decoding.main()
    assert "blazepose export --decode regression" in capsys.readouterr().err
