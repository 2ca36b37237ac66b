"""The rates of scoring and predicting."""

import re

from benchmarks import evaluation
from tests.test_eval import folder, write_network

__all__ = ["folder"]


def test_scoring_tells_time_and_memory(capsys):
    evaluation.scoring(60)
    said = re.fullmatch(r"scoring 60 people, .*: ([\d.]+) s, (\d+) MB at most\n", capsys.readouterr().out)
    assert float(said[1]) > 0
    assert 50 < int(said[2]) < 600


def test_predicting_is_put_beside_the_network_alone(folder, capsys):
    weights = write_network(folder / "net.onnx")
    evaluation.predicting(weights, "lsp:people", seconds=0.5)
    said = re.search(r"([\d.]+) crops/s .* ([\d.]+) people/s in all, ([\d.]+) of it", capsys.readouterr().out)
    bare, real, share = map(float, said.groups())
    assert abs(real / bare - share) < 0.01
