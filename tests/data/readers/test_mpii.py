import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blazepose.data.annotation import UNKNOWN
from blazepose.data.readers import mpii, read_source
from blazepose.topologies.full_body import INDEX


def entry(**changes: Any) -> dict[str, Any]:
    """Make an entry with joint i at (10 i, 10 i + 1)."""
    joints = [[10.0 * i, 10.0 * i + 1] for i in range(16)]
    return {
        "joints": joints,
        "joints_vis": [1] * 16,
        "image": "7.jpg",
        "center": [5, 5],
        "scale": 1.0,
    } | changes


def make(folder: Path, *entries: dict[str, Any], split: str = "train") -> Path:
    for name in ("annotations", "images"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "images/7.jpg").touch()
    (folder / f"annotations/mpii_{split}.json").write_text(json.dumps(list(entries)))
    return folder


def test_joints(tmp_path):
    joints = entry()["joints"]
    joints[0] = [-1.0, -1.0]
    flags = [0] + [1] * 15
    source = mpii.read(make(tmp_path, entry(), entry(joints=joints, joints_vis=flags)), "train")
    first, second = source.annotations
    assert (first.image, first.person, second.person) == (tmp_path / "images/7.jpg", "0", "1")
    names = ("right_ankle", "left_hip", "right_wrist", "left_wrist")
    assert [first.landmarks_px[INDEX[name], 0] for name in names] == [0, 30, 100, 150]
    assert first.extra_px[:, 0].tolist() == [60, 70, 80, 90]
    assert (first.labelled.sum(), second.labelled.sum()) == (12, 11)
    assert (first.visibility == UNKNOWN).all()


def test_missing_joints_without_a_flag(tmp_path):
    joints = entry()["joints"]
    joints[15] = [-1, -1]
    person = mpii.read(make(tmp_path, entry(joints=joints)), None).annotations[0]
    assert not person.labelled[INDEX["left_wrist"]]


def test_people_left_out(tmp_path):
    nan = np.full((16, 2), np.nan).tolist()
    withheld = {"image": "7.jpg", "center": [5, 5], "scale": 1.0}
    source = mpii.read(make(tmp_path, entry(), entry(joints=nan), withheld), None)
    assert [person.person for person in source.annotations] == ["0"]
    assert source.left_out == {"NaN or infinite coordinates": 1, "no keypoints": 1}


def test_an_annotation_file_by_name(tmp_path):
    folder = make(tmp_path, entry())
    assert len(mpii.read(folder / "annotations/mpii_train.json", None).annotations) == 1


def test_splits(tmp_path):
    make(tmp_path, entry())
    make(tmp_path, entry(), split="val")
    with pytest.raises(ValueError, match="has several splits, train, val: name one"):
        mpii.read(tmp_path, None)
    with pytest.raises(
        FileNotFoundError, match=r"mpii_test.json is missing; check the path, or see \S+/data/README.md#mpii"
    ):
        mpii.read(tmp_path, "test")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "is not a list of people"),
        (json.dumps([entry(joints=[[1, 2]])]), "entry 0: expected image, 16 joints"),
        (json.dumps([entry(joints_vis=[1])]), "entry 0: expected image, 16 joints"),
        (json.dumps([entry(joints=[[1, 2], [3]])]), "entry 0: expected image, 16 joints"),
        (json.dumps([{"joints": []}]), r"entry 0: expected image, .*\('image'\)"),
        ("[7]", "entry 0: expected image, 16 joints"),
        ("[]", "holds no labelled people"),
        ("[", "is cut off"),
    ],
)
def test_invalid_files(tmp_path, content, sentence):
    make(tmp_path)
    (tmp_path / "annotations/mpii_train.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        mpii.read(tmp_path, None)


@pytest.mark.shared
def test_sample(shared: Path):
    source = read_source(f"mpii:{shared}/data/mpii_sample")
    assert len(source.annotations) == 5
    first = source.annotations[0]
    assert first.landmarks_px[INDEX["right_ankle"]].tolist() == [804, 711]
    assert [person.labelled.sum() for person in source.annotations] == [12, 12, 10, 10, 12]
