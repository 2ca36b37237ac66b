import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers import coco, read_source
from blazepose.skeletons import COCO17
from blazepose.topologies.full_body import INDEX


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """Make an annotation with keypoint i at (10 i, 10 i + 1), visible."""
    keypoints = [value for i in range(17) for value in (10 * i, 10 * i + 1, 2)]
    person = {"id": number, "image_id": 1, "category_id": 1, "iscrowd": 0, "keypoints": keypoints}
    return person | {"bbox": [1, 2, 30, 40], "segmentation": [[0, 0, 1, 1, 2, 2]]} | changes


def make(folder: Path, *entries: dict[str, Any], split: str = "val2017", **changes: Any) -> Path:
    for name in ("annotations", split):
        (folder / name).mkdir(exist_ok=True)
    (folder / split / "7.jpg").touch()
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO17.values())}]
    data = {
        "images": [{"id": 1, "file_name": "7.jpg"}],
        "annotations": list(entries),
        "categories": categories,
    }
    (folder / f"annotations/person_keypoints_{split}.json").write_text(json.dumps(data | changes))
    return folder


def test_keypoints_visibility_and_box(tmp_path, capsys):
    keypoints = entry(1)["keypoints"]
    keypoints[:6] = [0, 0, 0, 5, 6, 1]
    source = coco.read(make(tmp_path, entry(31, keypoints=keypoints)), "val2017")
    person = source.annotations[0]
    assert (person.image, person.person) == (tmp_path / "val2017/7.jpg", "31")
    assert np.flatnonzero(person.labelled).tolist() == [2, 5, 7, 8, *range(11, 17), *range(23, 29)]
    names = ("nose", "left_eye", "right_eye", "left_heel")
    assert [person.visibility[INDEX[name]] for name in names] == [UNKNOWN, HIDDEN, VISIBLE, UNKNOWN]
    assert person.landmarks_px[INDEX["right_ankle"]].tolist() == [160, 161]
    assert person.box_xyxy.tolist() == [1, 2, 31, 42]
    assert person.extra_px.shape == (0, 2)
    assert capsys.readouterr() == ("", "")


def test_crowds_and_people_without_keypoints_are_counted(tmp_path):
    none = [0] * 51
    nan = entry(1)["keypoints"]
    nan[3] = float("nan")
    people = [
        entry(1),
        entry(2, iscrowd=1),
        entry(3, keypoints=none),
        entry(4, keypoints=none),
        entry(5, keypoints=nan),
    ]
    source = coco.read(make(tmp_path, *people), None)
    assert [person.person for person in source.annotations] == ["1"]
    assert source.left_out == {"crowd": 1, "no keypoints": 2, "NaN or infinite coordinates": 1}


def test_box_without_area(tmp_path):
    boxes = [None, [], [1, 2, 0, 5], [1, 2, 3, float("nan")]]
    source = coco.read(make(tmp_path, *(entry(i, bbox=box) for i, box in enumerate(boxes))), None)
    assert [person.box_xyxy for person in source.annotations] == [None] * 4


def test_the_only_split_need_not_be_named(tmp_path):
    make(tmp_path, entry(1), split="train2017")
    assert coco.read(tmp_path, None).annotations[0].image == tmp_path / "train2017/7.jpg"
    make(tmp_path, entry(1), split="val2017")
    with pytest.raises(ValueError, match="has several splits, train2017, val2017: name one"):
        coco.read(tmp_path, None)


def test_missing_split(tmp_path):
    make(tmp_path, entry(1), split="train2017")
    with pytest.raises(
        FileNotFoundError,
        match=r"person_keypoints_val2017.json is missing; check the path, or see \S+/data/README.md#coco",
    ):
        coco.read(tmp_path, "val2017")


def test_folder_without_annotations(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no annotation file; see \S+/data/README.md#coco"):
        coco.read(tmp_path, None)


def test_file_instead_of_the_folder(tmp_path):
    make(tmp_path, entry(1))
    with pytest.raises(FileNotFoundError, match="is a file, not the folder of the data set"):
        coco.read(tmp_path / "annotations/person_keypoints_val2017.json", None)


def test_no_labelled_people_is_an_error(tmp_path):
    with pytest.raises(
        ValueError, match=r"holds no labelled people \(left out: crowd 1\); see \S+/data/README.md#coco"
    ):
        coco.read(make(tmp_path, entry(1, iscrowd=1)), None)
    with pytest.raises(ValueError, match="holds no labelled people; see"):
        coco.read(make(tmp_path), None)


def test_missing_images(tmp_path):
    make(tmp_path, entry(1))
    (tmp_path / "val2017/7.jpg").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"1 of 1 images in .* are missing, first 7.jpg: \S*val2017 is empty; put"
    ):
        coco.read(tmp_path, None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"keypoints": [1, 2, 2]}, "annotation 9: 3 keypoint numbers, expected 51: x, y, v of 17 keypoints"),
        ({"keypoints": ["a"] * 51}, "annotation 9: keypoints that are not numbers"),
        ({"image_id": 5}, "annotation 9: there is no image 5; the ids are 1"),
    ],
)
def test_invalid_annotations(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        coco.read(make(tmp_path, entry(9, **changes)), None)


def test_other_keypoints_than_cocos_are_refused(tmp_path):
    make(tmp_path, entry(1), categories=[{"id": 1, "keypoints": ["left_heel"]}])
    with pytest.raises(ValueError, match="for your own labels use the landmarks reader"):
        coco.read(tmp_path, None)


@pytest.mark.parametrize(
    ("content", "problem"), [('{"images": [', "is cut off"), ("", "is empty"), ("\xff", "is not UTF-8")]
)
def test_not_json(tmp_path, content, problem):
    make(tmp_path)
    (tmp_path / "annotations/person_keypoints_val2017.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"val2017.json {problem}"):
        coco.read(tmp_path, None)


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"images": [], "annotations": {}}', '{"images": [{}], "annotations": []}']
)
def test_not_coco(tmp_path, content):
    make(tmp_path)
    (tmp_path / "annotations/person_keypoints_val2017.json").write_text(content)
    with pytest.raises(ValueError, match=r"is not a COCO annotation file: .* has no"):
        coco.read(tmp_path, None)


def test_image_without_a_file_name(tmp_path):
    content = {"images": [{"id": 1}], "annotations": [], "categories": None}
    make(tmp_path)
    (tmp_path / "annotations/person_keypoints_val2017.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"val2017\.json: image 1 has no file_name, but only id"):
        coco.read(tmp_path, None)


@pytest.mark.shared
def test_sample(shared: Path):
    source = read_source(f"coco:{shared}/data/coco_mini:train2017")
    assert len(source.annotations) == 86
    assert source.left_out == {"crowd": 5, "no keypoints": 56}
    first = source.annotations[0]
    assert (first.person, first.image.name) == ("441444", "000000535506.jpg")
    assert first.landmarks_px[INDEX["left_knee"]].tolist() == [202, 537]
    assert first.box_xyxy == pytest.approx([120.46, 133.32, 332.77, 631.90], abs=0.01)
