"""Parameters and multiply-adds, of small graphs by hand and of Google's files."""

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.schema_py_generated import BuiltinOperator
from onnx import helper, numpy_helper

from blazepose.benchmark.cost import Cost, onnx_cost, tflite_cost


def tflite(*layers: tuple[int, list[list[int]], list[int]]) -> bytes:
    """Write operators in a row: code, shapes of the constants, shape of the output."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [], [schema.BufferT()]
    graph.tensors, graph.operators, graph.inputs = [], [], [0]

    def add(shape: list[int]) -> int:
        tensor = schema.TensorT()
        tensor.shape = shape
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    last = add([1, 8, 8, 3])
    for number, (code, constants, output) in enumerate(layers):
        entry, operator = schema.OperatorCodeT(), schema.OperatorT()
        entry.builtinCode = code
        model.operatorCodes.append(entry)
        operator.opcodeIndex = number
        operator.inputs = [last, *map(add, constants)]
        last = add(output)
        operator.outputs = [last]
        graph.operators.append(operator)
    graph.outputs = [last]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_layers_of_tflite():
    convolution = (BuiltinOperator.CONV_2D, [[16, 3, 3, 3], [16]], [1, 4, 4, 16])
    depthwise = (BuiltinOperator.DEPTHWISE_CONV_2D, [[1, 5, 5, 16], [16]], [1, 2, 2, 16])
    dense = (BuiltinOperator.FULLY_CONNECTED, [[10, 64]], [1, 10])
    addition = (BuiltinOperator.ADD, [[1, 10]], [1, 10])
    assert tflite_cost(tflite(convolution)) == Cost(16 * 27 + 16, 4 * 4 * 16 * 27)
    assert tflite_cost(tflite(depthwise)) == Cost(25 * 16 + 16, 2 * 2 * 16 * 25)
    assert tflite_cost(tflite(dense)) == Cost(640, 640)
    assert tflite_cost(tflite(addition)) == Cost(0, 0)
    each = [tflite_cost(tflite(layer)) for layer in (convolution, depthwise, dense)]
    assert tflite_cost(tflite(convolution, depthwise, addition, dense)) == Cost(
        *map(sum, zip(*each, strict=True))
    )


def test_layers_of_onnx(tmp_path):
    """A convolution with a kernel in half precision, a matrix product, and a dynamic batch."""
    kernel = numpy_helper.from_array(np.zeros((16, 3, 3, 3), np.float16), "half")
    constants = [
        numpy_helper.from_array(np.zeros(16, np.float32), "bias"),
        numpy_helper.from_array(np.zeros((576, 10), np.float32), "matrix"),
    ]
    nodes = [
        helper.make_node("Constant", [], ["half"], value=kernel),
        helper.make_node("Cast", ["half"], ["kernel"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Conv", ["image", "kernel", "bias"], ["features"]),
        helper.make_node("Flatten", ["features"], ["row"]),
        helper.make_node("MatMul", ["row", "matrix"], ["out"]),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["batch", 3, 8, 8])
    out = helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "net", [image], [out], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "net.onnx")
    assert onnx_cost(tmp_path / "net.onnx") == Cost(432 + 16 + 5760, 6 * 6 * 432 + 5760)


# Source: docs/reference/mediapipe.md section 5.
@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "parameters", "millions"),
    [("lite", 1_363_089, 197.8), ("full", 3_169_489, 386.1), ("heavy", 13_751_073, 1927.3)],
)
def test_googles_files(shared, name, parameters, millions):
    cost = tflite_cost((shared / f"models/pose_landmark_{name}.tflite").read_bytes())
    assert cost.parameters == parameters
    assert cost.multiply_adds / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.shared
def test_googles_detector_with_sparse_kernels(shared):
    cost = tflite_cost((shared / "models/pose_detection.tflite").read_bytes())
    assert cost.parameters == pytest.approx(2_965_314, rel=1e-3)
    assert cost.multiply_adds / 1e6 == pytest.approx(429.9, abs=0.05)
