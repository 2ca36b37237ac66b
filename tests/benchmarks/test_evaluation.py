"""The rates of scoring and predicting."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import evaluation
from tests.evaluation.crowd import Clock, ConstantEngine


def test_scoring_tells_time_and_memory(capsys):
    kept = np.ones(90_000_000)  # 700 MB of this process, which are not the other's
    evaluation.scoring(60)
    del kept
    said = re.fullmatch(r"scoring 60 people, .*: ([\d.]+) s, (\d+) MB at most\n", capsys.readouterr().out)
    assert float(said[1]) > 0
    assert 50 < int(said[2]) < 600


def test_predicting_is_put_beside_the_network_alone(tiny_lsp, capsys, monkeypatch):
    """By a clock that only the network, 40 ms a crop, and the writing, 480 ms a file, move: of the 24 people,
    16 and 8 at a time, the network alone makes 24 in 960 ms, and 24 are predicted in 1440 ms.
    """
    clock = Clock()

    class Slow(ConstantEngine):
        def __call__(self, images: np.ndarray):
            clock.now += 0.04 * len(images)
            return super().__call__(images)

    def write(predictions, path) -> None:
        assert len(list(predictions)) == 24
        clock.now += 0.48

    monkeypatch.setattr(evaluation, "time", clock)
    monkeypatch.setattr(evaluation, "write_predictions", write)
    monkeypatch.setattr(evaluation, "open_weights", lambda path: Slow(np.full((33, 2), 0.5)))
    evaluation.predicting(Path("net.onnx"), f"lsp:{tiny_lsp}", seconds=5)
    assert clock.now == pytest.approx(3 * (0.96 + 1.44)), "three turns take longer than five seconds"
    assert "25.0 crops/s by the network, 16.7 people/s in all, 0.67 of it" in capsys.readouterr().out
