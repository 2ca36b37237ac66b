"""A TFLite file as a graph: constants behind DEQUANTIZE and DENSIFY, padding put into convolutions."""

import math
import struct
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from blazepose.file_content import first_line, is_tflite
from blazepose.models.tflite_import.graph import Graph, Op, conv_attributes, needed

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}

_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}

Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""


class Conv:
    """Weights of a convolution as torch has them: kernel (out, in / groups, height, width), bias (out,)."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        self.kernel, self.bias = kernel, bias


def read_graph(content: bytes) -> Graph:
    """The graph of a TFLite file.

    Raises:
        ValueError: if it is damaged, or has an operation that no pose network has; says which.
    """
    if not is_tflite(content):
        raise ValueError("it is not a TFLite file")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
    except (struct.error, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"its flatbuffer cannot be read: {first_line(error)}") from error
    if len(model.subgraphs) != 1:
        raise ValueError(f"it has {len(model.subgraphs)} subgraphs, a pose network has one")
    try:
        return _Reader(model, content).graph()
    except (IndexError, TypeError, AttributeError, ZeroDivisionError, KeyError, struct.error) as error:
        raise ValueError(f"its operations and tensors do not fit each other: {first_line(error)}") from error


class _Call(NamedTuple):
    """An operator of the file.

    Attributes:
        inputs: numbers of its tensors.
        output: number of the tensor that it makes.
        options: as the schema has them.
    """

    inputs: list[int]
    output: int
    options: Any


class _Reader:
    def __init__(self, model: Any, content: bytes) -> None:
        self._model, self._content = model, content
        self._net = model.subgraphs[0]
        self._ops: list[Op] = []
        self._at: dict[int, int] = {}
        """{tensor: operation that makes it}."""
        self._pads: dict[int, Pads] = {}
        """{tensor: zeros around it that its user has to add}."""
        self._channels: dict[int, int] = {}
        """{tensor: which of its dimensions the channels are, where that is not the last}."""
        self._constants: dict[int, np.ndarray] = {}

    def graph(self) -> Graph:
        for tensor in map(int, self._net.inputs):
            shape = tuple(int(n) for n in self._net.tensors[tensor].shape)
            self._add(tensor, Op("input", shape, ()))
        for operator in self._net.operators:
            code = self._model.operatorCodes[operator.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            name = _OPERATORS.get(number, str(number))
            if name not in _READERS:
                raise ValueError(f"it has a {name} operation, which no pose network has")
            inputs, output = [int(tensor) for tensor in operator.inputs], int(operator.outputs[0])
            _READERS[name](self, _Call(inputs, output, operator.builtinOptions))
        return needed(self._ops, tuple(self._source(int(tensor)) for tensor in self._net.outputs))

    def _add(self, tensor: int, op: Op) -> None:
        self._ops.append(op)
        self._at[tensor] = len(self._ops) - 1

    def _op(
        self,
        call: _Call,
        kind: str,
        attributes: tuple[Hashable, ...],
        inputs: list[int],
        weights: object = None,
    ) -> None:
        """Add an operation, and the activation that is fused into it."""
        if any(tensor in self._pads for tensor in inputs) and kind != "conv":
            raise ValueError(f"it pads the input of {kind}, which no pose network does")
        output = call.output
        self._add(output, Op(kind, attributes, tuple(map(self._source, inputs)), weights))
        if inputs[0] in self._channels:
            self._channels[output] = self._channels[inputs[0]]
        activation = getattr(call.options, "fusedActivationFunction", 0)
        if activation == schema.ActivationFunctionType.RELU6:
            self._add(output, Op("relu6", (), (self._at[output],)))
        elif activation != schema.ActivationFunctionType.NONE:
            raise ValueError(f"its {kind} has activation {activation}, pose networks have ReLU6")

    def _source(self, tensor: int) -> int:
        """The operation that makes a tensor."""
        if tensor not in self._at:
            raise ValueError("it computes with a constant where pose networks have a feature")
        return self._at[tensor]

    def _constant(self, tensor: int) -> np.ndarray:
        if tensor in self._constants:
            return self._constants[tensor]
        facts = self._net.tensors[tensor]
        if facts.type not in _TYPES:
            kind = _TYPE_NAMES.get(facts.type, facts.type)
            raise ValueError(
                f"it has {kind} constants, as quantised files do; only float32 and float16 can be imported"
            )
        buffer = self._model.buffers[facts.buffer]
        data = buffer.data
        if buffer.offset > 1:  # behind the flatbuffer
            data = np.frombuffer(self._content, np.uint8, buffer.size, buffer.offset)
        if data is None:
            raise ValueError("it computes what should be a constant")
        values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), _TYPES[facts.type])
        if facts.sparsity is not None:
            values = _densify(values, facts.sparsity, self._shape(tensor))
        return values.reshape(facts.shape)

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self._net.tensors[tensor].shape)

    def same_constant(self, call: _Call) -> None:
        """DEQUANTIZE, DENSIFY."""
        self._constants[call.output] = self._constant(call.inputs[0]).astype(np.float32)

    def reshape(self, call: _Call) -> None:
        """The matching goes by channels and outputs, not by layout."""
        source = call.inputs[0]
        self._at[call.output] = self._source(source)
        if source in self._pads:
            self._pads[call.output] = self._pads[source]

    def transpose(self, call: _Call) -> None:
        """Files that were torch once pad pictures with their channels in front."""
        self.reshape(call)
        order = self._constant(call.inputs[1]).tolist()
        self._channels[call.output] = order.index(self._channels.get(call.inputs[0], len(order) - 1))

    def conv(self, call: _Call) -> None:
        """CONV_2D, DEPTHWISE_CONV_2D."""
        source, kernel, *bias = call.inputs
        options, weights = call.options, self._constant(kernel).astype(np.float32)
        depthwise = isinstance(options, schema.DepthwiseConv2DOptionsT)
        _, height, width, channels = self._shape(source)
        weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
        out, _, *size = weights.shape
        if (options.dilationHFactor, options.dilationWFactor) != (1, 1):
            raise ValueError("it has a convolution with dilation, which no pose network has")
        zeros = np.zeros(out, np.float32)
        shift = self._constant(bias[0]).astype(np.float32) if bias and bias[0] >= 0 else zeros
        stride = (options.strideH, options.strideW)
        pads = self._pads.get(source, (0, 0, 0, 0))
        if options.padding == schema.Padding.SAME:
            rows, columns = (_same(n, k, s) for n, k, s in zip((height, width), size, stride, strict=True))
            extra = (rows[0], columns[0], rows[1], columns[1])
            pads = tuple(a + b for a, b in zip(pads, extra, strict=True))  # type: ignore[assignment]
        attributes = conv_attributes(
            channels, out, channels if depthwise else 1, (size[0], size[1]), stride, pads
        )
        self._op(call, "conv", attributes, [source], Conv(weights, shift))

    def pad(self, call: _Call) -> None:
        source, output = call.inputs[0], call.output
        amounts = self._constant(call.inputs[1]).tolist()
        axis = self._channels.get(source, len(amounts) - 1)
        self._channels[output] = axis
        channels = amounts.pop(axis)
        _, rows, columns = amounts
        if any(channels):
            self._op(call, "channels", tuple(channels), [source])
        else:
            self._at[output] = self._source(source)
            self._pads[output] = (rows[0], columns[0], rows[1], columns[1])

    def add(self, call: _Call) -> None:
        self._op(call, "add", (), call.inputs)

    def concat(self, call: _Call) -> None:
        self._op(call, "concat", (), call.inputs)

    def maxpool(self, call: _Call) -> None:
        options = call.options
        attributes = (options.filterHeight, options.filterWidth, options.strideH, options.strideW)
        self._op(call, "maxpool", attributes, [call.inputs[0]])

    def resize(self, call: _Call) -> None:
        options = call.options
        before, after = self._shape(call.inputs[0])[1:3], self._shape(call.output)[1:3]
        factors = tuple(b / a for a, b in zip(before, after, strict=True))
        self._op(
            call,
            "upsample",
            (*factors, bool(options.halfPixelCenters), bool(options.alignCorners)),
            [call.inputs[0]],
        )

    def sigmoid(self, call: _Call) -> None:
        self._op(call, "sigmoid", (), [call.inputs[0]])

    def depth_to_space(self, call: _Call) -> None:
        self._op(call, "depth_to_space", (call.options.blockSize,), [call.inputs[0]])


_READERS: dict[str, Callable[[_Reader, Any], None]] = {
    "DEQUANTIZE": _Reader.same_constant,
    "DENSIFY": _Reader.same_constant,
    "RESHAPE": _Reader.reshape,
    "TRANSPOSE": _Reader.transpose,
    "CONV_2D": _Reader.conv,
    "DEPTHWISE_CONV_2D": _Reader.conv,
    "PAD": _Reader.pad,
    "ADD": _Reader.add,
    "CONCATENATION": _Reader.concat,
    "MAX_POOL_2D": _Reader.maxpool,
    "RESIZE_BILINEAR": _Reader.resize,
    "LOGISTIC": _Reader.sigmoid,
    "DEPTH_TO_SPACE": _Reader.depth_to_space,
}


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of a side, before and after."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _densify(values: np.ndarray, sparsity: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A sparse constant with all its zeros.

    Raises:
        ValueError: if it is stored otherwise than with compressed rows along its last dimension.
    """
    *outer, last = sparsity.dimMetadata
    order = list(sparsity.traversalOrder)
    dense = schema.DimensionType.DENSE
    if order != list(range(len(shape))) or last.format == dense or any(d.format != dense for d in outer):
        raise ValueError("its sparse weights are stored in another way than published pose networks have")
    starts, columns = (np.asarray(part.values, np.int64) for part in (last.arraySegments, last.arrayIndices))
    full = np.zeros((math.prod(shape[:-1]), shape[-1]), values.dtype)
    full[np.repeat(np.arange(len(full)), np.diff(starts)), columns] = values
    return full
