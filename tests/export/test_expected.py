"""expected.json: what a device should find in which picture."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.atomic import file_sha256
from blazepose.exceptions import InputError
from blazepose.export import expected as module
from blazepose.export.expected import Expected, write_expected
from blazepose.export.targets import TARGETS, Target
from blazepose.image import read_image, write_image
from blazepose.runtime.decode import RawOutputs
from blazepose.task_bundle import LANDMARKS_ENTRY, read_tflite
from blazepose.topologies import FULL_BODY
from tests.mediapipe_runtime import look, picture

GUIDE = Path(__file__).parents[2] / "docs/guides/exporting.md"
METADATA = {
    "task": "landmark",
    "input": {"size": 256},
    "topology": FULL_BODY.outputs,
    "recipe": {},
    "data": {"train": [], "val": []},
}


@pytest.fixture
def pictures(tmp_path):
    """One picture, larger than the written one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_image(folder / "a.png", np.full((1000, 1280, 3), 100, np.uint8))
    return folder


def outputs(presence: float) -> RawOutputs:
    """The same person in each crop: all landmarks at (64, 128), the alignment points around the center."""
    landmarks = np.tile(np.array([64, 128, 10, 9, 9], np.float32), (39, 1))
    landmarks[33, :2], landmarks[34, :2] = (128, 128), (128, 26)
    heatmaps = np.full((1, 64, 64, 39), -9, np.float32)
    return RawOutputs(
        landmarks.reshape(1, 195),
        np.array([[presence]], np.float32),
        None,
        heatmaps,
        np.zeros((1, 117), np.float32),
        decoded=True,
    )


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of a format whose network always finds the same person."""
    target = Target(".onnx", lambda *_: None, open_landmarks=lambda _: lambda _: outputs(presence=0.9))
    monkeypatch.setitem(TARGETS, "onnx", target)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out/pose.onnx"
    path.write_text("a network")
    return path


def test_a_network_has_a_crop_and_an_entry_beside_those_of_other_files(file, pictures):
    other = {"other.task": {"sha256": "0"}}
    file.with_name("expected.json").write_text(json.dumps({"files": other}))
    written = write_expected(file, "onnx", METADATA, pictures)
    assert written == file.with_name("pose.onnx.png")
    assert sorted(path.name for path in file.parent.iterdir()) == ["expected.json", file.name, written.name]
    entries = json.loads(file.with_name("expected.json").read_text())["files"]
    entry = entries.pop("pose.onnx")
    assert entries == other
    assert entry["sha256"] == file_sha256(file)
    assert read_image(written).shape == (entry["height"], entry["width"], 3) == (256, 256, 3)
    assert np.shape(entry["landmarks_world"]) == (33, 3)
    np.testing.assert_allclose(entry["landmarks"], [[64, 128, 10, 0.99988, 0.99988]] * 33, atol=1e-4)
    assert (entry["tolerance_px"], entry["tolerance_gpu_px"]) == (1, 3)


def test_an_entry_and_picture_of_an_earlier_file_of_the_name_are_replaced(file, pictures):
    write_expected(file, "onnx", METADATA, pictures)
    file.write_text("another network")
    assert write_expected(file, "onnx", METADATA, pictures)
    (entry,) = json.loads(file.with_name("expected.json").read_text())["files"].values()
    assert entry["sha256"] == file_sha256(file)


def test_without_a_person_nothing_is_written(file, pictures, monkeypatch):
    nobody = Target(".onnx", lambda *_: None, open_landmarks=lambda _: lambda _: outputs(presence=0.4))
    monkeypatch.setitem(TARGETS, "onnx", nobody)
    assert write_expected(file, "onnx", METADATA, pictures) is None
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", ["{", "[]", '{"files": []}', '{"landmarks": 1}', "\xff"])
def test_another_expected_json_is_not_overwritten(file, pictures, content):
    index = file.with_name("expected.json")
    index.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=r"expected\.json is damaged or of another program; move it away"):
        write_expected(file, "onnx", METADATA, pictures)
    assert index.read_text(encoding="latin-1") == content


def test_another_picture_is_not_overwritten(file, pictures):
    picture = file.with_name("pose.onnx.png")
    picture.write_text("mine")
    with pytest.raises(InputError, match=r"pose\.onnx\.png exists; move it away"):
        write_expected(file, "onnx", METADATA, pictures)
    assert picture.read_text() == "mine"


def test_crops_of_the_data_of_the_weights(file, tiny_lsp):
    people = METADATA | {"data": {"train": [], "val": [{"name": f"lsp:{tiny_lsp}"}]}}
    assert read_image(write_expected(file, "onnx", people, None)).shape == (256, 256, 3)


def test_the_most_stable_picture_of_one_person_is_taken():
    """Noise moves the landmarks by the gray value; the darkest pictures show two people, or none."""

    def run(image: np.ndarray) -> Expected | None:
        level = round(float(image.mean()))
        if level == 10:
            return None
        moved = level * float((image != level).any())
        return Expected(np.full((33, 5), moved), np.zeros((33, 3)), 1, 2 if level == 20 else 1)

    images = (np.full((64, 64, 3), level, np.uint8) for level in (50, 20, 40, 10, 60))
    image, expected = module._most_stable(images, run)
    assert image[0, 0, 0] == 40
    assert not expected.landmarks.any()


def check_of_the_guide(file: Path, monkeypatch) -> None:
    """Run the example of the guide in the folder of my_pose.task; with exchanged colors it has to fail."""
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(file.parent)
    exec(code, {})
    picture = file.with_name(f"{file.name}.png")
    original = read_image(picture)
    write_image(picture, original[..., ::-1])
    with pytest.raises(AssertionError):
        exec(code, {})
    write_image(picture, original)


@pytest.mark.shared
@pytest.mark.parametrize("target", ["task", "tflite"])
def test_mediapipe_finds_the_landmarks_of_a_bundle(target, shared, lite_bundle, tmp_path, monkeypatch):
    folder, file = tmp_path / "pictures", tmp_path / f"out/my_pose.{target}"
    folder.mkdir()
    file.parent.mkdir()
    cv2.imwrite(str(folder / "empty.png"), np.full((400, 600, 3), 90, np.uint8))
    photo = cv2.imread(str(shared / "data/mp_reference/pose.jpg"))
    cv2.imwrite(str(folder / "pose.png"), photo)
    if target == "task":
        shutil.copy(lite_bundle, file)
    else:
        file.write_bytes(read_tflite(lite_bundle, LANDMARKS_ENTRY))
    written = write_expected(file, target, METADATA, folder)
    (entry,) = json.loads(file.with_name("expected.json").read_text())["files"].values()
    landmarks = np.array(entry["landmarks"])
    if target == "tflite":
        assert entry["width"] == entry["height"] == 256
        assert 100 < landmarks[[23, 24], :2].mean() < 156  # the hips are in the center of an aligned crop
        return
    assert (entry["width"], entry["height"]) == (640, round(640 * photo.shape[0] / photo.shape[1]))
    check_of_the_guide(file, monkeypatch)
    (found,) = look(file, [picture(written)], video=False)
    assert np.abs(found.landmarks - landmarks)[:, :3].max() < 0.05
    assert np.abs(found.landmarks - landmarks)[:, 3:].max() < 0.001
    assert np.abs(found.world - entry["landmarks_world"]).max() < 0.001
