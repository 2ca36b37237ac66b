import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blazepose.runtime.engines import LandmarkEngine
from blazepose.runtime.graphs import METADATA_KEY
from blazepose.task_bundle import pack

onnx = pytest.importorskip("onnx")

OUTPUTS = ([195], [1], [256, 256, 1], [64, 64, 39], [117])


def write_onnx(
    path: Path,
    outputs=OUTPUTS,
    channels_first: bool = False,
    batch: int | str = "batch",
    dtype: int = onnx.TensorProto.FLOAT,
    metadata: dict | None = None,
) -> Path:
    """A network whose output k is k + 1 in its first entry times the mean of channel 0 of the input."""
    spatial = [3, 256, 256] if channels_first else [256, 256, 3]
    helper = onnx.helper
    nodes, constants, values = [], [], []
    axes = [2, 3] if channels_first else [1, 2]
    constants += [onnx.numpy_helper.from_array(np.array(axes), "axes")]
    constants += [onnx.numpy_helper.from_array(np.array([-1, 3]), "by_channel")]
    constants += [onnx.numpy_helper.from_array(np.array([0]), "red")]
    nodes += [helper.make_node("ReduceMean", ["image", "axes"], ["mean"])]
    nodes += [helper.make_node("Reshape", ["mean", "by_channel"], ["channels"])]
    nodes += [helper.make_node("Gather", ["channels", "red"], ["first"], axis=1)]
    for k, shape in enumerate(outputs):
        weight = np.zeros((1, int(np.prod(shape))), np.float32)
        weight[0, 0] = k + 1
        constants += [onnx.numpy_helper.from_array(weight, f"weight{k}")]
        constants += [onnx.numpy_helper.from_array(np.array([-1, *shape]), f"shape{k}")]
        nodes += [helper.make_node("MatMul", ["first", f"weight{k}"], [f"flat{k}"])]
        nodes += [helper.make_node("Reshape", [f"flat{k}", f"shape{k}"], [f"out{k}"])]
        values += [helper.make_tensor_value_info(f"out{k}", onnx.TensorProto.FLOAT, [batch, *shape])]
    image = helper.make_tensor_value_info("image", dtype, [batch, *spatial])
    graph = helper.make_graph(nodes, "net", [image], values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if metadata is not None:
        helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("batch", ["batch", 1])
def test_onnx_input_layouts_and_batches(tmp_path, channels_first, batch):
    engine = LandmarkEngine(write_onnx(tmp_path / "net.onnx", channels_first=channels_first, batch=batch), 1)
    assert engine.input_size == 256
    assert engine.metadata == {}
    images = np.zeros((3, 256, 256, 3), np.uint8)
    images[..., 0] = np.array([0, 51, 255])[:, None, None]
    raw = engine(images)
    assert [output.shape for output in raw] == [(3, *shape) for shape in OUTPUTS]
    assert raw.landmarks[:, 0] == pytest.approx([0, 0.2, 1], rel=1e-3)
    assert raw.world[:, 0] == pytest.approx([0, 1, 5], rel=1e-3)


def test_onnx_metadata(tmp_path):
    note = {"trained_outputs": ["nose"]}
    assert LandmarkEngine(write_onnx(tmp_path / "net.onnx", metadata=note), 1).metadata == note


def test_outputs_beyond_the_five_are_ignored(tmp_path):
    engine = LandmarkEngine(write_onnx(tmp_path / "net.onnx", outputs=(*OUTPUTS, [7])), 1)
    assert engine(np.zeros((1, 256, 256, 3), np.uint8)).world.shape == (1, 117)


@pytest.mark.parametrize("outputs", [OUTPUTS[:4], OUTPUTS[::-1], ([195], [1, 1, 1], *OUTPUTS[2:])])
def test_outputs_are_matched_by_position_and_shape(tmp_path, outputs):
    path = write_onnx(tmp_path / "net.onnx", outputs=outputs)
    with pytest.raises(ValueError, match=r"net\.onnx is not a landmark network: its outputs are \[batch, "):
        LandmarkEngine(path)


def test_another_input_is_refused(tmp_path):
    path = write_onnx(tmp_path / "net.onnx", batch=4)
    with pytest.raises(ValueError, match=r"its inputs are \[4, 256, 256, 3, float32\], expected \[1, 256"):
        LandmarkEngine(path)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".task"])
def test_missing_empty_and_foreign_files_are_named(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    with pytest.raises(FileNotFoundError, match=f"net{suffix} is missing"):
        LandmarkEngine(path)
    for content in (b"", b"not a network at all"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"net{suffix} is (truncated|cut off|damaged)"):
            LandmarkEngine(path)


def test_bundle_without_the_landmark_network(tmp_path):
    (tmp_path / "net.task").write_bytes(pack({"other.tflite": b""}))
    with pytest.raises(
        ValueError, match=r"net\.task is no pose bundle: it holds other\.tflite, not pose_land"
    ):
        LandmarkEngine(tmp_path / "net.task")


def test_unknown_suffix_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"no engine runs '\.pth' files; they are \.tflite, \.task, \.onnx"):
        LandmarkEngine(tmp_path / "net.pth")


@pytest.mark.shared
def test_published_networks(shared: Path):
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    engine = LandmarkEngine(shared / "models/pose_landmark_full.tflite", 2)
    assert engine.input_size == 256
    assert engine.metadata == {}
    batch = engine(images)
    assert [output.shape for output in batch] == [(2, *shape) for shape in OUTPUTS]
    for k in range(2):
        single = engine(images[k : k + 1])
        for together, alone in zip(batch, single, strict=True):
            np.testing.assert_array_equal(together[k : k + 1], alone)
    bundle = LandmarkEngine(shared / "models/pose_landmarker_full.task", 2)(images)
    np.testing.assert_array_equal(bundle.landmarks, batch.landmarks)


@pytest.mark.shared
def test_the_detector_and_truncated_files_are_refused(shared: Path, tmp_path):
    with pytest.raises(
        ValueError, match=r"pose_detection\.tflite is not a landmark network: its outputs are \[1, 2254"
    ):
        LandmarkEngine(shared / "models/pose_detection.tflite")
    content = (shared / "models/pose_landmark_full.tflite").read_bytes()
    for length in (1000, len(content) // 2, len(content) - 4):
        (tmp_path / "cut.tflite").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"cut\.tflite is truncated"):
            LandmarkEngine(tmp_path / "cut.tflite")


def test_the_runtime_is_light():
    """A phone-like install pays for numpy, OpenCV and LiteRT only."""
    check = (
        "import sys; from blazepose.runtime import decode, draw, engines; "
        "print(sorted({'torch', 'pytorch_lightning', 'hydra', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
