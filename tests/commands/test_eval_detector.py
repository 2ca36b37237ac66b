"""A detector alone, by blazepose eval and by blazepose eval-detector."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from blazepose.commands import eval as evaluation
from blazepose.commands import eval_detector
from blazepose.data.person_box import person_box
from blazepose.data.readers import read_source
from blazepose.evaluation.results_schema import DETECTOR_RESULTS_SCHEMA
from tests.constant_network import write_detector, write_network

POINTS = {
    "nose": (0, -50),
    "left_ear": (8, -52),
    "right_ear": (-8, -52),
    "left_shoulder": (15, -30),
    "right_shoulder": (-15, -30),
    "left_hip": (10, 0),
    "right_hip": (-10, 0),
    "left_ankle": (10, 60),
    "right_ankle": (-10, 60),
}
"""Around the mid-hip."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """Four images of a person: at (100, 100) in three, elsewhere in one; an image of nobody; a detector.

    The detector finds a person at (100, 100) in every image.
    """
    images, annotations = [], []
    for folder in ("images", "nobody"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "nobody/a.png"), np.full((200, 200, 3), 90, np.uint8))
    for k, center in enumerate([(100, 100), (100, 100), (100, 100), (40, 130)]):
        cv2.imwrite(str(tmp_path / f"images/p{k}.png"), np.full((200, 200, 3), 120, np.uint8))
        points = [(*np.add(center, offset), 2) for offset in POINTS.values()]
        images.append({"id": k, "file_name": f"p{k}.png", "width": 200, "height": 200})
        annotations.append({"id": k, "image_id": k, "category_id": 1, "keypoints": np.ravel(points).tolist()})
    category = {"id": 1, "name": "person", "keypoints": list(POINTS)}
    labels = {"images": images, "annotations": annotations, "categories": [category]}
    (tmp_path / "people.json").write_text(json.dumps(labels))
    monkeypatch.chdir(tmp_path)
    first = read_source("landmarks:people.json").annotations[0]
    write_detector(tmp_path / "det.onnx", person_box(first), 200)
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs blazepose eval with overrides; returns exit status, stdout and the last line of stderr."""
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")

    def run(*overrides: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["eval.py", *overrides])
        status = 0
        try:
            evaluation.main()
        except SystemExit as left:
            status = int(left.code or 0)
        out, err = capsys.readouterr()
        return status, out, err.strip().split("\n")[-1]

    return run


WEIGHTS, PEOPLE = "weights=det.onnx", "data.test=[landmarks:people.json]"


def test_a_detector_gets_a_report(folder, run):
    status, out, _ = run(WEIGHTS, PEOPLE, "data.negatives=[nobody]", "out=here")
    assert status == 0
    assert "recall % 75.0, precision % 75.0" in out
    assert "4 people in 4 images, 1 negative images" in out
    assert {path.name for path in (folder / "here").iterdir()} == {
        *("results.json", "report.md", "report.html", "missed.png")
    }
    metrics = json.loads((folder / "here/results.json").read_text())
    Draft202012Validator(DETECTOR_RESULTS_SCHEMA).validate(metrics)
    assert metrics["recall"] == metrics["precision"] == metrics["roi_good"] == 75
    assert metrics["roi_center"] == pytest.approx(0, abs=0.01)
    assert metrics["false_alarms"] == 100
    report = (folder / "here/report.md").read_text()
    assert (
        "| false alarms % | negative images with a detection with a score of 0.5 or more | 100.0 |" in report
    )
    options = "\"data.test=['landmarks:people.json']\" \"data.negatives=['nobody']\""
    assert f"```\nblazepose eval weights=det.onnx {options}\n```" in report
    sheet = cv2.imread(str(folder / "here/missed.png")).astype(int)
    assert (np.abs(sheet - (40, 39, 214)).max(axis=2) < 20).any(), "the red box of the missed person"


def test_both_commands_have_the_same_numbers(folder, run, capsys):
    assert run(WEIGHTS, PEOPLE, "data.negatives=[nobody]", "out=here")[0] == 0
    metrics = json.loads((folder / "here/results.json").read_text())
    eval_detector.main(["det.onnx", "--data", "landmarks:people.json", "--negatives", "nobody"])
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.endswith("det.onnx") and line.count(".") > 5)
    keys = ("recall", "precision", "ap", "ap_place", "roi_good", "roi_center", "roi_side", "roi_rotation_deg")
    assert row.split()[:-1] == [f"{metrics[key]:.1f}" for key in keys]
    assert f"{metrics['false_alarms']:.1f} %  det.onnx" in printed


def test_nothing_missed_and_no_negatives(folder, run):
    labels = json.loads((folder / "people.json").read_text())
    labels["annotations"], labels["images"] = labels["annotations"][:3], labels["images"][:3]
    (folder / "people.json").write_text(json.dumps(labels))
    assert run(WEIGHTS, PEOPLE, "out=here")[0] == 0
    metrics = json.loads((folder / "here/results.json").read_text())
    Draft202012Validator(DETECTOR_RESULTS_SCHEMA).validate(metrics)
    assert (metrics["recall"], metrics["ap"], metrics["false_alarms"]) == (100, 100, None)
    assert "missed.png" not in (folder / "here/report.md").read_text()
    assert not (folder / "here/missed.png").exists()


def test_our_detector_states_its_validation_data(folder, run):
    box = person_box(read_source("landmarks:people.json").annotations[0])
    write_detector(folder / "det.onnx", box, 200, {"data": {"val": [{"name": "landmarks:people.json"}]}})
    assert run(WEIGHTS, "out=here")[0] == 0
    assert json.loads((folder / "here/results.json").read_text())["data"] == ["landmarks:people.json"]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ([PEOPLE, "roi=jitter"], "roi: not used with a detector, and det.onnx is one"),
        ([PEOPLE, "roi=detector"], "roi: not used with a detector"),
        ([PEOPLE, "torso=midline"], "torso: not used with a detector"),
        ([PEOPLE, "data.metadata=p.csv"], "data.metadata: not used with a detector"),
        ([PEOPLE, "annotators=human"], "annotators: not used with a detector"),
        ([PEOPLE, "engine=mediapipe"], "engine=mediapipe cannot run det.onnx"),
        ([PEOPLE, "predictions=p.jsonl"], "give either weights= (run a network) or predictions="),
        ([PEOPLE, "data.negatives=[nowhere]"], "data.negatives: nowhere is not a folder"),
        ([], "det.onnx does not state its validation data"),
    ],
)
def test_options_of_landmark_networks_are_refused(folder, run, overrides, sentence):
    status, out, err = run(WEIGHTS, *overrides, "out=here")
    assert (status, out) == (1, "")
    assert sentence in err
    assert not (folder / "here").exists()


def test_negatives_are_for_detectors(folder, run):
    write_network(folder / "net.onnx")
    status, _, err = run("weights=net.onnx", PEOPLE, "data.negatives=[nobody]")
    assert (status, "data.negatives: used only with the weights of a detector" in err) == (1, True)


def test_nothing_to_evaluate(folder, capsys):
    with pytest.raises(SystemExit):
        eval_detector.main(["det.onnx"])
    assert "give labelled people with --data, or negative images with --negatives" in capsys.readouterr().err
