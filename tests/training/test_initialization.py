"""Initial weights and teacher of a training."""

import pytest
import torch

from blazepose.atomic import file_sha256
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training import initialization
from blazepose.training.initialization import InitialState, initialize
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
    assert initialize(new_net(), None, people, distill=False, resumed=None) == InitialState(None, None)
    with pytest.raises(
        ValueError, match=r"loss\.distill \(distillation from the initial weights\) needs init=FILE"
    ):
        initialize(new_net(), None, people, distill=True, resumed=None)


def test_checkpoints_load_unchanged(people, trained, monkeypatch):
    monkeypatch.setattr(initialization, "precise_bn", None)  # checkpoints have statistics
    net = new_net()
    start = initialize(net, str(trained), people, distill=False, resumed=None)
    assert start.metadata["trained"]["landmarks"] == ["nose"]
    assert start.teacher is None
    weights = torch.load(trained, weights_only=True)["state_dict"]
    assert all(torch.equal(value, weights[f"net.{name}"]) for name, value in net.state_dict().items())


def test_the_teacher_is_a_copy(people, trained):
    net = new_net()
    teacher = initialize(net, str(trained), people, distill=True, resumed=None).teacher
    assert not teacher.training
    with torch.no_grad():
        net.heatmaps.bias.add_(1)
    assert not torch.equal(teacher.heatmaps.bias, net.heatmaps.bias)


def test_a_resumed_training_keeps_its_first_teacher(people, trained, tmp_path):
    """The checkpoint to resume from is already a student."""
    metadata = {"init": {"trained": {}, "data": {}, "init": None, "sha256": file_sha256(trained)}}
    resumed = save(tmp_path / "last.ckpt", new_net(), **metadata)
    net = new_net()
    start = initialize(net, str(trained), people, distill=True, resumed=resumed)
    assert start.metadata == metadata["init"]
    weights = torch.load(trained, weights_only=True)["state_dict"]
    assert torch.equal(start.teacher.heatmaps.weight, weights["net.heatmaps.weight"])
    assert not torch.equal(net.heatmaps.weight, start.teacher.heatmaps.weight)
    assert initialize(net, "gone.task", people, distill=False, resumed=resumed).teacher is None, "not needed"


def test_a_resumed_training_refuses_a_changed_teacher(people, trained, tmp_path):
    metadata = {"init": {"trained": {}, "data": {}, "init": None, "sha256": "of another file"}}
    resumed = save(tmp_path / "last.ckpt", new_net(), **metadata)
    with pytest.raises(
        ValueError, match=r"best\.ckpt, the teacher of this run, has changed since the run started"
    ):
        initialize(new_net(), str(trained), people, distill=True, resumed=resumed)


def test_missing_weights_are_named(people):
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        initialize(new_net(), "gone.task", people, distill=False, resumed=None)


def test_published_weights_get_statistics_and_keep_their_outputs(people, shared):
    path = shared / "models" / "pose_landmark_lite.tflite"
    net = new_net()
    start = initialize(net, str(path), people, distill=True, resumed=None)
    assert float(net.encoder.stem[0].norm.running_mean.abs().max()) > 0
    assert float(start.teacher.encoder.stem[0].norm.running_mean.abs().max()) == 0
    images = torch.from_numpy(people[0]["image"])[None].float() / 255
    with torch.no_grad():
        found, expected = net.eval().forward_export(images)[0], start.teacher.forward_export(images)[0]
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
