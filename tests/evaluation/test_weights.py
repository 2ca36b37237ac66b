"""Engines by type of weights."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.evaluation.engine_registry import holds_detector, open_weights, validation_data, weights_name
from blazepose.runtime.decode import NUM_RAW_OUTPUTS
from blazepose.supervised_outputs import SupervisedOutputs


@pytest.mark.parametrize(
    ("path", "engine", "sentence"),
    [
        ("a.tflite", "mediapipe", r"cannot run a\.tflite; \.tflite files need engine=litert or engine=torch"),
        ("a.tflite", "tpu", "engine=tpu is unknown; engine is one of torch, litert, onnxruntime, mediapipe"),
        ("a.onnx", "torch", r"engine=torch cannot run a\.onnx; \.onnx files need engine=onnxruntime"),
        ("a.pth", None, r"a\.pth: no engine runs '\.pth' files, only \.ckpt, \.tflite"),
    ],
)
def test_wrong_pairs_are_refused(path, engine, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(path).touch()
    with pytest.raises(ValueError, match=sentence):
        open_weights(Path(path), engine)


@pytest.mark.parametrize("suffix", [".ckpt", ".tflite", ".task", ".onnx"])
def test_missing_and_damaged_weights_are_named(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    with pytest.raises(FileNotFoundError, match=f"net{suffix} is missing"):
        open_weights(path)
    path.write_bytes(b"not a network")
    with pytest.raises(ValueError, match=f"net{suffix}"):
        open_weights(path)


def test_checkpoints_run_through_torch(tmp_path):
    import torch

    from blazepose.models.landmark_net import LandmarkNet
    from blazepose.models.variants import landmark_variant
    from blazepose.training.checkpoint import landmark_metadata

    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    trained = SupervisedOutputs(landmarks=("nose",))
    metadata = landmark_metadata(net, "mediapipe", trained, {}, {})
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    torch.save({"blazepose": metadata, "state_dict": state}, tmp_path / "best.ckpt")

    engine = open_weights(tmp_path / "best.ckpt")
    assert engine.input_size == 256
    assert engine.metadata["trained"] == trained.as_metadata()
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = net.forward_export(torch.from_numpy(images).float() / 255)
    for output, tensor in zip(engine(images)[:NUM_RAW_OUTPUTS], expected, strict=True):
        np.testing.assert_allclose(output, tensor.numpy(), rtol=1e-4, atol=1e-4)


def test_validation_data_comes_from_our_weights_only():
    metadata = {"data": {"train": [], "val": [{"name": "lsp:a"}, {"name": "coco:b:val2017"}]}}
    assert validation_data(Path("a.ckpt"), metadata) == ["lsp:a", "coco:b:val2017"]
    with pytest.raises(ValueError, match=r"a\.tflite does not state its validation data"):
        validation_data(Path("a.tflite"), {})


@pytest.mark.shared
def test_detectors_are_recognized(shared, tmp_path):
    models = shared / "models"
    assert holds_detector(models / "pose_detection.tflite")
    assert not holds_detector(models / "pose_landmark_lite.tflite")
    assert not holds_detector(models / "pose_landmarker_full.task"), (
        "it holds both, so it is no detector alone"
    )
    assert not holds_detector(tmp_path / "missing.tflite")


@pytest.mark.parametrize("task", ["detector", "landmark"])
def test_checkpoints_state_their_task(tmp_path, task):
    import torch

    torch.save({"blazepose": {"task": task}, "state_dict": {}}, tmp_path / "a.ckpt")
    assert holds_detector(tmp_path / "a.ckpt") == (task == "detector")


def test_names():
    assert weights_name(Path("runs/landmark/lite-1/checkpoints/best.ckpt")) == "lite-1"
    assert weights_name(Path("models/pose_landmark_full.tflite")) == "pose_landmark_full"
    assert weights_name(Path("reports/my_pose/predictions.jsonl")) == "my_pose"
