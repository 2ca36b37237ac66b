import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers import image_paths, landmarks
from blazepose.topologies.full_body import INDEX, LANDMARKS

FIXTURES = Path(__file__).parents[2] / "fixtures"


def make(folder: Path, *entries: dict[str, Any], names: list[str] | None = None, **changes: Any) -> Path:
    """Write a file with one image, and annotations of a nose and a left heel."""
    (folder / "7.jpg").touch()
    category = {"id": 1, "name": "person", "keypoints": names or ["nose", "left_heel"]}
    data = {
        "images": [{"id": 1, "file_name": "7.jpg"}],
        "categories": [category],
        "annotations": list(entries),
    }
    file = folder / "labels.json"
    file.write_text(json.dumps(data | changes))
    return file


def entry(number: int = 5, **changes: Any) -> dict[str, Any]:
    return {"id": number, "image_id": 1, "category_id": 1, "keypoints": [10, 20, 2, 30, 40, 1]} | changes


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_partial_skeleton(tmp_path):
    source = landmarks.read(make(tmp_path, entry(bbox=[1, 2, 3, 4])), None)
    person = source.annotations[0]
    assert (person.image, person.person) == (tmp_path / "7.jpg", "5")
    assert np.flatnonzero(person.labelled).tolist() == [0, 29]
    assert person.landmarks_px[29].tolist() == [30, 40]
    assert person.visibility[[0, 29]].tolist() == [VISIBLE, HIDDEN]
    assert person.box_xyxy.tolist() == [1, 2, 4, 6]
    assert person.landmarks_world is None


def test_all_33_and_world_landmarks(tmp_path):
    keypoints = [value for i in range(33) for value in (i, i, 2)]
    world: list[list[float] | None] = [[i / 100, 0, -0.1] for i in range(33)]
    world[4] = None
    file = make(tmp_path, entry(keypoints=keypoints, landmarks_world=world), names=list(LANDMARKS))
    person = landmarks.read(file, None).annotations[0]
    assert person.labelled.all()
    assert person.landmarks_world.shape == (33, 3)
    assert person.landmarks_world[32] == pytest.approx([0.32, 0, -0.1])
    assert np.isnan(person.landmarks_world[4]).all()


@pytest.mark.parametrize("flag", [1, 2])
def test_one_flag_for_all_points_is_no_visibility_label(tmp_path, flag):
    source = landmarks.read(make(tmp_path, entry(keypoints=[10, 20, flag, 30, 40, flag])), None)
    person = source.annotations[0]
    assert person.labelled.sum() == 2
    assert (person.visibility == UNKNOWN).all()


def test_names_are_normalized(tmp_path):
    names = ["NOSE", "Left Heel", " right-heel ", "mouth__left"]
    points = [1, 2, 2] * 4
    person = landmarks.read(make(tmp_path, entry(keypoints=points), names=names), None).annotations[0]
    assert np.flatnonzero(person.labelled).tolist() == [0, 9, 29, 30]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["nose", "left_hell"], r"labels.json: unknown landmark 'left_hell' \(did you mean left_heel\?\)"),
        (["nose", "1"], "unknown landmark '1'; the 33 are nose, left_eye_inner, .*right_foot_index"),
        (["nose", "Nose"], "a category lists 'nose' twice"),
    ],
)
def test_invalid_keypoint_names(tmp_path, names, sentence):
    with pytest.raises(ValueError, match=sentence):
        landmarks.read(make(tmp_path, entry(), names=names), None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"keypoints": [10, float("nan"), 2, 0, 0, 0]}, "annotation 5: NaN or infinite coordinates of nose"),
        (
            {"keypoints": [0, 0, 0, float("inf"), 1, 1]},
            "annotation 5: NaN or infinite coordinates of left_heel",
        ),
        ({"keypoints": [10, None, 2, 0, 0, 0]}, "annotation 5: NaN or infinite coordinates of nose"),
        ({"keypoints": [1, 2, 2]}, "annotation 5: 3 keypoint numbers, expected 6: x, y, v of 2 keypoints"),
        ({"keypoints": ["1", "b", 2, 0, 0, 0]}, "annotation 5: keypoints that are not numbers"),
        (
            {"keypoints": [1, 2, 2, 3, 4, 0.7]},
            "annotation 5: left_heel has visibility 0.7, expected 0, 1 or 2",
        ),
        ({"keypoints": [1, 2, None, 3, 4, 2]}, "annotation 5: nose has visibility nan, expected 0, 1 or 2"),
        (
            {"keypoints": [None, None, 0, 3, 4, 5]},
            "annotation 5: left_heel has visibility 5, expected 0, 1 or 2",
        ),
        ({"keypoints": [[1, 2, 2], [3, 4, 2]]}, "annotation 5: keypoints in nested lists"),
        ({"keypoints": {"nose": [1, 2, 2]}}, "annotation 5: keypoints is not a list of numbers"),
        ({"keypoints": [10**400, 2, 2, 0, 0, 0]}, "annotation 5: keypoints that are not numbers"),
        ({"bbox": {"x": 1}}, "annotation 5: bbox is {'x': 1}, expected x, y, width, height"),
        ({"image_id": 8}, "annotation 5: there is no image 8"),
        ({"image_id": [1]}, r"annotation 5: there is no image \[1\]"),
        ({"category_id": None}, "annotation 5: there is no category None"),
        (
            {"landmarks_world": [[0, 0, 0]]},
            "annotation 5: landmarks_world is not 33 rows of 3 finite numbers",
        ),
        ({"landmarks_world": [[0, 0]] * 33}, "landmarks_world is not 33 rows"),
        ({"landmarks_world": [[0, 0, float("nan")]] * 33}, "landmarks_world is not 33 rows"),
        ({"landmarks_world": 1.5}, "landmarks_world is not 33 rows"),
    ],
)
def test_invalid_annotations(tmp_path, changes, sentence):
    with pytest.raises(
        ValueError, match=f"labels.json, {sentence}" if "annotation" in sentence else sentence
    ):
        landmarks.read(make(tmp_path, entry(**changes)), None)


def test_points_outside_the_image_are_kept(tmp_path):
    person = landmarks.read(make(tmp_path, entry(keypoints=[-10, 2e4, 2, 0, 0, 0])), None).annotations[0]
    assert person.landmarks_px[INDEX["nose"]].tolist() == [-10, 20000]


def test_unlabelled_points_may_have_any_coordinates(tmp_path):
    person = landmarks.read(make(tmp_path, entry(keypoints=[1, 2, 2, float("nan"), 7, 0])), None).annotations[
        0
    ]
    assert not person.labelled[INDEX["left_heel"]]
    assert person.landmarks_px[INDEX["left_heel"]].tolist() == [0, 0]
    assert person.visibility[INDEX["left_heel"]] == UNKNOWN


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"annotations": [entry(), entry(bbox=[1, 2, 3, 4])]}, "two entries of annotation have the id 5"),
        (
            {"images": [{"id": 1, "file_name": "7.jpg"}, {"id": 1, "file_name": "8.jpg"}]},
            "two entries of image have the id 1",
        ),
        ({"annotations": [{"image_id": 1}]}, "annotation number 1 has no id"),
        ({"categories": [{"id": 1, "name": "person"}]}, "no category lists the names of its keypoints"),
        ({"categories": [{"id": 1, "keypoints": 5}]}, "keypoints of category 1 are not a list of names"),
        ({"categories": None}, "is not a COCO annotation file: it has no list 'categories'"),
        ({"annotations": []}, r"holds no labelled people; see \S+/data/README.md#landmarks"),
    ],
)
def test_invalid_files(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        landmarks.read(make(tmp_path, entry(), **changes), None)


def test_file_without_annotations(tmp_path):
    file = make(tmp_path)
    data = json.loads(file.read_text())
    del data["annotations"]
    file.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="holds no labelled people"):
        landmarks.read(file, None)


@pytest.mark.parametrize(
    "ends",
    [["end_a", "end_b"], ["left_end", "right_end"], ["left_tip", "right_tip"], ["left_grip", "grip_right"]],
)
def test_other_objects_with_keypoints_are_left_out(tmp_path, ends):
    """A barbell's ends beside the person's landmarks; its category has no landmark name."""
    person = {"id": 1, "name": "person", "keypoints": ["nose", "left_heel"]}
    barbell = {"id": 2, "name": "barbell", "keypoints": ends}
    file = make(tmp_path, entry(5), entry(6, category_id=2), categories=[person, barbell])
    source = landmarks.read(file, None)
    assert [person.person for person in source.annotations] == ["5"]
    assert source.left_out == {"in a category without landmarks": 1}
    for names in (["nose", "end_b"], ["lft_hip", "rigth_hip"], ["left_sholder"], ["ankel_left"]):
        misspelt = {"id": 2, "name": "person", "keypoints": names}
        with pytest.raises(ValueError, match=r"unknown landmark '(end_b|lft_hip|left_sholder|ankel_left)'"):
            landmarks.read(make(tmp_path, entry(5), categories=[person, misspelt]), None)


def test_byte_order_mark_of_windows(tmp_path):
    file = make(tmp_path, entry())
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert len(landmarks.read(file, None).annotations) == 1


def test_size_the_labels_were_made_at(tmp_path):
    images = [{"id": 1, "file_name": "7.jpg", "width": 640, "height": 480}]
    person = landmarks.read(make(tmp_path, entry(), images=images), None).annotations[0]
    assert person.image_size == (640, 480)
    unknown = [{"id": 1, "file_name": "7.jpg", "width": 0, "height": 0}]
    for images in (unknown, [{"id": 1, "file_name": "7.jpg"}]):
        assert landmarks.read(make(tmp_path, entry(), images=images), None).annotations[0].image_size is None


def test_not_a_file(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"is a folder, not a file; check the path, or see \S+/data/README.md#landmarks",
    ):
        landmarks.read(tmp_path, None)
    with pytest.raises(FileNotFoundError, match=r"mine.json is missing"):
        landmarks.read(tmp_path / "mine.json", None)
    with pytest.raises(ValueError, match="omit :val"):
        landmarks.read(make(tmp_path, entry()), "val")


def test_missing_images(tmp_path):
    images = [{"id": i, "file_name": f"{i}.jpg"} for i in range(1, 4)]
    file = make(tmp_path, entry(1), entry(2, image_id=2), images=images)
    with pytest.raises(FileNotFoundError, match=r"2 of 2 images in .*labels.json are missing, first 1.jpg"):
        landmarks.read(file, None)


def test_two_entries_of_one_image(tmp_path):
    images = [{"id": 1, "file_name": "a/7.jpg"}, {"id": 2, "file_name": "b/7.jpg"}]
    file = make(tmp_path, entry(1), entry(2, image_id=2), images=images)
    with pytest.raises(ValueError, match=r"images 1 and 2 both lead to .*7.jpg"):
        landmarks.read(file, None)


def test_cvat(tmp_path):
    file = tmp_path / "annotations/person_keypoints_default.json"
    file.parent.mkdir()
    shutil.copy(FIXTURES / "cvat_person_keypoints_default.json", file)
    image = touch(tmp_path / "images/default/gym/squat 1.jpg")
    source = landmarks.read(file, None)
    assert [(person.image, person.person) for person in source.annotations] == [
        (image, "1"),
        (image, "2"),
    ]
    first = source.annotations[0]
    assert np.flatnonzero(first.labelled).tolist() == [0, 11, 12, 23]
    assert first.visibility[[11, 12]].tolist() == [VISIBLE, HIDDEN]
    assert source.left_out == {"in a category without landmarks": 1}
    # Older versions put the images into images/ without a folder of the subset.
    (tmp_path / "images/default/gym").rename(tmp_path / "images/gym")
    assert landmarks.read(file, None).annotations[0].image == tmp_path / "images/gym/squat 1.jpg"


def test_fiftyone(tmp_path):
    file = tmp_path / "labels.json"
    shutil.copy(FIXTURES / "fiftyone_labels.json", file)
    image = touch(tmp_path / "data/rower.png")
    person = landmarks.read(file, None).annotations[0]
    assert person.image == image
    assert person.box_xyxy is None
    names = [LANDMARKS[index] for index in np.flatnonzero(person.labelled)]
    assert names == ["left_wrist", "left_heel"]


def test_folders_are_searched_up_to_the_first_match(tmp_path, monkeypatch):
    """Neither a dangling link nor a folder is an image; folders after the right one are not listed."""
    image = touch(tmp_path / "set/images/p.png")
    (tmp_path / "set/p.png").symlink_to(tmp_path / "gone.png")
    other = touch(tmp_path / "set/images/0001")
    (tmp_path / "set/0001").mkdir()
    images = [{"id": 1, "file_name": "p.png"}, {"id": 2, "file_name": "0001"}]
    people = [entry(), entry(6, image_id=2)]
    listed = []
    folder_of = image_paths._Folder
    monkeypatch.setattr(image_paths, "_Folder", lambda path: listed.append(path) or folder_of(path))
    source = landmarks.read(make(tmp_path / "set", *people, images=images), None)
    assert [person.image for person in source.annotations] == [image, other]
    assert listed == [tmp_path / "set", tmp_path / "set/images"], "each once, and no further"


def test_label_studio_on_windows(tmp_path):
    image = touch(tmp_path / "images" / "9a-squat.jpg")
    images = [{"id": 1, "file_name": "..\\..\\media\\9a-squat.jpg"}]
    assert landmarks.read(make(tmp_path, entry(), images=images), None).annotations[0].image == image


def test_label_studio(tmp_path):
    file = tmp_path / "result.json"
    shutil.copy(FIXTURES / "label_studio_result.json", file)
    image_files = [touch(tmp_path / "images" / name) for name in ("9a7c1f2e-pull_up.jpg", "5b1d0c33-dip.jpg")]
    source = landmarks.read(file, None)
    assert [person.image for person in source.annotations] == image_files
    assert [person.person for person in source.annotations] == ["1", "2"]
    assert [int(person.labelled.sum()) for person in source.annotations] == [4, 2]
    assert source.left_out == {"in a category without landmarks": 1}


def test_people_with_all_keypoints_flagged_0_are_counted(tmp_path):
    """Some converters write 0 for every point."""
    unflagged = entry(6, keypoints=[10, 20, 0, 30, 40, 0])
    source = landmarks.read(make(tmp_path, entry(), unflagged, entry(7, keypoints=[0] * 6)), None)
    assert source.left_out == {"all keypoints flagged 0, not labelled": 1, "no keypoints": 1}


def test_numbers_written_as_text(tmp_path):
    """As converters from XML write them."""
    text = entry(
        keypoints=["10", "20", "2", "30", "40", "1"], bbox=["1", "2", "30", "40"], area="300", iscrowd="0"
    )
    image = {"id": "1", "file_name": "7.jpg", "width": "64", "height": "48"}
    person = landmarks.read(make(tmp_path, text, images=[image]), None).annotations[0]
    assert person.landmarks_px[29].tolist() == [30, 40]
    assert person.box_xyxy.tolist() == [1, 2, 31, 42]
    assert (person.area_px, person.image_size) == (300, (64, 48))
