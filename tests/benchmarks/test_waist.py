"""People cut off at the waist."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import waist
from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.readers import read_source
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX


def run(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["waist.py", *map(str, arguments)])
    waist.main()


def test_pictures_end_above_the_hips(tiny_lsp, tmp_path, monkeypatch, capsys):
    run(monkeypatch, f"lsp:{tiny_lsp}", tmp_path / "cut")
    people = read_source(f"lsp:{tmp_path / 'cut'}", find_topology("upper_body")).annotations
    before = read_source(f"lsp:{tiny_lsp}").annotations
    assert f"{len(people)} people, {len(before) - len(people)} left out" in capsys.readouterr().out
    assert people
    for person in people:
        assert alignment_error(person) is None
        assert not person.labelled[[INDEX["left_hip"], INDEX["right_hip"]]].all()
        width, height = Image.open(person.image).size
        assert (person.keypoints_px < (width, height)).all()
        assert aligned_roi(person).side > 0


def test_labels_outside_are_kept_on_demand(tiny_lsp, tmp_path, monkeypatch, capsys):
    run(monkeypatch, f"lsp:{tiny_lsp}", tmp_path / "cut", "--outside")
    people = read_source(f"lsp:{tmp_path / 'cut'}").annotations
    assert all(alignment_error(person) is None for person in people)
    with pytest.raises(SystemExit):
        run(monkeypatch, f"lsp:{tiny_lsp}", tmp_path / "cut")
    assert "exists; choose another folder" in capsys.readouterr().err


def test_other_data_sets_become_a_json(tmp_path, monkeypatch):
    points = {
        "left_shoulder": (70, 60),
        "right_shoulder": (30, 60),
        "left_hip": (65, 130),
        "right_hip": (35, 130),
    }
    points |= {"left_ear": (58, 30), "right_ear": (42, 30), "left_ankle": (60, 190)}
    keypoints = [value for x, y in points.values() for value in (x, y, 2)]
    labels = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(points)}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": keypoints}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    Image.fromarray(np.zeros((200, 100, 3), np.uint8)).save(tmp_path / "a.png")
    run(monkeypatch, f"landmarks:{tmp_path / 'labels.json'}", tmp_path / "cut")
    person = read_source(f"landmarks:{tmp_path / 'cut' / 'labels.json'}").annotations[0]
    assert Image.open(person.image).size == (100, 116)  # 60 + 0.8 * 70
    assert [name for name in points if person.labelled[INDEX[name]]] == [
        "left_shoulder",
        "right_shoulder",
        "left_ear",
        "right_ear",
    ]
