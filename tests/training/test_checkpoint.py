"""Checkpoints: complete or refused."""

import pytest
import torch

from blazepose.data.annotation import Source
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.checkpoint import describe_landmark_net, read_checkpoint
from tests.training.saved_net import save


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return LandmarkNet(landmark_variant("lite", "mediapipe"))


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


def test_weights_alone_are_no_run_to_go_on_with(tmp_path, net):
    path = save(tmp_path / "net.ckpt", net)
    assert read_checkpoint(path).about["model"] == "lite"
    with pytest.raises(ValueError, match=r"net\.ckpt holds weights alone.*; init=.*net\.ckpt starts a new"):
        read_checkpoint(path, to_go_on=True)
