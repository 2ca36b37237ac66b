"""Which networks the files of a benchmark have."""

import shutil

import numpy as np
import pytest

from blazepose.benchmark.files import DETECTOR, LANDMARKS, open_files
from blazepose.data.person_box import PersonBox
from blazepose.exceptions import InputError, MissingFileError
from blazepose.task_bundle import DETECTOR_ENTRY, read_tflite
from tests.constant_bundle import write_bundle
from tests.constant_network import write_detector, write_network


@pytest.fixture
def package(tmp_path):
    """A folder in the form of Core ML's."""
    folder = tmp_path / "lite.mlpackage"
    (folder / "Data").mkdir(parents=True)
    (folder / "Manifest.json").write_text("{}")
    (folder / "Data" / "weight.bin").write_bytes(bytes(1000))
    return folder


def test_networks_of_each_format(tmp_path, package):
    bundle = write_bundle(tmp_path / "my pose.task")
    detector = tmp_path / "detector.tflite"
    detector.write_bytes(read_tflite(bundle, DETECTOR_ENTRY))
    box = PersonBox(np.array([50.0, 50.0]), 20.0, np.full((4, 2), 60.0), np.full(4, True))
    files = open_files(
        [
            bundle,
            detector,
            write_network(tmp_path / "landmarks.onnx"),
            write_detector(tmp_path / "detector.onnx", box, 100),
            package,
        ]
    )
    kinds = [(LANDMARKS, DETECTOR), (DETECTOR,), (LANDMARKS,), (DETECTOR,), ()]
    assert [file.kinds for file in files] == kinds
    assert [file.is_bundle for file in files] == [True, False, False, False, False]
    assert files[0].phone_name(LANDMARKS) == "my_pose_landmarks.tflite"
    assert files[1].phone_name(DETECTOR) == "detector.tflite"
    assert files[0].tflite(DETECTOR) == files[1].tflite(DETECTOR) == detector.read_bytes()
    assert files[2].tflite(LANDMARKS) is None
    assert files[4].size == 1002
    assert files[1].size == len(detector.read_bytes())


def test_files_of_the_same_name_are_named_by_their_paths(tmp_path):
    first = write_bundle(tmp_path / "a.task")
    second = tmp_path / "other" / "a.task"
    second.parent.mkdir()
    shutil.copy(first, second)
    assert [file.name for file in open_files([first, second])] == [str(first), str(second)]


def test_what_cannot_be_benchmarked(tmp_path, package):
    bundle = write_bundle(tmp_path / "a.task")
    with pytest.raises(InputError, match=r"a\.task is named twice"):
        open_files([bundle, tmp_path / "." / "a.task"])
    with pytest.raises(MissingFileError, match=r"b\.task is missing"):
        open_files([tmp_path / "b.task"])
    (tmp_path / "run.ckpt").touch()
    with pytest.raises(InputError, match="is a training checkpoint; the runtime needs an exported file"):
        open_files([tmp_path / "run.ckpt"])
    (package / "Manifest.json").unlink()
    with pytest.raises(InputError, match=r"has no Manifest\.json"):
        open_files([package])
