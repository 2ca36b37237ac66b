"""The report of a file: its content, who loads it, what accelerates it."""

import zipfile

import pytest
import torch
from torch import nn

from blazepose.exceptions import InputError
from blazepose.export import check as checking
from blazepose.export.check import check, report
from blazepose.input_spec import InputSpec
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY
from blazepose.tflite.acceleration import Acceleration, on_cpu
from blazepose.tflite.contents import read_contents
from blazepose.tflite.convert import to_tflite
from blazepose.tflite.float16 import store_float16
from blazepose.tflite.int8 import quantize_weights


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(checking, "on_gpu", lambda content: "no GPU in this test")


@pytest.fixture(scope="module")
def convolution() -> bytes:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)

        def forward(self, image):
            return self.conv(image.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    torch.manual_seed(0)
    return to_tflite(Net(), InputSpec(16, 0.0, 1.0))


def test_the_content_of_a_file(convolution):
    contents = read_contents(convolution)
    assert contents.operators == {"CONV_2D": 1}
    assert contents.constants == {"FLOAT32": (2, 4 * (3 * 3 * 3 * 8 + 8))}
    assert contents.precision == "float32 weights, float32 arithmetic"
    assert contents.rank == 4
    assert contents.inputs == ("serving_default_args_0 float32 [1, 16, 16, 3]",)
    assert "TFLITE_METADATA" in contents.metadata
    half = read_contents(store_float16(convolution))
    assert half.precision == "float16 weights, float32 arithmetic"
    assert half.operators == {"DEQUANTIZE": 2, "CONV_2D": 1}
    assert read_contents(quantize_weights(convolution)).precision == "int8 weights, float32 arithmetic"


def test_a_network_of_anybody(convolution, tmp_path):
    path = tmp_path / "any.tflite"
    path.write_bytes(convolution)
    text = report(check(path))
    assert "any.tflite: another network" in text
    assert "MediaPipe Tasks loads it: no: it is not a network of the Pose Landmarker" in text
    assert "XNNPACK     runs every operator on CPU" in text
    assert "GPU         unknown: no GPU in this test" in text
    assert "(byte - 0) / 255" in text


def test_what_an_accelerator_leaves_out_is_named(convolution, tmp_path, monkeypatch):
    path = tmp_path / "mixed.tflite"
    path.write_bytes(store_float16(quantize_weights(convolution)))
    assert on_cpu(path.read_bytes()).left_out == ("CONV_2D (1)",)
    monkeypatch.setattr(checking, "on_gpu", lambda content: Acceleration("Soft", False, ("DENSIFY",), 0.5))
    text = report(check(path))
    assert "runs not all on CPU; it leaves out CONV_2D (1)" in text
    assert "runs not all on Soft; it leaves out DENSIFY; outputs differ" in text
    assert "50 % of their spread: WRONG" in text


def test_a_bundle_of_another_task(convolution, tmp_path):
    path = tmp_path / "hand.task"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("hand_detector.tflite", convolution)
    text = report(check(path))
    assert "hand_detector.tflite: another network" in text
    assert "no: it is not a bundle of the Pose Landmarker" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.onnx", b"x", r"reads \.tflite and \.task files"),
        ("a.tflite", b"\x1c\0\0\0TFL3", "a.tflite is damaged"),
        ("a.tflite", b"nothing", "no identifier TFL3"),
        ("a.task", b"nothing", "a.task"),
    ],
)
def test_bad_input(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        check(path)


def test_a_bundle_without_networks(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.task", "w") as bundle:
        bundle.writestr("readme.txt", "")
    with pytest.raises(ValueError, match="no TFLite file inside"):
        check(tmp_path / "a.task")
    with pytest.raises(FileNotFoundError, match="missing"):
        check(tmp_path / "gone.tflite")


@pytest.mark.shared
def test_googles_bundle(lite_bundle):
    checked = check(lite_bundle)
    assert checked.mediapipe == "yes"
    assert [network.name for network in checked.networks] == [DETECTOR_ENTRY, LANDMARKS_ENTRY]
    assert [network.kind for network in checked.networks] == ["pose detector", "pose landmark network"]
    assert all(network.cpu.whole for network in checked.networks)
    assert "38 kernels store a part of their values" in report(checked)


def test_a_normalization_per_channel_is_reported(convolution, tmp_path, monkeypatch):
    def refuse(stored):
        raise InputError("its channels have different normalizations")

    monkeypatch.setattr(checking, "read_normalization", refuse)
    path = tmp_path / "any.tflite"
    path.write_bytes(convolution)
    assert "input range its channels have different normalizations" in report(check(path))
