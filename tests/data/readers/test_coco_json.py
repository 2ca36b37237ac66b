"""Ids and names as tools write them into COCO's format."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from blazepose.data.readers import read_source
from blazepose.data.readers.coco_json import (
    ImageTable,
    index_by_id,
    is_crowd,
    normalize_id,
    referenced_id,
    segment_area,
)
from blazepose.data.readers.image_paths import ImagePaths
from blazepose.skeletons import COCO17
from tests.rendered_people import SIZE, write_rendered

FILE = Path("labels.json")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, 1) for value in (1, 1.0, "1", "1.0", "1.00")),
        *((value, -3) for value in (-3, "-3", -3.0)),
        (0, 0),
        ("0", 0),
        (2**60 + 1, 2**60 + 1),
        (str(2**53 + 1), 2**53 + 1),
        ("01", "01"),
        ("1e3", "1e3"),
        ("im 1", "im 1"),
        ("", ""),
        (1.5, 1.5),
        ("9" * 5000, "9" * 5000),
        *((value, None) for value in (None, True, [1], {"id": 1})),
    ],
)
def test_one_id_has_several_spellings(value, expected):
    normalized = normalize_id(value)
    assert (normalized, type(normalized)) == (expected, type(expected))


def test_two_spellings_of_one_id_in_one_list_are_an_error():
    assert index_by_id([{"id": "1"}, {"id": "01"}], "image", FILE).keys() == {1, "01"}
    with pytest.raises(
        ValueError, match=r"^labels\.json: two entries of image have the id 1, as 1 and '1'; give"
    ):
        index_by_id([{"id": 1}, {"id": "1"}], "image", FILE)
    with pytest.raises(
        ValueError, match=r"^labels\.json: two entries of category have the id 2; give each its own$"
    ):
        index_by_id([{"id": 2}, {"id": 2, "name": "dog"}], "category", FILE)


def test_an_entry_listed_twice_is_one():
    assert index_by_id([{"id": 2, "file_name": "a"}, {"id": 2, "file_name": "a"}], "image", FILE).keys() == {
        2
    }


@pytest.mark.parametrize("entry", [None, 7, {}, {"id": None}, {"id": [1]}])
def test_an_entry_without_an_id_is_an_error(entry):
    with pytest.raises(ValueError, match=r"labels\.json is not a COCO .* file: image number 2 has no id"):
        index_by_id([{"id": 1}, entry], "image", FILE)


def test_referenced_ids():
    assert referenced_id({"image_id": "2.0"}, "image_id", {1: {}, 2: {}}) == 2
    with pytest.raises(ValueError, match=r"^there is no image '01'; the ids are 1, 'a', 3, \.\.\.$"):
        referenced_id({"image_id": "01"}, "image_id", {1: {}, "a": {}, 3: {}, 4: {}})
    with pytest.raises(ValueError, match=r"^there is no category None; the ids are 1$"):
        referenced_id({}, "category_id", {1: {}})


def table(folder: Path, **entry: Any) -> ImageTable:
    return ImageTable([{"id": "7", **entry}], ImagePaths(FILE, "landmarks", [folder]))


@pytest.mark.parametrize("key", ["file_name", "filename", "path", "name"])
def test_keys_of_a_name(tmp_path, key):
    (tmp_path / "a.jpg").touch()
    others = dict.fromkeys(("file_name", "filename")) | {"id": 7, "license": 1}
    assert table(tmp_path, **(others | {key: "/srv/a.jpg"})).find(7) == tmp_path / "a.jpg"


def test_the_name_of_coco_comes_first(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    assert table(tmp_path, path="b.jpg", file_name="a.jpg").find(7) == tmp_path / "a.jpg"


def test_an_image_without_a_name_shows_its_keys(tmp_path):
    with pytest.raises(
        ValueError, match=r"^labels\.json: image 7 has no file_name, but only id, fileName, url$"
    ):
        table(tmp_path, fileName="a.jpg", url=5)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (640, 480.2, (640, 480)),
        (0, 480, None),
        (None, 480, None),
        ("640", "480.0", (640, 480)),
        ("a", [1], None),
    ]
    + [(640, side, None) for side in (math.nan, math.inf, -1)],
)
def test_sizes(tmp_path, width, height, size):
    assert table(tmp_path, file_name="a.jpg", width=width, height=height).size(7) == size


@pytest.mark.parametrize(
    ("value", "crowd"),
    [(1, True), (True, True), ("1", True), (0, False), (None, False), ("0", False), ("false", False)],
)
def test_crowds(value, crowd):
    assert is_crowd({"iscrowd": value}) is crowd
    assert not is_crowd({})


@pytest.mark.parametrize(
    ("value", "area"), [(9, 9), ("9.5", 9.5), (0, None), (-1, None), ("", None), ("nan", None), (None, None)]
)
def test_areas(value, area):
    assert segment_area({"area": value}) == area


def coco(folder: Path) -> tuple[str, Path, Path]:
    """Make a set of one person; return its spec, its label file and its image."""
    person = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [9, 9, 2] * 17, "bbox": [1, 1, 9, 9]}
    data = {"images": [{"id": 1, "file_name": "000000.jpg"}], "annotations": [person]}
    data["categories"] = [{"id": 1, "name": "person", "keypoints": list(COCO17.values())}]
    for name in ("annotations", "val2017"):
        (folder / name).mkdir(parents=True)
    (folder / "val2017/000000.jpg").touch()
    file = folder / "annotations/person_keypoints_val2017.json"
    file.write_text(json.dumps(data))
    return f"coco:{folder}", file, folder / "val2017/000000.jpg"


def landmarks(folder: Path) -> tuple[str, Path, Path]:
    _, file, image = coco(folder)
    return f"landmarks:{file}", file, image.rename(file.with_name("000000.jpg"))


def synthetic(folder: Path) -> tuple[str, Path, Path]:
    write_rendered(folder, people=1)
    return f"synthetic:{folder}", folder / "train/labels.json", folder / "train/images/000000.jpg"


@pytest.mark.parametrize("make", [coco, landmarks, synthetic])
def test_every_reader_accepts_all_spellings_of_names_and_ids(tmp_path, make):
    spec, file, image = make(tmp_path / "set")
    image = image.rename(image.with_name("né 0.JPG"))
    data = json.loads(file.read_text())
    data["images"][0]["filename"] = "C:\\data\\ne%CC%81%200.jpg"
    del data["images"][0]["file_name"]
    data["annotations"][0]["image_id"] = str(data["annotations"][0]["image_id"])
    data["annotations"][0]["category_id"] = str(data["annotations"][0]["category_id"])
    file.write_text(json.dumps(data), encoding="utf-16")
    (person,) = read_source(spec).annotations
    assert (person.image, person.image_size) == (image, SIZE if make is synthetic else None)
    image.rename(image.with_name("né 1.JPG"))
    with pytest.raises(FileNotFoundError, match=r"1 of 1 images in .*the nearest name is \S+né 1\.JPG; put"):
        read_source(spec)
