"""Initial weights of a training."""

import pytest
import torch

from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training import initialization
from blazepose.training.initialization import initialize
from blazepose.training.weights import load_landmark_net
from tests.training.saved_net import save


@pytest.fixture
def people(tiny_lsp) -> PoseDataset:
    return PoseDataset([read_source(f"lsp:{tiny_lsp}")], LANDMARK_INPUT)


def new_net() -> LandmarkNet:
    return LandmarkNet(landmark_variant("lite", "mediapipe"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    torch.manual_seed(1)
    return save(tmp_path_factory.mktemp("run") / "best.ckpt", new_net())


def test_without_init_weights_are_random(people):
    assert initialize(new_net(), None, people, resumed=None) is None


def test_checkpoints_load_unchanged(people, trained, monkeypatch):
    monkeypatch.setattr(initialization, "precise_bn", None)  # checkpoints have statistics
    net = new_net()
    start = initialize(net, str(trained), people, resumed=None)
    assert start["trained"]["landmarks"] == ["nose"]
    weights = torch.load(trained, weights_only=True)["state_dict"]
    assert all(torch.equal(value, weights[f"net.{name}"]) for name, value in net.state_dict().items())


def test_a_resumed_training_loads_its_weights_later(people, trained, tmp_path):
    """The checkpoint to resume from has the metadata of the first weights; its own follow."""
    first = {"trained": {}, "data": {}, "init": None, "sha256": "of the first"}
    resumed = save(tmp_path / "last.ckpt", new_net(), init=first)
    assert initialize(new_net(), "gone.task", people, resumed=resumed) == first


def test_missing_weights_are_named(people):
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        initialize(new_net(), "gone.task", people, resumed=None)


def test_published_weights_get_statistics_and_keep_their_outputs(people, shared):
    path = shared / "models" / "pose_landmark_lite.tflite"
    net = new_net()
    initialize(net, str(path), people, resumed=None)
    assert float(net.encoder.stem[0].norm.running_mean.abs().max()) > 0
    published = load_landmark_net(path)
    assert float(published.encoder.stem[0].norm.running_mean.abs().max()) == 0
    images = torch.from_numpy(people[0]["image"])[None].float() / 255
    with torch.no_grad():
        found, expected = net.eval().forward_export(images)[0], published.forward_export(images)[0]
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
