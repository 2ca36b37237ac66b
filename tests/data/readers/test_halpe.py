import json
from pathlib import Path
from typing import Any

import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers import halpe, read_source
from blazepose.topologies.full_body import INDEX


def keypoints(third: float = 2) -> list[float]:
    """Return keypoint i at (i, i + 0.5)."""
    return [value for i in range(136) for value in (i, i + 0.5, third)]


def make(folder: Path, split: str, *people: Any) -> Path:
    images = folder / {"train": "hico_20160224_det/images/train2015", "val": "val2017"}[split]
    images.mkdir(parents=True)
    (images / "7.jpg").touch()
    (folder / "annotations").mkdir(exist_ok=True)
    entries = [
        {"id": i, "image_id": 1, "category_id": 1, "iscrowd": 0, "keypoints": points}
        for i, points in enumerate(people)
    ]
    data = {"images": [{"id": 1, "file_name": "7.jpg"}], "annotations": entries}
    data["categories"] = [{"id": 1, "name": "person", "keypoints": []}]
    (folder / f"annotations/halpe_{split}_v1.json").write_text(json.dumps(data))
    return folder


def test_all_33_landmarks(tmp_path):
    person = halpe.read(make(tmp_path, "val", keypoints()), "val").annotations[0]
    assert person.labelled.all()
    assert len(person.extra_px) == 103
    names = (
        "left_foot_index",
        "right_foot_index",
        "left_heel",
        "right_heel",
        "right_eye_outer",
        "mouth_left",
    )
    assert [person.landmarks_px[INDEX[name], 0] for name in names] == [20, 21, 24, 25, 62, 80]
    names = ("left_thumb", "left_index", "left_pinky", "right_thumb", "right_index", "right_pinky")
    assert [person.landmarks_px[INDEX[name], 0] for name in names] == [97, 99, 111, 118, 120, 132]


def test_visibility_is_cocos_in_validation(tmp_path):
    points = keypoints()
    points[5 * 3 + 2] = 1
    source = halpe.read(make(tmp_path, "val", points), None)
    visibility = source.annotations[0].visibility
    names = ("left_shoulder", "right_shoulder", "left_heel", "mouth_left")
    assert [visibility[INDEX[name]] for name in names] == [HIDDEN, VISIBLE, UNKNOWN, UNKNOWN]


def test_the_head_top_is_labelled(tmp_path):
    assert halpe.read(make(tmp_path, "val", keypoints()), None).annotations[0].head_top_px is not None


def test_visibility_is_unknown_in_training(tmp_path):
    source = halpe.read(make(tmp_path, "train", keypoints()), None)
    assert (source.annotations[0].visibility == UNKNOWN).all()
    assert source.annotations[0].image == tmp_path / "hico_20160224_det/images/train2015/7.jpg"


def test_low_scores_are_unlabelled(tmp_path):
    points = keypoints(0.5)
    points[2], points[5] = 0.3, 0
    person = halpe.read(make(tmp_path, "train", points), None).annotations[0]
    assert [person.labelled[INDEX[name]] for name in ("nose", "left_eye", "right_eye")] == [
        False,
        False,
        True,
    ]


def test_annotations_without_a_list_of_keypoints_are_counted(tmp_path):
    source = halpe.read(make(tmp_path, "train", keypoints(), None, -1, []), None)
    assert len(source.annotations) == 1
    assert source.left_out == {"no keypoints": 3}


def test_splits(tmp_path):
    """Images of `train` are not fully annotated."""
    make(tmp_path, "val", keypoints())
    make(tmp_path, "train", keypoints())
    with pytest.raises(ValueError, match="has several splits, train, val: name one"):
        halpe.read(tmp_path, None)
    with pytest.raises(ValueError, match="has no split 'test'; it can have train, val"):
        halpe.read(tmp_path, "test")
    assert [halpe.read(tmp_path, split).fully_annotated for split in ("train", "val")] == [False, True]


@pytest.mark.shared
def test_sample(shared: Path):
    source = read_source(f"halpe:{shared}/data/wholebody_sample:val")
    assert len(source.annotations) == 12
    first = source.annotations[0]
    assert first.landmarks_px[INDEX["left_foot_index"]].tolist() == [431, 378]
    # Its face has coordinates whose third value is 0.
    assert not first.labelled[INDEX["mouth_left"]]
