"""Exported files: the same outputs as torch, or no file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.decoding import default_decoding
from blazepose.evaluation.engine_registry import open_weights
from blazepose.export import landmark_export as landmark
from blazepose.export.landmark_export import export_landmark_net
from blazepose.export.pck_loss import pck_loss
from blazepose.export.targets import TARGETS, Target
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.decode import decode_outputs
from blazepose.runtime.engines import LandmarkEngine
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.tflite.model import pack_model, read_model
from blazepose.training.checkpoint import landmark_metadata
from blazepose.training.weights import read_weights

PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, tiny_lsp) -> Path:
    """Save a lite with outputs as large as a trained network's, so that half precision matters."""
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    with torch.no_grad():
        net.tower.landmarks.weight.mul_(5)
        net.heatmaps.weight.mul_(300)
    # Give BatchNorm statistics of data, as after training; otherwise activations vanish with depth.
    for _ in range(5):
        net.train()(torch.rand(8, 3, 256, 256))
    metadata = landmark_metadata(
        net, "mediapipe", SupervisedOutputs(landmarks=("nose", "left_hip")), {"train": []}, {}
    )
    metadata["data"] = {"train": [], "val": [{"name": f"lsp:{tiny_lsp}", "people": 24, "licence": "none"}]}
    path = tmp_path_factory.mktemp("run") / "checkpoints" / "best.ckpt"
    path.parent.mkdir()
    torch.save(
        {"blazepose": metadata, "state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}}, path
    )
    return path


@pytest.fixture(scope="module", params=["tflite fp32", "tflite fp16", "onnx fp16"])
def exported(request, checkpoint, tmp_path_factory):
    """Export a file; return it, its target and precision, and its differences to torch."""
    target, precision = request.param.split()
    out = tmp_path_factory.mktemp("exported") / f"pose.{target}"
    _, verification = export_landmark_net(checkpoint, target, precision, out)
    return out, target, precision, verification


@pytest.mark.parametrize("target", ["tflite", "onnx"])
def test_the_papers_wiring_and_heatmap_decoding_are_exported_too(target, tiny_lsp, tmp_path):
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "paper"), gradient_stop=True)
    for _ in range(3):
        net.train()(torch.rand(8, 3, 256, 256))
    supervised = SupervisedOutputs(("nose",), (), ("nose",), ("presence",))
    metadata = landmark_metadata(net, "paper", supervised, {"train": []}, {}, decoding="heatmap")
    torch.save(
        {"blazepose": metadata, "state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}},
        tmp_path / "a.ckpt",
    )
    out = tmp_path / f"pose.{target}"
    # Without an argument: the weights are made for heatmaps.
    export_landmark_net(tmp_path / "a.ckpt", target, "fp32", out, tiny_lsp / "images")
    assert LandmarkEngine(out).metadata["wiring"] == "paper"
    assert LandmarkEngine(out).metadata["decoding"] == "heatmap"
    if target == "tflite":
        assert_same_network(out, tiny_lsp)


def assert_same_network(file: Path, people: Path) -> None:
    """Compare LiteRT's outputs of a file with those of the network imported from it."""
    crop = PoseDataset([read_source(f"lsp:{people}")], LANDMARK_INPUT)[0]["image"][None]
    engines = open_weights(file, "torch"), LandmarkEngine(file)
    decoding = default_decoding(engines[0].metadata)
    decoded, expected = (decode_outputs(engine(crop), 256, decoding) for engine in engines)
    for output, other in zip(decoded, expected, strict=True):
        if output is not decoded.regressed:  # a graph that decodes has none
            np.testing.assert_allclose(output, other, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("exported", ["tflite fp32", "tflite fp16"], indirect=True)
def test_exported_files_are_imported_again(exported, tiny_lsp):
    assert_same_network(exported[0], tiny_lsp)
    metadata = read_weights(exported[0]).metadata
    assert metadata["trained"]["landmarks"] == ["nose", "left_hip"], (
        "the supervised outputs are in the metadata"
    )


@pytest.mark.parametrize("exported", ["tflite fp32", "tflite fp16"], indirect=True)
def test_constants_are_aligned(exported):
    """The schema requires it, Google's files have it, and some delegates map the weights in place."""
    model = schema.Model.GetRootAs(exported[0].read_bytes())
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    starts = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in buffers if buffer.DataLength()]
    assert len(starts) > 100
    assert all(start % 16 == 0 for start in starts)


def test_export_is_verified_and_has_metadata(exported):
    out, _, precision, verification = exported
    assert verification.worst.landmarks_px < (0.05 if precision == "fp32" else 1.0)
    assert out.stat().st_size / 1e6 == pytest.approx(5.5 if precision == "fp32" else 2.85, rel=0.05)
    engine = LandmarkEngine(out)
    assert engine.metadata["model"] == "lite"
    assert engine.metadata["input"] == {"size": 256, "low": 0.0, "high": 1.0}
    assert engine.metadata["precision"] == precision
    assert engine.metadata["trained"]["landmarks"] == ["nose", "left_hip"]
    assert [path.name for path in out.parent.iterdir()] == [out.name]  # no partial file remains


def test_no_path_of_this_machine_is_in_the_file(exported):
    content = exported[0].read_bytes()
    assert str(Path(landmark.__file__).parents[2]).encode() not in content
    assert b"site-packages" not in content


@pytest.mark.parametrize("exported", ["tflite fp32"], indirect=True)
def test_tflite_has_googles_operators(exported):
    """Source: the official lite file, without its DEQUANTIZE."""
    graph = Interpreter(str(exported[0]), experimental_op_resolver_type=PLAIN)
    operators = Counter(op["op_name"] for op in graph._get_ops_details())
    official = {
        "CONV_2D": 54,
        "DEPTHWISE_CONV_2D": 34,
        "ADD": 25,
        "RESIZE_BILINEAR": 5,
        "MAX_POOL_2D": 2,
        "LOGISTIC": 1,
        "PAD": 5,
        "RESHAPE": 3,
    }
    assert operators == official


@pytest.mark.parametrize("exported", ["tflite fp32"], indirect=True)
def test_a_file_that_differs_does_not_appear(exported, checkpoint, tmp_path, monkeypatch):
    model = read_model(exported[0].read_bytes())
    (bias,) = (buffer for buffer in model.buffers if buffer.data is not None and len(buffer.data) == 4 * 195)
    bias.data = (bias.data.view(np.float32) + 1).view(np.uint8)
    moved = pack_model(model)
    target = Target(".tflite", lambda net, precision, metadata, path: path.write_bytes(moved))
    monkeypatch.setitem(TARGETS, "tflite", target)
    with pytest.raises(ValueError, match="differs from torch"):
        export_landmark_net(checkpoint, "tflite", "fp32", tmp_path / "pose.tflite")
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_not_overwritten(checkpoint, tmp_path):
    out = tmp_path / "pose.onnx"
    out.write_text("mine")
    with pytest.raises(FileExistsError, match="choose another --out"):
        export_landmark_net(checkpoint, "onnx", "fp32", out)
    assert out.read_text() == "mine"


def test_static_int8_is_fitted_to_people_and_scored_on_others(checkpoint, tiny_lsp, tmp_path):
    out = tmp_path / "pose.tflite"
    metadata, verification = export_landmark_net(checkpoint, "tflite", "int8_static", out)
    assert out.stat().st_size / 1e6 == pytest.approx(1.95, rel=0.05)
    assert 0 < verification.typical.mean_px < 8
    assert LandmarkEngine(out).metadata["precision"] == "int8_static"
    loss = pck_loss(out, checkpoint, metadata)
    assert (loss.people, loss.data) == (24, [f"lsp:{tiny_lsp}"])
    assert loss.change.value == pytest.approx(loss.file - loss.weights)
    assert "in the file" in loss.describe()
    with pytest.raises(ValueError, match="INT8 constants"):
        export_landmark_net(out, "tflite", "int8", tmp_path / "again.tflite", tiny_lsp / "images")
