"""Networks of a few nodes that have the inputs and outputs of the real ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from blazepose.runtime.inference_sessions import METADATA_KEY

onnx = pytest.importorskip("onnx")

LANDMARK_OUTPUTS = ([195], [1], [256, 256, 1], [64, 64, 39], [117])
DETECTOR_OUTPUTS = ([2254, 12], [2254, 1])


def write_onnx(
    path: Path,
    outputs=LANDMARK_OUTPUTS,
    size: int = 256,
    channels_first: bool = False,
    batch: int | str = "batch",
    metadata: dict | None = None,
) -> Path:
    """Write a network whose output k is k + 1 in its first entry times the mean of channel 0 of the input."""
    spatial = [3, size, size] if channels_first else [size, size, 3]
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
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [batch, *spatial])
    graph = helper.make_graph(nodes, "net", [image], values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if metadata is not None:
        helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
    onnx.save(model, path)
    return path
