import json
from pathlib import Path

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.jsonl import frame_to_json
from blazepose.runtime.media import Frame
from blazepose.runtime.pose import Pose

IMAGE = np.zeros((4, 6, 3), np.uint8)


def make_pose(number: int = 7, dtype: type = np.float32) -> Pose:
    landmarks = np.arange(165, dtype=dtype).reshape(33, 5) + dtype(1 / 3)
    world = np.full((33, 3), -2 / 3, dtype)
    return Pose(number, landmarks, world, 0.987654321, Roi(1.23456789, 2.0, 30.5, -0.1))


def test_keys_of_a_record():
    record = frame_to_json(3, Frame(IMAGE, 100.0), [make_pose(), make_pose(9)])
    assert list(record) == ["frame", "time_ms", "poses"]
    assert record["frame"] == 3
    assert [person["id"] for person in record["poses"]] == [7, 9]
    assert list(record["poses"][0]) == ["id", "landmarks", "landmarks_world", "pose_presence", "roi"]
    assert np.shape(record["poses"][0]["landmarks"]) == (33, 5)
    assert np.shape(record["poses"][0]["landmarks_world"]) == (33, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_rounded_to_five_places(dtype):
    record = frame_to_json(0, Frame(IMAGE, 1000 / 30), [make_pose(dtype=dtype)])
    assert record["time_ms"] == 33.33333
    (person,) = record["poses"]
    assert person["landmarks"][0] == [0.33333, 1.33333, 2.33333, 3.33333, 4.33333]
    assert person["landmarks_world"][32] == [-0.66667] * 3
    assert person["pose_presence"] == 0.98765
    assert person["roi"] == {"center_x": 1.23457, "center_y": 2.0, "side": 30.5, "rotation_rad": -0.1}


def test_a_record_survives_json():
    record = frame_to_json(0, Frame(IMAGE, path=Path("in/a.png")), [make_pose()])
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_images_have_a_path_and_no_time():
    record = frame_to_json(1, Frame(IMAGE, path=Path("in/a.png")), [])
    assert record == {"frame": 1, "time_ms": None, "image": "in/a.png", "poses": []}


def test_a_frame_without_people_has_a_record():
    assert frame_to_json(4, Frame(IMAGE, 0.0), []) == {"frame": 4, "time_ms": 0.0, "poses": []}
