"""The rates of scoring and predicting."""

import re
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import evaluation
from tests.evaluation.crowd import ConstantEngine


def test_scoring_tells_time_and_memory(capsys):
    kept = np.ones(90_000_000)  # 700 MB of this process, which are not the other's
    evaluation.scoring(60)
    del kept
    said = re.fullmatch(r"scoring 60 people, .*: ([\d.]+) s, (\d+) MB at most\n", capsys.readouterr().out)
    assert float(said[1]) > 0
    assert 50 < int(said[2]) < 600


def test_predicting_is_put_beside_the_network_alone(tiny_lsp, capsys, monkeypatch):
    """A network that takes 40 ms a crop makes 25 a second; of the 24 people, 16 and 8 at a time."""

    class Slow(ConstantEngine):
        def __call__(self, images: np.ndarray):
            time.sleep(0.04 * len(images))
            return super().__call__(images)

    monkeypatch.setattr(evaluation, "open_weights", lambda path: Slow(np.full((33, 2), 0.5)))
    evaluation.predicting(Path("net.onnx"), f"lsp:{tiny_lsp}", seconds=0.5)
    said = re.search(r"([\d.]+) crops/s .* ([\d.]+) people/s in all, ([\d.]+) of it", capsys.readouterr().out)
    bare, real, share = map(float, said.groups())
    assert bare == pytest.approx(25, rel=0.15)
    assert 15 < real < 1.05 * bare
    assert share == pytest.approx(real / bare, abs=0.01)
