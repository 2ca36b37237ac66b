"""Checkpoints: complete or refused."""

from pathlib import Path

import pytest
import torch

from blazepose.data.annotation import Source
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.topology import OUTPUTS
from blazepose.training.checkpoint import (
    describe_landmark_net,
    load_initial_weights,
    load_landmark_net,
    read_checkpoint,
)


def save(path: Path, net: LandmarkNet, wiring: str = "mediapipe", **changes) -> Path:
    about = describe_landmark_net(
        net, wiring, {"landmarks": ["nose"], "heatmaps": [], "outputs": []}, {"train": []}, {}
    )
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    torch.save({"blazepose": {**about, **changes}, "state_dict": state}, path)
    return path


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return LandmarkNet(landmark_variant("lite", "mediapipe"))


def test_round_trip(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    loaded = load_landmark_net(path)
    assert not loaded.training
    images = torch.rand(1, 256, 256, 3)
    torch.testing.assert_close(loaded.contract(images)[0], net.eval().contract(images)[0])
    about = read_checkpoint(path).about
    assert about["topology"] == list(OUTPUTS)
    assert about["input"] == {"size": 256, "low": 0.0, "high": 1.0}
    assert about["trained"]["landmarks"] == ["nose"]


def test_weights_keep_the_unit_they_were_trained_in(tmp_path):
    """COORDINATE_UNIT may change; older weights must not then mean other coordinates."""
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    net.tower.unit.mul_(4)
    loaded = load_landmark_net(save(tmp_path / "a.ckpt", net))
    images = torch.rand(1, 256, 256, 3)
    torch.testing.assert_close(loaded.contract(images)[0], net.contract(images)[0])


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt is missing"):
        read_checkpoint(tmp_path / "none.ckpt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_damaged_file(tmp_path, net, content):
    path = save(tmp_path / "a.ckpt", net)
    path.write_bytes(path.read_bytes()[:100_000] if content is None else content)
    with pytest.raises(ValueError, match=r"a\.ckpt cannot be read as a checkpoint"):
        read_checkpoint(path)


def test_somebody_elses_checkpoint(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="no checkpoint of blazepose"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_another_task_or_topology(tmp_path, net):
    with pytest.raises(ValueError, match="holds a detector network"):
        load_landmark_net(save(tmp_path / "a.ckpt", net, task="detector"))
    with pytest.raises(ValueError, match="another set of 3 points"):
        load_landmark_net(save(tmp_path / "b.ckpt", net, topology=["a", "b", "c"]))


def test_another_size_or_wiring(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    with pytest.raises(ValueError, match=r"a\.ckpt holds lite in the mediapipe wiring, not the full asked"):
        load_initial_weights(LandmarkNet(landmark_variant("full", "mediapipe")), path)
    with pytest.raises(ValueError, match=r"its own network is model=lite model\.wiring=mediapipe"):
        load_initial_weights(LandmarkNet(landmark_variant("lite", "paper")), path)


def test_missing_and_unexpected_tensors_are_refused(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    content = torch.load(path, weights_only=True)
    content["state_dict"].pop("net.heatmaps.bias")
    content["state_dict"]["net.extra"] = torch.zeros(1)
    torch.save(content, path)
    with pytest.raises(ValueError, match="2 tensors do not fit"):
        load_landmark_net(path)


def test_weights_bring_along_what_they_started_from(tmp_path, net):
    """Data and licences of the first training travel with the second; what both learned counts as learned."""
    lsp = Source("lsp:a", "lsp", [], "academic")
    own = Source("landmarks:b.json", "landmarks", [], "own labels")
    first = {
        "landmarks": ["nose"],
        "heatmaps": ["nose"],
        "visibility": [],
        "outputs": ["heatmaps", "presence"],
    }
    second = {
        "landmarks": ["left_heel"],
        "heatmaps": [],
        "visibility": ["left_heel"],
        "outputs": ["presence", "visibility"],
    }
    start = describe_landmark_net(net, "mediapipe", first, {"train": [lsp]}, {})
    about = describe_landmark_net(net, "mediapipe", second, {"train": [own]}, {}, init=start)
    assert about["init"]["data"]["train"][0]["licence"] == "academic"
    assert about["data"]["train"][0]["licence"] == "own labels"
    assert about["trained"] == {
        "landmarks": ["nose", "left_heel"],
        "heatmaps": ["nose"],
        "visibility": ["left_heel"],
        "outputs": ["heatmaps", "presence", "visibility"],
    }
    again = describe_landmark_net(net, "mediapipe", second, {"train": [own]}, {}, init=about["init"])
    assert again == about, "going on with the run must not lose it"


def test_initial_weights_are_taken(tmp_path, net):
    other = LandmarkNet(landmark_variant("lite", "mediapipe"))
    load_initial_weights(other, save(tmp_path / "a.ckpt", net))
    torch.testing.assert_close(other.encoder.stem[0].conv.weight, net.encoder.stem[0].conv.weight)


def test_googles_files_are_not_there_yet(net):
    with pytest.raises(ValueError, match="not there yet"):
        load_initial_weights(net, Path("pose_landmarker_full.task"))
