"""The commands behind docs/benchmarks/decoding.md that compare exported files."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert.hardware_accelerator import HardwareAccelerator

from benchmarks import decoded_files
from blazepose.topologies.full_body import INDEX, RIGHT_HIP
from tests.constant_network import write_network


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments: object) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["decoded_files.py", *map(str, arguments)])
        decoded_files.main()
        return capsys.readouterr().out.splitlines()

    return call


def test_two_files_are_timed(run, tmp_path):
    files = [write_network(tmp_path / name) for name in ("a.onnx", "b.onnx")]
    (line,) = run("time", *files)
    assert re.fullmatch(r"\d+\.\d\d ms, \d+\.\d\d ms: \d+\.\d{3}", line)


@pytest.mark.shared
def test_two_bundles_are_compared_in_mediapipe(run, shared, lite_bundle):
    full = shared / "models/pose_landmarker_full.task"
    picture = shared / "data/mp_reference/pose.jpg"
    lines = run("moved", full, full, picture)
    assert lines == [
        f"pose.jpg, {mode}: 1 frames; landmarks 0.00 % of the torso apart (median), 0.0 (95th percentile), "
        "0 (largest); world 0 mm, masks 0"
        for mode in ("IMAGE", "VIDEO")
    ]
    for line in run("moved", full, lite_bundle, picture):
        numbers = re.findall(r"\d[\d.e+-]*", line.partition("; ")[2].replace("95th", ""))
        median, high, largest, world, masks = map(float, numbers)
        assert 0.3 < median < high < largest + 1
        assert world > 1
        assert 0 < masks <= 1


def test_the_largest_step_is_in_torsos():
    start = np.zeros((33, 2))
    start[RIGHT_HIP] = 0.0, 0.5  # 50 pixels below the left shoulder
    end = start.copy()
    end[INDEX["nose"]] = 0.1, 0.0  # 20 pixels of a width of 200
    poses = [decoded_files.MediaPipePose(xy, np.zeros(0), np.zeros(0)) for xy in (start, end, end)]
    assert decoded_files.largest_step(poses, (100, 200, 3)) == pytest.approx(40)


@pytest.mark.shared
def test_a_media_file_without_people_is_refused(run, shared, tmp_path, capsys):
    import cv2

    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.zeros((64, 64, 3), np.uint8))
    bundle = shared / "models/pose_landmarker_full.task"
    with pytest.raises(SystemExit):
        run("moved", bundle, bundle, empty)
    assert "empty.png: the two bundles find no person in the same frame" in capsys.readouterr().err


@pytest.mark.shared
def test_each_output_is_compared_between_accelerators(run, shared, tiny_lsp, monkeypatch):
    """On the CPU twice: a GPU is rare."""
    twice = SimpleNamespace(CPU=HardwareAccelerator.CPU, GPU=HardwareAccelerator.CPU)
    monkeypatch.setattr(decoded_files, "HardwareAccelerator", twice)
    file = shared / "models/pose_landmark_lite.tflite"
    lines = run("accelerator", file, f"lsp:{tiny_lsp}", "--people", "2")
    assert [line.split(" of ")[0] for line in lines] == [f"output {k}: 0" for k in range(5)]
    assert all(float(line.split(" of ")[1]) > 0 for line in lines)
