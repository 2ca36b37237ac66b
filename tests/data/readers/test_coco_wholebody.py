import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers import coco_wholebody, read_source
from blazepose.topologies.full_body import INDEX, LANDMARKS, MIRROR


def points(start: int, count: int, third: float) -> list[float]:
    """Return keypoint i of the 133 at (i, i + 0.5)."""
    return [value for i in range(start, start + count) for value in (i, i + 0.5, third)]


def make(folder: Path, **changes: Any) -> Path:
    person = {
        "id": 3,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [0, 0, 9, 9],
        "keypoints": points(0, 17, 2),
    }
    person |= {"foot_kpts": points(17, 6, 2), "face_kpts": points(23, 68, 1.0)}
    person |= {"lefthand_kpts": points(91, 21, 0.2), "righthand_kpts": points(112, 21, 1.0)}
    person |= {f"{part}_valid": True for part in ("foot", "face", "lefthand", "righthand")}
    for name in ("annotations", "train2017"):
        (folder / name).mkdir()
    (folder / "train2017/7.jpg").touch()
    data = {"images": [{"id": 1, "file_name": "7.jpg"}], "annotations": [person | changes], "categories": []}
    (folder / "annotations/coco_wholebody_train_v1.0.json").write_text(json.dumps(data))
    return folder


def test_all_33_landmarks(tmp_path):
    person = coco_wholebody.read(make(tmp_path), "train2017").annotations[0]
    assert person.labelled.all()
    columns = {name: int(person.landmarks_px[INDEX[name], 0]) for name in LANDMARKS}
    assert [columns[f"left_{name}"] for name in ("foot_index", "heel", "thumb", "index", "pinky")] == [
        17,
        19,
        94,
        96,
        108,
    ]
    assert [columns[f"right_{name}"] for name in ("foot_index", "heel", "thumb", "index", "pinky")] == [
        20,
        22,
        115,
        117,
        129,
    ]
    assert [columns[f"right_eye_{name}"] for name in ("outer", "inner")] == [59, 62]
    assert [columns[f"left_eye_{name}"] for name in ("inner", "outer")] == [65, 68]
    assert (columns["mouth_right"], columns["mouth_left"]) == (71, 77)


def test_every_keypoint_counts_for_the_crop(tmp_path):
    person = coco_wholebody.read(make(tmp_path), None).annotations[0]
    assert len(person.keypoints_px) == 133
    assert len(person.extra_px) == 100


def test_visibility_is_labelled_for_body_and_feet_only(tmp_path):
    feet = points(17, 6, 2)
    feet[2] = 1
    source = coco_wholebody.read(make(tmp_path, foot_kpts=feet), None)
    names = ("left_foot_index", "left_heel", "left_shoulder", "mouth_left", "left_index")
    visibility = [source.annotations[0].visibility[INDEX[name]] for name in names]
    assert visibility == [HIDDEN, VISIBLE, VISIBLE, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("part", "landmark"),
    [("foot", "left_heel"), ("face", "mouth_left"), ("lefthand", "left_index"), ("righthand", "right_index")],
)
def test_parts_that_are_not_valid_are_unlabelled(tmp_path, part, landmark):
    person = coco_wholebody.read(make(tmp_path, **{f"{part}_valid": False}), None).annotations[0]
    assert not person.labelled[INDEX[landmark]]
    assert person.labelled[INDEX["nose"]]


def test_zero_confidence_is_unlabelled(tmp_path):
    hand = points(91, 21, 0.2)
    hand[15:18] = [0, 0, 0]
    person = coco_wholebody.read(make(tmp_path, lefthand_kpts=hand), None).annotations[0]
    assert not person.labelled[INDEX["left_index"]]
    assert person.labelled[INDEX["left_thumb"]]


def test_splits_have_cocos_names(tmp_path):
    with pytest.raises(ValueError, match="has no split 'train'; it can have train2017, val2017"):
        coco_wholebody.read(make(tmp_path), "train")


def test_wrong_number_of_keypoints(tmp_path):
    with pytest.raises(
        ValueError, match="annotation 3: 9 keypoint numbers, expected 204: x, y, v of 68 keypoints"
    ):
        coco_wholebody.read(make(tmp_path, face_kpts=[1] * 9), None)


@pytest.mark.shared
def test_sample(shared: Path):
    source = read_source(f"coco_wholebody:{shared}/data/wholebody_sample:val2017")
    people = {person.person: person for person in source.annotations}
    assert len(people) == 12
    assert people["442619"].labelled.sum() == 17 + 4 + 6 + 3
    assert people["442619"].labelled[INDEX["right_index"]]
    assert not people["442619"].labelled[INDEX["left_index"]]


@pytest.mark.shared
def test_halpe_agrees_on_the_same_people(shared: Path):
    """A mapping that swaps left and right, or two fingers, shows as a large distance between the two."""
    folder = shared / "data/wholebody_sample"
    ours = {person.person: person for person in read_source(f"coco_wholebody:{folder}").annotations}
    halpe = {person.person: person for person in read_source(f"halpe:{folder}").annotations}
    assert ours.keys() == halpe.keys()
    distances, mirrored_distances = np.zeros(33), np.zeros(33)
    for number, person in ours.items():
        other = halpe[number]
        both = person.labelled & other.labelled
        both_sides = both & other.labelled[MIRROR[:33]]
        distance = np.linalg.norm(person.landmarks_px - other.landmarks_px, axis=1)
        to_mirror = np.linalg.norm(person.landmarks_px - other.landmarks_px[MIRROR[:33]], axis=1)
        distances = np.maximum(distances, np.where(both, distance, 0))
        mirrored_distances = np.maximum(mirrored_distances, np.where(both_sides, to_mirror, 0))
    assert distances.max() < 16
    assert mirrored_distances[INDEX["left_heel"]] > 80
    assert mirrored_distances[INDEX["left_index"]] > 60
