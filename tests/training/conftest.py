"""A batch of people, and a teacher with its outputs for it."""

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.config.landmark import Augmentation
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.models.variants import landmark_variant


@pytest.fixture(scope="module")
def batch(tiny_lsp, tiny_rendered):
    """Two people of LSP, a rendered one, and an image without people."""
    sources = [read_source(f"lsp:{tiny_lsp}"), read_source(f"synthetic:{tiny_rendered}")]
    negatives = [tiny_rendered / "train/negatives/000000.jpg"]
    set_ = PoseDataset(sources, LANDMARK_INPUT, Augmentation(truncation_prob=0.0), negatives)
    return default_collate([set_[i] for i in (0, 1, 24, 32)])


@pytest.fixture(scope="module")
def teacher() -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(landmark_variant("lite", "mediapipe")).eval()


@pytest.fixture(scope="module")
def outputs(teacher, batch) -> LandmarkOutputs:
    """Outputs of the teacher's network."""
    with torch.no_grad():
        return teacher(network_input(batch["image"]))
