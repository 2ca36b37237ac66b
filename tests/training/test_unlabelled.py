"""People in pictures without labels."""

import logging
import shutil

import numpy as np
import pytest
import torch

from blazepose.config.landmark import Augmentation
from blazepose.data.align import aligned_roi
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.exceptions import InputError
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import COORDINATE_UNIT, LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.person_detector import Detection
from blazepose.topologies.full_body import NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training import unlabelled as unlabelled_module
from blazepose.training.teacher import Teacher, provide_targets
from blazepose.training.unlabelled import find_people, list_unlabelled

CPU = torch.device("cpu")
HIPS, TOP = (128.0, 160.0), (128.0, 60.0)  # what the network predicts in every crop


@pytest.fixture
def teacher(tmp_path, monkeypatch) -> Teacher:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    with torch.no_grad():
        bias = net.tower.landmarks.bias.view(NUM_OUTPUTS, 5)
        bias[ROI_CENTER, :2], bias[ROI_SCALE, :2] = (
            torch.tensor(point) / COORDINATE_UNIT for point in (HIPS, TOP)
        )
        net.tower.landmarks.weight.zero_()
    (tmp_path / "teacher.task").write_bytes(b"a bundle")
    metadata = {"model": "lite", "trained": {}, "data": {}}
    return Teacher(tmp_path / "teacher.task", net, metadata, "checksum of the teacher")


@pytest.fixture
def detections(monkeypatch) -> list[Detection]:
    """Return the list of detections in every image; a test may change it."""
    found = [person(64.0, 80.0)]
    detector = object.__new__(unlabelled_module.PersonDetector)
    monkeypatch.setattr(type(detector), "__call__", lambda self, image: found)
    monkeypatch.setattr(unlabelled_module.PersonDetector, "load", lambda path: detector)
    return found


def person(x: float, y: float) -> Detection:
    """Return an upright person with the hips at x, y, and an ROI of 100 px."""
    points = np.array([[x, y], [x, y - 40], [x, y], [x, y - 40]])
    return Detection(0.9, np.zeros(4), points)


@pytest.fixture
def pictures(tiny_lsp, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in sorted((tiny_lsp / "images").iterdir())[:3]:
        shutil.copy(path, folder)
    return folder


def find(spec: str, teacher):
    (images,) = list_unlabelled([spec], teacher.path, None)
    return find_people(images, teacher, CPU)


def test_the_crop_is_that_of_the_teachers_alignment_points(teacher, detections, pictures):
    source = find(str(pictures), teacher)
    assert len(source.annotations) == 3
    assert not any(found.labelled.any() for found in source.annotations)
    roi = aligned_roi(source.annotations[0])  # within the detector's, of 100 px around (64, 80)
    assert (roi.center_x, roi.center_y) == pytest.approx((64.0, 80 + (160 / 256 - 0.5) * 100))
    assert roi.side == pytest.approx(2 * 1.25 * 100 / 256 * 100)
    assert roi.rotation_rad == pytest.approx(0, abs=1e-6)


def test_every_person_of_an_image_is_used_and_those_found_are_kept(
    teacher, detections, pictures, monkeypatch
):
    detections.append(person(40.0, 60.0))
    first = find(str(pictures), teacher)
    assert len(first.annotations) == 6
    monkeypatch.setattr(unlabelled_module, "_detect", None)  # it must not run again
    again = find(str(pictures), teacher)
    assert [found.roi for found in again.annotations] == [found.roi for found in first.annotations]


def test_images_without_people_are_counted(teacher, detections, pictures, caplog):
    (pictures / "broken.jpg").write_bytes(b"no image")
    with caplog.at_level(logging.WARNING):
        source = find(str(pictures), teacher)
    assert source.left_out == {"images without a person": 1}
    assert "broken.jpg" in caplog.text
    detections.clear()
    (pictures / "broken.jpg").unlink()
    with pytest.raises(InputError, match=r"no person was found in the images of .*pictures"):
        find(str(pictures), teacher)


def test_labels_of_a_data_set_are_not_read(teacher, detections, tiny_lsp):
    source = find(f"lsp:{tiny_lsp}", teacher)
    assert len(source.annotations) == 24
    assert source.license == read_source(f"lsp:{tiny_lsp}").license
    assert not any(found.labelled.any() for found in source.annotations)


def test_a_detector_is_needed(teacher, pictures, tmp_path):
    without = tmp_path / "teacher.ckpt"
    with pytest.raises(InputError, match=r"data\.unlabelled needs a detector .* \.task bundle"):
        list_unlabelled([str(pictures)], without, "start.tflite")
    assert list_unlabelled([], without, None) == []


def test_an_epoch_has_four_of_them_for_each_labelled_person(teacher, detections, tiny_lsp):
    labelled = read_source(f"lsp:{tiny_lsp}")
    labelled.annotations[:] = labelled.annotations[:1]
    unlabelled = find(f"lsp:{tiny_lsp}", teacher)
    people = [*labelled.annotations, *unlabelled.annotations]
    targets = provide_targets(teacher, people, 0, CPU)
    disturbed = PoseDataset(
        [labelled], LANDMARK_INPUT, Augmentation(), teacher=targets, unlabelled=[unlabelled]
    )
    assert len(disturbed) == 5
    assert len(targets) == 25
    samples = [disturbed[item] for item in range(50)]  # ten epochs
    assert [bool(sample["labelled"].any()) for sample in samples] == 10 * [True, False, False, False, False]
    assert all("teacher" in sample for sample in samples)
