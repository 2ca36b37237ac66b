"""Several processes count everybody once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.models.landmark_net import COORDINATE_UNIT, LandmarkNet
from blazepose.models.variants import landmark_variant
from tests.stick_figures import write_lsp
from tests.training.saved_net import save


@pytest.mark.slow
def test_two_processes_measure_what_one_measures(tmp_path):
    """7 people in batches of 3 on 2 processes: the last sample is there twice and must count once."""
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    spec = f"lsp:{write_lsp(tmp_path / 'seven', people=7)}"
    first = torch.from_numpy(PoseDataset([read_source(spec)], net.input_spec)[0]["points"])
    with torch.no_grad():  # the first person's pose for everybody: right for some points of the others
        net.tower.landmarks.bias.view(39, 5)[:, :2] = 256 / COORDINATE_UNIT * first[:, :2]
    checkpoint = save(tmp_path / "net.ckpt", net)
    one, two = (validate(checkpoint, spec, devices) for devices in (1, 2))
    assert 0 < one["val/pck@0.2_raw"] < 100
    assert two == pytest.approx(one, rel=1e-4)


def validate(checkpoint: Path, spec: str, devices: int) -> dict[str, float]:
    script = Path(__file__).with_name("validate_on_processes.py")
    command = [sys.executable, str(script), str(checkpoint), spec, str(devices)]
    hangs = 3600
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=hangs)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
