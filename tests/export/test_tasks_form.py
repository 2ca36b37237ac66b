"""Networks and detector in the form of MediaPipe Tasks: the same points and crops, in other outputs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from blazepose.export.export_module import ExportModule
from blazepose.export.tasks_form import detector_for_tasks, landmark_net_for_tasks
from blazepose.export.tflite import convert_tflite
from blazepose.geometry import roi_from_alignment
from blazepose.input_spec import DETECTOR_INPUT
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    with_metadata,
)
from blazepose.topologies import FULL_BODY, find_topology
from blazepose.topology import Topology
from tests.constant_bundle import write_bundle
from tests.mediapipe_runtime import look
from tests.small_paper_net import SMALL

UPPER_BODY = find_topology("upper_body")
LEGS = slice(UPPER_BODY.num_landmarks, FULL_BODY.num_landmarks)


@pytest.fixture(scope="module")
def net() -> LandmarkNet:
    """Return an untrained network of the paper whose points are all over the crop."""
    torch.manual_seed(0)
    net = LandmarkNet(SMALL, topology=UPPER_BODY).eval()
    with torch.no_grad():
        net.tower.landmarks.bias.add_(torch.randn(155) * 4)
    return net


def test_the_points_are_those_of_the_network_and_the_legs_are_absent(net):
    images = torch.rand(2, 3, 256, 256)
    with torch.inference_mode():
        own, tasks = net(images), landmark_net_for_tasks(net, has_heatmaps=True)(images)
    torch.testing.assert_close(tasks.landmarks[:, :25], own.landmarks[:, :25])
    assert (tasks.landmarks[:, LEGS, 3:] == -10).all()
    left_leg = tasks.landmarks[:, FULL_BODY.index["left_ankle"], :3]
    torch.testing.assert_close(left_leg, own.landmarks[:, UPPER_BODY.index["left_hip"], :3])
    assert tasks.world is not None
    assert not tasks.world.any()
    torch.testing.assert_close(tasks.pose_logit, own.pose_logit)


def test_mediapipes_rule_makes_the_crop_of_the_topology(net):
    images = torch.rand(1, 3, 256, 256)
    with torch.inference_mode():
        own, tasks = (each(images).landmarks[0] for each in (net, landmark_net_for_tasks(net, True)))
    assert crop(tasks[33:35]) == pytest.approx(crop(own[25:27], UPPER_BODY), abs=1e-3)


def test_the_detector_gives_the_crop_by_its_first_points():
    torch.manual_seed(0)
    detector, image = DetectorNet().eval(), torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        before = detector(image).boxes[0, 100].view(6, 2)  # center and size of the face, then the points
        after = detector_for_tasks(detector, UPPER_BODY)(image).boxes[0, 100].view(6, 2)
    torch.testing.assert_close(after[[0, 1, 4, 5]], before[[0, 1, 4, 5]])
    assert crop(after[2:4]) == pytest.approx(crop(before[4:6], UPPER_BODY), abs=1e-3)


def crop(points: torch.Tensor, topology: Topology = FULL_BODY) -> tuple[float, ...]:
    """Return center, side and rotation of the ROI of two alignment points."""
    center, circle = points[:, :2].numpy()
    return dataclasses.astuple(roi_from_alignment(center, circle, topology.roi.expansion))


def test_untrained_heatmaps_refine_nothing(net):
    with torch.inference_mode():
        images = torch.rand(1, 3, 256, 256)
        trained, untrained = (landmark_net_for_tasks(net, known)(images).heatmaps for known in (True, False))
        own = net(images).heatmaps
    assert (untrained == -10).all()
    torch.testing.assert_close(trained[:, :25], own[:, :25])
    torch.testing.assert_close(trained[:, FULL_BODY.roi_center], own[:, UPPER_BODY.roi_center])
    others = [*range(25, 33), *range(FULL_BODY.roi_scale, FULL_BODY.num_outputs)]
    assert (trained[:, others] == -10).all()


@pytest.mark.slow
def test_mediapipe_finds_the_networks_points_and_no_legs(net, tmp_path):
    tasks = landmark_net_for_tasks(net, has_heatmaps=False)
    network, bundle = tmp_path / "net.tflite", tmp_path / "upper_body.task"
    convert_tflite(ExportModule(tasks), "fp32", json.dumps({}), network)
    bundle.write_bytes(pack({DETECTOR_ENTRY: whole_image(tmp_path), LANDMARKS_ENTRY: network.read_bytes()}))
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    (seen,) = look(bundle, [image], video=False)
    assert seen is not None
    with torch.inference_mode():
        expected = net(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255).landmarks[0].numpy()
    np.testing.assert_allclose(seen.landmarks[:25, :2], expected[:25, :2], atol=0.1)
    assert (seen.landmarks[LEGS, 3:] < 1e-4).all()
    assert not seen.world.any()
    assert seen.mask.shape == (256, 256)


def whole_image(folder: Path) -> bytes:
    """Return a detector whose person has the whole image as ROI."""
    detector = read_tflite(write_bundle(folder / "constant.task"), DETECTOR_ENTRY)
    return with_metadata(detector, {NORMALIZATION_KEY: normalization_metadata(normalization(DETECTOR_INPUT))})
