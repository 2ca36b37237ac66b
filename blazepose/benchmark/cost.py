"""Parameters and multiply-adds of a network, counted in its file."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from blazepose.exceptions import MissingPackageError, install_command
from blazepose.file_content import unreadable


class Cost(NamedTuple):
    """Cost of one inference.

    Attributes:
        parameters: kernel and bias values of the layers that multiply; a sparse kernel counts as dense.
        multiply_adds: multiplications of inputs by kernel values, for one image.
    """

    parameters: int
    multiply_adds: int


def tflite_cost(content: bytes) -> Cost:
    """Count convolutions and fully connected layers of a TFLite file."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    from blazepose.tflite.model import read_model

    model = read_model(content)
    graph = model.subgraphs[0]
    # A convolution's kernel is (output channels, height, width, input channels) and gives output channels per
    # position. A depthwise one is (1, height, width, channels): each of its values is used at every position.
    channel_axes = {
        BuiltinOperator.CONV_2D: 0,
        BuiltinOperator.DEPTHWISE_CONV_2D: 3,
        BuiltinOperator.FULLY_CONNECTED: 0,
    }
    parameters: dict[int, int] = {}
    multiply_adds = 0
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        axis = channel_axes.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if axis is None:
            continue
        _, *weights = (int(index) for index in operator.inputs if index >= 0)
        shapes = {index: [int(side) for side in graph.tensors[index].shape] for index in weights}
        parameters |= {index: math.prod(shape) for index, shape in shapes.items()}
        kernel = shapes[weights[0]]
        output = [int(side) for side in graph.tensors[int(operator.outputs[0])].shape]
        multiply_adds += math.prod(output) * math.prod(kernel) // kernel[axis]
    return Cost(sum(parameters.values()), multiply_adds)


_ONNX_LAYERS = ("Conv", "Gemm", "MatMul")
_ONNX_RESTORING = ("Cast", "DequantizeLinear", "Identity")
"""Operators between a stored constant and the layer that multiplies by it."""


def onnx_cost(path: Path) -> Cost:
    """Count convolutions and fully connected layers of an ONNX file, for a batch of one.

    Raises:
        ImportError: if onnx is not installed.
        ValueError: if the file cannot be read.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError(
            f"{path}: counting its parameters needs onnx: {install_command('export')}"
        ) from error
    try:
        graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    except Exception as error:  # protobuf's and onnx's errors share no narrower type
        raise unreadable(path, "an ONNX file", error) from error
    constants = _onnx_constants(graph)
    outputs = {value.name: _onnx_shape(value) for value in (*graph.value_info, *graph.output)}
    parameters: dict[str, int] = {}
    multiply_adds = 0
    for node in graph.node:
        weights = [name for name in node.input[1:] if name in constants]
        if node.op_type not in _ONNX_LAYERS or not weights:
            continue
        parameters |= {name: math.prod(constants[name]) for name in weights}
        kernel = constants[weights[0]]
        # MatMul's kernel is (inputs, outputs), and so is Gemm's unless it is transposed.
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        channels = kernel[0] if node.op_type == "Conv" or transposed else kernel[-1]
        multiply_adds += math.prod(outputs[node.output[0]]) * math.prod(kernel) // channels
    return Cost(sum(parameters.values()), multiply_adds)


def _onnx_constants(graph: Any) -> Mapping[str, list[int]]:
    """Return the shape of each stored tensor by its name, and by that of the tensor it is converted to."""
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            (value,) = node.attribute
            shapes[node.output[0]] = list(value.t.dims)
        elif node.op_type in _ONNX_RESTORING and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
    return shapes


def _onnx_shape(value: Any) -> list[int]:
    sides: Iterable[Any] = value.type.tensor_type.shape.dim
    return [side.dim_value or 1 for side in sides]  # a dynamic side is the batch
