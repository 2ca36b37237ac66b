"""The GPU accelerator in the runtime, on the software GPU of a browser."""

import json
import os
import subprocess
import sys

import pytest

from blazepose.runtime.engines import LandmarkEngine
from blazepose.task_bundle import LANDMARKS_ENTRY, read_tflite
from blazepose.tflite.acceleration import on_gpu, software_gpu

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from blazepose.runtime.engines import LandmarkEngine
image = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
cpu, gpu = (LandmarkEngine(Path(sys.argv[1]), masks=False, delegate=d)(image) for d in ("cpu", "gpu"))
print(json.dumps([float(np.abs(cpu.landmarks - gpu.landmarks).max()), gpu.segmentation is None]))
"""


@pytest.mark.slow
def test_the_gpu_computes_the_same(lite_bundle):
    answer = on_gpu(read_tflite(lite_bundle, LANDMARKS_ENTRY))
    if isinstance(answer, str):
        pytest.skip(answer)
    command = [sys.executable, "-c", SCRIPT, str(lite_bundle)]
    done = subprocess.run(command, capture_output=True, env=os.environ | software_gpu(), check=True)
    difference, no_mask = json.loads(done.stdout.splitlines()[-1])
    assert difference < 0.05
    assert no_mask


def test_without_a_gpu_the_error_names_the_next_step(lite_bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    with pytest.raises(ValueError, match=r"does not run .*lite.task: it found no GPU here.*`blazepose check"):
        LandmarkEngine(lite_bundle, delegate="gpu")


def test_a_delegate_without_effect_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.onnx: delegate gpu runs .task and .tflite files"):
        LandmarkEngine(tmp_path / "a.onnx", delegate="gpu")
