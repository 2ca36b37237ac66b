"""Predictions without the data set's own definition of a landmark."""

import json
import sys

import numpy as np
import pytest

from benchmarks import offsets
from blazepose.data.align import aligned_roi
from blazepose.data.readers import read_source
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.geometry import image_to_roi, roi_to_image
from blazepose.topologies.full_body import INDEX
from tests.evaluation.crowd import ConstantEngine

HIP = INDEX["left_hip"]


@pytest.fixture
def evaluation(tmp_path, tiny_lsp):
    """An evaluation of a network that predicts the labels, but the left hip 0.03 to the right in the crop."""
    source = read_source(f"lsp:{tiny_lsp}")
    jobs = plan_label_crops([source], "jitter", 0)
    rows = []
    for person, prediction in zip(
        source.annotations, predict(ConstantEngine(np.full((33, 2), 0.5)), jobs, "jitter"), strict=True
    ):
        points = image_to_roi(prediction.roi, person.landmarks_px.astype(float))
        points[HIP, 0] += 0.03
        prediction.landmarks[:, :2] = roi_to_image(prediction.roi, points)
        rows.append(prediction)
    folder = tmp_path / "evaluation"
    folder.mkdir()
    write_predictions(rows, folder / "predictions.jsonl")
    (folder / "results.json").write_text(json.dumps({"data": [f"lsp:{tiny_lsp}"]}))
    return folder


def test_the_offset_is_fitted_and_subtracted(evaluation, tmp_path, tiny_lsp, monkeypatch, capsys):
    fitted = offsets.median_offsets(evaluation)
    assert fitted[HIP] == pytest.approx([0.03, 0], abs=1e-4)
    assert np.abs(np.delete(fitted, HIP, axis=0)).max() < 1e-4
    out = tmp_path / "corrected.jsonl"
    monkeypatch.setattr(sys, "argv", ["offsets.py", str(evaluation), str(evaluation), str(out)])
    offsets.main()
    assert "24 people, offsets up to 3.0 % of the crop" in capsys.readouterr().out
    people = read_source(f"lsp:{tiny_lsp}").annotations
    for person, corrected in zip(people, read_predictions(out).values(), strict=True):
        error = np.linalg.norm(corrected.landmarks[:, :2] - person.landmarks_px, axis=1)[person.labelled]
        assert error.max() < 0.01 * aligned_roi(person).side
