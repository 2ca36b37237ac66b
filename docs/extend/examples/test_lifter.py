"""A topology of our own: labels, samples and network."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from blazepose.config.landmark import Augmentation
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.variants import landmark_variant
from blazepose.topologies import find_topology

LIFTER = find_topology("lifter")
POINTS = {
    "left_shoulder": (60, 40),
    "right_shoulder": (40, 40),
    "left_hip": (57, 70),
    "right_hip": (43, 70),
    "left_ankle": (57, 110),
    "right_ankle": (43, 110),
    "left_bar_end": (95, 30),
    "right_bar_end": (5, 32),
}


@pytest.fixture
def people(tmp_path):
    """One labelled lifter."""
    Image.fromarray(np.zeros((120, 100, 3), np.uint8)).save(tmp_path / "a.png")
    keypoints = [value for x, y in POINTS.values() for value in (x, y, 2)]
    labels = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(POINTS)}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": keypoints}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return read_source(f"landmarks:{tmp_path / 'labels.json'}", LIFTER)


def test_labels_and_samples_have_its_points(people):
    sample = PoseDataset([people], LANDMARK_INPUT, topology=LIFTER)[0]
    assert [name for name, k in LIFTER.index.items() if sample["labelled"][k]] == [
        *(name for name in LIFTER.landmarks if name in POINTS),
        "roi_center",
    ]
    always = Augmentation(
        scale=0, shift=0, rotation_deg=0, truncation_prob=0, erasing_prob=0, photometric=False
    )
    flipped = PoseDataset([people], LANDMARK_INPUT, replace(always, hflip_prob=1), topology=LIFTER)[0]
    left, right = LIFTER.indices(["left_bar_end", "right_bar_end"])
    assert flipped["points"][left, 0] == pytest.approx(1 - sample["points"][right, 0], abs=1e-5)


def test_the_network_predicts_its_points(people):
    sample = PoseDataset([people], LANDMARK_INPUT, topology=LIFTER)[0]
    net = LandmarkNet(landmark_variant("lite", "paper"), topology=LIFTER).eval()
    outputs = net(network_input(torch.from_numpy(sample["image"])[None]), masks=0)
    assert outputs.landmarks.shape == (1, 25, 5)  # 19 landmarks and 6 auxiliary points
