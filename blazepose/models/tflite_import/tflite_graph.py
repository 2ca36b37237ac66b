"""A TFLite file as a graph, with DEQUANTIZE and DENSIFY resolved and padding merged into convolutions."""

import math
import struct
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from blazepose.exceptions import InputError
from blazepose.file_content import first_line, is_tflite
from blazepose.models.tflite_import.graph import Graph, Op, conv_attributes, prune

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}

_ACTIVATIONS = {
    schema.ActivationFunctionType.RELU: "relu",
    schema.ActivationFunctionType.RELU6: "relu6",
}

_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}

Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""


class Conv:
    """Weights of a convolution in torch's layout: kernel (out, in / groups, height, width), bias (out,)."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        self.kernel, self.bias = kernel, bias


def read_graph(content: bytes) -> Graph:
    """Read the graph of a TFLite file.

    Raises:
        ValueError: if it is damaged, or has an operation that no pose network has; the message names it.
    """
    if not is_tflite(content):
        raise InputError("it is not a TFLite file")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
    except (struct.error, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"its flatbuffer cannot be read: {first_line(error)}") from error
    if len(model.subgraphs) != 1:
        raise InputError(f"it has {len(model.subgraphs)} subgraphs; a pose network has one")
    try:
        return _Reader(model, content).graph()
    except (IndexError, TypeError, AttributeError, ZeroDivisionError, KeyError, struct.error) as error:
        raise InputError(f"its operations and tensors do not fit each other: {first_line(error)}") from error


class _Operator(NamedTuple):
    """An operator of the file.

    Attributes:
        inputs: indices of its input tensors.
        output: index of its output tensor.
        options: its options in the schema's class.
    """

    inputs: list[int]
    output: int
    options: Any


class _Reader:
    def __init__(self, model: Any, content: bytes) -> None:
        self._model, self._content = model, content
        self._net = model.subgraphs[0]
        self._ops: list[Op] = []
        self._positions: dict[int, int] = {}
        """{tensor: position of the operation that computes it}."""
        self._pads: dict[int, Pads] = {}
        """{tensor: zero padding that the next convolution has to include}."""
        self._channel_axes: dict[int, int] = {}
        """{tensor: axis of its channels, where that is not the last}."""
        self._constants: dict[int, np.ndarray] = {}

    def graph(self) -> Graph:
        for tensor in map(int, self._net.inputs):
            shape = tuple(int(n) for n in self._net.tensors[tensor].shape)
            self._add(tensor, Op("input", shape, ()))
        for operator in self._net.operators:
            code = self._model.operatorCodes[operator.opcodeIndex]
            builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
            name = _OPERATORS.get(builtin, str(builtin))
            if name not in _READERS:
                raise InputError(f"it has a {name} operation, which no pose network has")
            inputs, output = [int(tensor) for tensor in operator.inputs], int(operator.outputs[0])
            _READERS[name](self, _Operator(inputs, output, operator.builtinOptions))
        return prune(self._ops, tuple(self._source(int(tensor)) for tensor in self._net.outputs))

    def _add(self, tensor: int, op: Op) -> None:
        self._ops.append(op)
        self._positions[tensor] = len(self._ops) - 1

    def _op(
        self,
        operator: _Operator,
        kind: str,
        attributes: tuple[Hashable, ...],
        inputs: list[int],
        weights: object = None,
    ) -> None:
        """Add an operation, and the activation fused into it."""
        if any(tensor in self._pads for tensor in inputs) and kind != "conv":
            raise InputError(f"it pads the input of {kind}, which no pose network does")
        output = operator.output
        self._add(output, Op(kind, attributes, tuple(map(self._source, inputs)), weights))
        if inputs[0] in self._channel_axes:
            self._channel_axes[output] = self._channel_axes[inputs[0]]
        activation = getattr(operator.options, "fusedActivationFunction", 0)
        if activation in _ACTIVATIONS:
            self._add(output, Op(_ACTIVATIONS[activation], (), (self._positions[output],)))
        elif activation != schema.ActivationFunctionType.NONE:
            raise InputError(f"its {kind} has activation {activation}; pose networks have ReLU and ReLU6")

    def _source(self, tensor: int) -> int:
        """Return the position of the operation that computes a tensor."""
        if tensor not in self._positions:
            raise InputError("it has a constant operand where pose networks have a feature")
        return self._positions[tensor]

    def _constant(self, tensor: int) -> np.ndarray:
        if tensor in self._constants:
            return self._constants[tensor]
        info = self._net.tensors[tensor]
        if info.type not in _TYPES:
            kind = _TYPE_NAMES.get(info.type, info.type)
            raise InputError(
                f"it has {kind} constants, as quantized files do; only float32 and float16 can be imported"
            )
        buffer = self._model.buffers[info.buffer]
        data = buffer.data
        if buffer.offset > 1:  # behind the flatbuffer
            data = np.frombuffer(self._content, np.uint8, buffer.size, buffer.offset)
        if data is None:
            raise InputError("it computes at run time what should be a constant")
        values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), _TYPES[info.type])
        if info.sparsity is not None:
            values = _densify(values, info.sparsity, self._shape(tensor))
        return values.reshape(info.shape)

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self._net.tensors[tensor].shape)

    def same_constant(self, operator: _Operator) -> None:
        """Read DEQUANTIZE or DENSIFY: the output is the same constant."""
        self._constants[operator.output] = self._constant(operator.inputs[0]).astype(np.float32)

    def reshape(self, operator: _Operator) -> None:
        """Read RESHAPE: the same value, since matching ignores the layout."""
        source = operator.inputs[0]
        self._positions[operator.output] = self._source(source)
        if source in self._pads:
            self._pads[operator.output] = self._pads[source]

    def transpose(self, operator: _Operator) -> None:
        """Read TRANSPOSE: files converted from torch pad images in NCHW."""
        self.reshape(operator)
        order = self._constant(operator.inputs[1]).tolist()
        self._channel_axes[operator.output] = order.index(
            self._channel_axes.get(operator.inputs[0], len(order) - 1)
        )

    def conv(self, operator: _Operator) -> None:
        """Read CONV_2D or DEPTHWISE_CONV_2D."""
        source, kernel, *bias = operator.inputs
        options, weights = operator.options, self._constant(kernel).astype(np.float32)
        depthwise = isinstance(options, schema.DepthwiseConv2DOptionsT)
        _, height, width, channels = self._shape(source)
        weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
        out, _, *size = weights.shape
        if (options.dilationHFactor, options.dilationWFactor) != (1, 1):
            raise InputError("it has a convolution with dilation, which no pose network has")
        zeros = np.zeros(out, np.float32)
        bias_values = self._constant(bias[0]).astype(np.float32) if bias and bias[0] >= 0 else zeros
        stride = (options.strideH, options.strideW)
        pads = self._pads.get(source, (0, 0, 0, 0))
        if options.padding == schema.Padding.SAME:
            rows, columns = (
                _same_padding(n, k, s) for n, k, s in zip((height, width), size, stride, strict=True)
            )
            extra = (rows[0], columns[0], rows[1], columns[1])
            pads = tuple(a + b for a, b in zip(pads, extra, strict=True))  # type: ignore[assignment]
        attributes = conv_attributes(
            channels, out, channels if depthwise else 1, (size[0], size[1]), stride, pads
        )
        self._op(operator, "conv", attributes, [source], Conv(weights, bias_values))

    def pad(self, operator: _Operator) -> None:
        source, output = operator.inputs[0], operator.output
        amounts = self._constant(operator.inputs[1]).tolist()
        axis = self._channel_axes.get(source, len(amounts) - 1)
        self._channel_axes[output] = axis
        channels = amounts.pop(axis)
        _, rows, columns = amounts
        if any(channels):
            self._op(operator, "channels", tuple(channels), [source])
        else:
            self._positions[output] = self._source(source)
            self._pads[output] = (rows[0], columns[0], rows[1], columns[1])

    def slice(self, operator: _Operator) -> None:
        """Read SLICE: parts of the values of all points, for heatmap decoding."""
        *_, begin = self._constant(operator.inputs[1]).tolist()
        if self._shape(operator.inputs[0])[2:] != (5,) or begin not in (0, 2, 4):
            raise InputError("it cuts a feature into pieces, which no pose network does")
        self.reshape(operator)

    def mul(self, operator: _Operator) -> None:
        """Read MUL: how far heatmap decoding moves each point, or the choice of the points that it moves."""
        if all(tensor in self._positions for tensor in operator.inputs):
            self._op(operator, "mul", (), operator.inputs)
            return
        if not np.isin(self._constant(operator.inputs[1]), (0, 1)).all():
            raise InputError("it multiplies a feature, which no pose network does")
        self.reshape(operator)

    def maxpool(self, operator: _Operator) -> None:
        options = operator.options
        attributes = (options.filterHeight, options.filterWidth, options.strideH, options.strideW)
        self._op(operator, "maxpool", attributes, [operator.inputs[0]])

    def resize(self, operator: _Operator) -> None:
        options = operator.options
        before, after = self._shape(operator.inputs[0])[1:3], self._shape(operator.output)[1:3]
        factors = tuple(b / a for a, b in zip(before, after, strict=True))
        self._op(
            operator,
            "upsample",
            (*factors, bool(options.halfPixelCenters), bool(options.alignCorners)),
            [operator.inputs[0]],
        )

    def depth_to_space(self, operator: _Operator) -> None:
        self._op(operator, "depth_to_space", (operator.options.blockSize,), [operator.inputs[0]])


def _plain(kind: str) -> Callable[[_Reader, Any], None]:
    """Return a reader for operations of that kind, which have neither attributes nor weights."""
    return lambda reader, operator: reader._op(operator, kind, (), operator.inputs)


_READERS: dict[str, Callable[[_Reader, Any], None]] = {
    "DEQUANTIZE": _Reader.same_constant,
    "DENSIFY": _Reader.same_constant,
    "RESHAPE": _Reader.reshape,
    "TRANSPOSE": _Reader.transpose,
    "CONV_2D": _Reader.conv,
    "DEPTHWISE_CONV_2D": _Reader.conv,
    "PAD": _Reader.pad,
    "ADD": _plain("add"),
    "SUB": _plain("sub"),
    "CONCATENATION": _plain("concat"),
    "RELU": _plain("relu"),
    "SOFTMAX": _plain("softmax"),
    "SLICE": _Reader.slice,
    "MUL": _Reader.mul,
    "MAX_POOL_2D": _Reader.maxpool,
    "RESIZE_BILINEAR": _Reader.resize,
    "LOGISTIC": _plain("sigmoid"),
    "DEPTH_TO_SPACE": _Reader.depth_to_space,
}


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Compute TensorFlow's SAME padding along one axis, before and after."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _densify(values: np.ndarray, sparsity: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Expand a sparse constant.

    Raises:
        ValueError: if it is not stored as compressed rows along its last dimension.
    """
    *outer, last = sparsity.dimMetadata
    order = list(sparsity.traversalOrder)
    dense = schema.DimensionType.DENSE
    if order != list(range(len(shape))) or last.format == dense or any(d.format != dense for d in outer):
        raise InputError("its sparse weights are not stored as in published pose networks (compressed rows)")
    starts, columns = (np.asarray(part.values, np.int64) for part in (last.arraySegments, last.arrayIndices))
    full = np.zeros((math.prod(shape[:-1]), shape[-1]), values.dtype)
    full[np.repeat(np.arange(len(full)), np.diff(starts)), columns] = values
    return full
