"""Export to programs of torch.export, and their sessions."""

from pathlib import Path

import pytest
import torch

from blazepose.commands.main import main
from blazepose.evaluation.engine_registry import open_weights
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.engines import LandmarkEngine
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.training.checkpoint import landmark_metadata

pytestmark = pytest.mark.slow


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "paper"))
    metadata = landmark_metadata(net, "paper", SupervisedOutputs(landmarks=("nose",)), {"train": []}, {})
    weights = {f"net.{name}": value for name, value in net.state_dict().items()}
    torch.save({"blazepose": metadata, "state_dict": weights}, tmp_path / "net.ckpt")
    return tmp_path / "net.ckpt"


def test_the_command_writes_a_verified_file(checkpoint, tiny_lsp, tmp_path, monkeypatch, capsys):
    out = tmp_path / "pose.pt2"
    options = ["--target", "pt2", "--weights", str(checkpoint), "--pictures", str(tiny_lsp / "images")]
    monkeypatch.setattr("sys.argv", ["blazepose", "export", *options, "--out", str(out)])
    main()
    assert "verified against torch" in capsys.readouterr().out
    assert LandmarkEngine(out).metadata["wiring"] == "paper"
    assert open_weights(out).input_size == 256


def test_a_damaged_file_is_rejected(tmp_path):
    (tmp_path / "pose.pt2").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(ValueError, match=r"pose\.pt2"):
        LandmarkEngine(tmp_path / "pose.pt2")
