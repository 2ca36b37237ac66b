"""Export to programs of torch.export, and their sessions."""

import pytest
import torch

from blazepose.commands.main import main
from blazepose.evaluation.engine_registry import open_weights
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.engines import LandmarkEngine
from tests.training.saved_net import save


@pytest.mark.slow
def test_the_command_writes_a_verified_file(tiny_lsp, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    weights = save(tmp_path / "net.ckpt", LandmarkNet(landmark_variant("lite", "mediapipe")))
    out = tmp_path / "pose.pt2"
    options = ["--target", "pt2", "--weights", str(weights), "--pictures", str(tiny_lsp / "images")]
    monkeypatch.setattr("sys.argv", ["blazepose", "export", *options, "--out", str(out)])
    main()
    assert "verified against torch" in capsys.readouterr().out
    assert LandmarkEngine(out).metadata["wiring"] == "mediapipe"
    assert open_weights(out).input_size == 256


def test_a_damaged_file_is_rejected(tmp_path):
    (tmp_path / "pose.pt2").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(ValueError, match=r"pose\.pt2"):
        LandmarkEngine(tmp_path / "pose.pt2")
