import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as run_lengths

from blazepose.data.annotation import HIDDEN, VISIBLE
from blazepose.data.readers import read_source, synthetic
from blazepose.topologies.full_body import INDEX, LANDMARKS
from tests.rendered_people import SIZE, annotation, rendered_person, write_labels


def make(folder: Path, *changed: dict[str, Any], **changes: Any) -> Path:
    """Write a set with a person for each of the changes to their entries."""
    _, person, points = rendered_person(np.random.default_rng(0))
    (folder / "train/images").mkdir(parents=True, exist_ok=True)
    entries = [annotation(number, points, person) | change for number, change in enumerate(changed)]
    for number in range(len(changed)):
        (folder / f"train/images/{number:06d}.jpg").touch()
    write_labels(folder / "train", entries, **changes)
    return folder


def test_every_label(tiny_rendered):
    source = synthetic.read(tiny_rendered, "train")
    assert len(source.annotations) == 8
    person, written = source.annotations[2], annotation_of(tiny_rendered, 2)
    assert (person.image, person.person) == (tiny_rendered / "train/images/000002.jpg", "2")
    assert person.labelled.all()
    hidden = np.flatnonzero(person.visibility == HIDDEN)
    assert hidden.tolist() == [INDEX["left_wrist"]]
    assert (person.visibility == VISIBLE).sum() == 32
    keypoints = np.reshape(written["keypoints"], (33, 3))
    np.testing.assert_allclose(person.landmarks_px, keypoints[:, :2], atol=1e-4)
    np.testing.assert_allclose(person.z_px, written["z_px"], atol=1e-5)
    np.testing.assert_allclose(person.landmarks_world, written["landmarks_world"], atol=1e-6)
    for numbers in (person.landmarks_px, person.z_px, person.landmarks_world):
        assert numbers.dtype == np.float32
    x, y, width, height = written["bbox"]
    assert person.box_xyxy.tolist() == [x, y, x + width, y + height]
    assert person.image_size == SIZE
    assert person.mask == written["segmentation"]
    assert run_lengths.decode(person.mask).shape == SIZE[::-1]
    assert person.attributes == {"age": "adult"}
    assert source.license == synthetic.LICENSE_WITH_BACKDROPS  # it has no recipe


def test_the_license_depends_on_backdrops(tmp_path):
    folder = make(tmp_path, {})
    for backdrops, license in (
        ("0, sha256 0", synthetic.LICENSE),
        ("3, sha256 0", synthetic.LICENSE_WITH_BACKDROPS),
    ):
        (folder / "recipe.json").write_text(json.dumps({"pictures": backdrops}))
        assert read_source(f"synthetic:{folder}").license == license


def annotation_of(folder: Path, number: int) -> dict[str, Any]:
    return json.loads((folder / "train/labels.json").read_text())["annotations"][number]


def test_splits(tiny_rendered):
    assert (
        read_source(f"synthetic:{tiny_rendered}").annotations[3].image.parent
        == tiny_rendered / "train/images"
    )
    assert len(read_source(f"synthetic:{tiny_rendered}:train").annotations) == 8
    val = read_source(f"synthetic:{tiny_rendered}:val").annotations
    assert [person.image for person in val] == [tiny_rendered / f"val/images/00000{i}.jpg" for i in range(4)]
    with pytest.raises(ValueError, match=r"rendered has no split 'test'; it has train, val$"):
        read_source(f"synthetic:{tiny_rendered}:test")


def test_a_missing_set_names_the_command_that_renders_it(tmp_path):
    sentence = (
        r"nowhere/val/labels.json is missing: render people with blazepose synth --num 2000 "
        r"--out .*nowhere; see \S+/data/README.md#synthetic$"
    )
    with pytest.raises(FileNotFoundError, match=sentence):
        synthetic.read(tmp_path / "nowhere", "val")


def test_an_unfinished_set_can_be_resumed(tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(
        FileNotFoundError,
        match=r"train/labels.json is missing\. Rerun the command that created .* to finish it$",
    ):
        synthetic.read(tmp_path, None)
    with pytest.raises(
        FileNotFoundError,
        match=r"val/labels.json is missing\. Rerun .* to finish it; add --val N for a validation split$",
    ):
        synthetic.read(tmp_path, "val")


def test_bystanders_mostly_hidden_are_counted(tmp_path):
    source = synthetic.read(make(tmp_path, {}, {"iscrowd": 1}, {"iscrowd": 1}), None)
    assert [person.person for person in source.annotations] == ["0"]
    assert source.left_out == {"mostly hidden or cut off": 2}


def test_missing_images(tmp_path):
    make(tmp_path, {}, {})
    (tmp_path / "train/images/000001.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 2 images in .*labels.json are missing, first"):
        synthetic.read(tmp_path, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"keypoints": None}, "keypoints is not 99 numbers"),
        ({"keypoints": [1, 2, 2]}, "keypoints is not 99 numbers"),
        ({"keypoints": ["a"] * 99}, "keypoints is not 99 numbers"),
        ({"z_px": [0.0] * 32}, "z_px is not 33 numbers"),
        ({"landmarks_world": [[0, 0]] * 33}, "landmarks_world is not 33 x 3 numbers"),
        ({"landmarks_world": [[0, 0, 0], None]}, "landmarks_world is not 33 x 3 numbers"),
        ({"image_id": 7}, "there is no image 7"),
        ({"bbox": {"x": 1}}, "bbox is {'x': 1}, expected x, y, width, height"),
        ({"segmentation": None}, "segmentation is not a compressed run-length encoding of 160x200 pixels"),
        ({"segmentation": [[1, 2, 3, 4]]}, "segmentation is not a compressed run-length"),
        (
            {"segmentation": {"size": [160, 200], "counts": "1"}},
            "segmentation is not a compressed run-length",
        ),
        ({"segmentation": {"size": [200, 160], "counts": [1, 2]}}, "segmentation is not a compressed"),
    ],
)
def test_invalid_annotations(tmp_path, change, sentence):
    images = [{"id": i, "file_name": f"00000{i}.jpg", "width": 160, "height": 200} for i in range(2)]
    with pytest.raises(ValueError, match=rf"train/labels\.json, annotation 1: {sentence}"):
        synthetic.read(make(tmp_path, {}, change, images=images), None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"categories": []}, "expected one category whose keypoints are the 33 landmarks in their order"),
        ({"categories": [{"id": 1, "keypoints": list(LANDMARKS[::-1])}]}, "expected one category"),
        ({"categories": [{"id": 1}]}, "expected one category"),
        ({"categories": None}, "is not a COCO annotation file: it has no list 'categories'"),
        ({"images": [{"id": 0}]}, r"image 0 has no file_name, but only id"),
        ({"annotations": [{}]}, "is not a COCO annotation file: annotation number 1 has no id"),
        ({"annotations": []}, r"holds no labelled people; see \S+/data/README.md#synthetic"),
    ],
)
def test_invalid_files(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=rf"train/labels\.json:? {sentence}"):
        synthetic.read(make(tmp_path, {}, **changes), None)
