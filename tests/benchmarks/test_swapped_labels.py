"""Labels whose left and right are swapped, of a network that has them right."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from benchmarks import swapped_labels
from blazepose.data.readers import read_source
from blazepose.evaluation.compare.comparison_inputs import load_runs
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.results import results
from blazepose.evaluation.score import score
from tests.evaluation.crowd import ConstantEngine

LEGS = {0: 5, 1: 4, 2: 3, 3: 2, 4: 1, 5: 0}
"""Ankles, knees and hips of LSP: {index of one side: of the other}."""


@pytest.fixture
def evaluate(tmp_path, tiny_lsp):
    """Return a function that evaluates the true landmarks by the labels of a folder."""
    people = read_source(f"lsp:{tiny_lsp}").annotations
    truth = {person.person: person.landmarks_px.astype(float) for person in people}

    def call(name: str, labels: Path):
        source = read_source(f"lsp:{labels}")
        jobs = plan_label_crops([source], "annotation", 0)
        rows = list(predict(ConstantEngine(np.full((33, 2), 0.5)), jobs, "annotation"))
        for row in rows:
            row.landmarks[:, :2] = truth[row.person]
        folder = tmp_path / name
        folder.mkdir()
        write_predictions(rows, folder / "predictions.jsonl")
        scored = score(read_predictions(folder / "predictions.jsonl"), [source])
        about = {"data": [f"lsp:{labels}"], "metadata": None, "intersect": [], "min_group": 20}
        about |= {"file": name, "sha256": "", "notes": []}
        (folder / "results.json").write_text(json.dumps(results(scored) | about))
        return str(folder)

    return call


def test_swapped_legs_of_one_person(evaluate, tiny_lsp, tmp_path, monkeypatch, capsys):
    people = tmp_path / "swapped"
    shutil.copytree(tiny_lsp, people)
    joints = loadmat(people / "joints.mat")["joints"]
    joints[list(LEGS), :, 3] = joints[list(LEGS.values()), :, 3]
    savemat(people / "joints.mat", {"joints": joints})
    folders = [evaluate("truth", people), evaluate("again", people)]
    swapped = swapped_labels.contradicted_labels(load_runs(folders)[0].scored)
    assert np.flatnonzero(swapped.any(axis=1)).tolist() == [3]
    monkeypatch.setattr(sys, "argv", ["swapped_labels.py", *folders])
    swapped_labels.main()
    text = capsys.readouterr().out
    assert "1 of 24 people" in text
    all_labels, rest = (float(cell) for cell in text.splitlines()[-1].strip("| ").split(" | ")[1:])
    assert all_labels < rest


def test_evaluations_of_other_people_are_refused(evaluate, tiny_lsp, tmp_path, monkeypatch, capsys):
    shutil.copytree(tiny_lsp, tmp_path / "half")
    joints = loadmat(tiny_lsp / "joints.mat")["joints"]
    savemat(tmp_path / "half/joints.mat", {"joints": joints[:, :, :12]})
    folders = [evaluate("all", tiny_lsp), evaluate("some", tmp_path / "half")]
    monkeypatch.setattr(sys, "argv", ["swapped_labels.py", *folders])
    with pytest.raises(SystemExit):
        swapped_labels.main()
    assert "have no person in common" in capsys.readouterr().err
