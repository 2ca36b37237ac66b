"""The command that measures half-precision arithmetic, with a program that half precision moves by 3 px."""

import json
import sys
from types import SimpleNamespace

import numpy as np

from benchmarks import coreml


class Program:
    """Regresses every landmark to (128, 128), or (131, 128) in half precision; heatmaps are empty."""

    def __init__(self, path, output_names, half_arithmetic):
        metadata = SimpleNamespace(
            userDefined={"blazepose": json.dumps({"decoding": "regression", "precision": "fp16"})}
        )
        self.description = SimpleNamespace(metadata=metadata)
        self.x = 131 if half_arithmetic else 128

    def __call__(self, images):
        assert images.shape == (1, 256, 256, 3)
        landmarks = np.tile(np.float32([self.x, 128, 0, 9, 9]), (1, 39)).reshape(1, 195)
        heatmaps = np.full((1, 64, 64, 39), -20, np.float32)
        zeros = np.zeros((1, 117), np.float32)
        return [
            landmarks,
            np.ones((1, 1), np.float32),
            np.zeros((1, 256, 256, 1), np.float32),
            heatmaps,
            zeros,
        ]


def test_landmarks_move_and_others_are_correct(monkeypatch, tiny_lsp, capsys):
    monkeypatch.setattr(coreml, "CoreMLProgram", Program)
    monkeypatch.setattr(sys, "argv", ["coreml.py", "my_fp16.mlpackage", f"lsp:{tiny_lsp}"])
    coreml.main()
    name, people, *moved, single, half = capsys.readouterr().out.strip("| \n").split(" | ")
    assert (name, people) == ("my_fp16, mediapipe", "24")
    assert moved == ["3.00"] * 4
    assert 0 < float(single) < 50
    assert single != half
