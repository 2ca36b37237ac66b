"""Checkpoints: complete or refused."""

import argparse

import pytest
import torch

from blazepose.data.annotation import Source
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.training.checkpoint import landmark_metadata, read_checkpoint
from tests.training.saved_net import save


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return LandmarkNet(landmark_variant("lite", "mediapipe"))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt is missing"):
        read_checkpoint(tmp_path / "none.ckpt")


def test_damaged_files_raise_the_error_of_torch(tmp_path, net):
    path = save(tmp_path / "best.ckpt", net)
    for content, reason in (
        (
            path.read_bytes()[:100_000],
            r"Py\S+ failed reading zip archive: .* as a zip archive; compare its 100,",
        ),
        (b"not a checkpoint", r"\S.*; it begins as text, 'not a checkpoint'; compare its 16 bytes"),
        (bytes(range(256)), r"Unsupported operand 0; compare its 256 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=rf"best\.ckpt cannot be read as a checkpoint: {reason}"
        ) as error:
            read_checkpoint(path)
        assert "\n" not in str(error.value)


def test_the_other_checkpoint_of_a_run_is_named_if_it_is_there(tmp_path, net):
    save(tmp_path / "last.ckpt", net)
    (tmp_path / "best.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"; \S+/last\.ckpt is the other checkpoint of this run$"):
        read_checkpoint(tmp_path / "best.ckpt")


def test_files_of_other_programs_are_refused_by_content(tmp_path):
    torch.save({"state_dict": argparse.Namespace(lr=1)}, tmp_path / "a.ckpt")
    with pytest.raises(
        ValueError, match=r"GLOBAL argparse\.Name.*; name a \.ckpt that blazepose train wrote$"
    ):
        read_checkpoint(tmp_path / "a.ckpt")


def test_checkpoints_of_other_projects_are_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="not a blazepose checkpoint: it has no blazepose metadata"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_metadata_includes_the_initial_weights(tmp_path, net):
    """Data and licenses of the first training are kept; the outputs of both count as trained."""
    lsp = Source("lsp:a", "lsp", [], "academic")
    own = Source("landmarks:b.json", "landmarks", [], "own labels")
    first = SupervisedOutputs(("nose",), (), ("nose",), ("heatmaps", "presence"))
    second = SupervisedOutputs(("left_heel",), ("left_heel",), (), ("presence", "visibility"))
    start = landmark_metadata(net, "mediapipe", first, {"train": [lsp]}, {})
    metadata = landmark_metadata(net, "mediapipe", second, {"train": [own]}, {}, init=start)
    assert metadata["init"]["data"]["train"][0]["licence"] == "academic"
    assert metadata["data"]["train"][0]["licence"] == "own labels"
    assert metadata["trained"] == {
        "landmarks": ["nose", "left_heel"],
        "heatmaps": ["nose"],
        "visibility": ["left_heel"],
        "outputs": ["heatmaps", "presence", "visibility"],
    }
    again = landmark_metadata(net, "mediapipe", second, {"train": [own]}, {}, init=metadata["init"])
    assert again == metadata, "resuming the run must not lose it"


def test_checkpoints_without_optimizer_state_do_not_resume(tmp_path, net):
    path = save(tmp_path / "net.ckpt", net)
    assert read_checkpoint(path).metadata["model"] == "lite"
    with pytest.raises(
        ValueError, match=r"net\.ckpt has no optimizer state.*; init=.*net\.ckpt starts a new"
    ):
        read_checkpoint(path, for_resume=True)
