"""Kernels and biases of a TFLite file in half precision, each behind DEQUANTIZE, as in Google's files.

Biases, too: where they stay in float32 beside float16 kernels, as ai-edge-quantizer leaves them, LiteRT for
the web runs without XNNPACK, five times slower. Source: docs/benchmarks/deployment.md.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from blazepose.tflite.model import pack_model, read_model

_KERNEL, _BIAS = 1, 2
"""Positions among the inputs of a convolution."""


def store_float16(content: bytes) -> bytes:
    """Return the file with the kernels and biases of its convolutions in float16; other constants stay."""
    model = read_model(content)
    graph = model.subgraphs[0]
    convolutions = [
        operator
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode
        in (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
    ]
    read = [list(map(int, operator.inputs))[_KERNEL : _BIAS + 1] for operator in convolutions]
    constants = {index for indices in read for index in indices if _is_float32_constant(model, index)}
    casts = [_cast(model, index) for index in sorted(constants)]
    graph.operators[:0] = casts
    used = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in model.metadata or []}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None
    return pack_model(model)


def _is_float32_constant(model: Any, index: int) -> bool:
    if index < 0:  # an operator without a bias
        return False
    tensor = model.subgraphs[0].tensors[index]
    return tensor.type == schema.TensorType.FLOAT32 and model.buffers[tensor.buffer].data is not None


def _cast(model: Any, index: int) -> Any:
    """Store a constant as float16 in a tensor of its own, and return the DEQUANTIZE that restores it."""
    tensors = model.subgraphs[0].tensors
    restored, half, buffer = tensors[index], schema.TensorT(), schema.BufferT()
    values = np.asarray(model.buffers[restored.buffer].data, np.uint8).view(np.float32)
    buffer.data = np.frombuffer(values.astype(np.float16).tobytes(), np.uint8)
    model.buffers.append(buffer)
    half.name, half.shape, half.type = restored.name + b"_fp16", restored.shape, schema.TensorType.FLOAT16
    half.buffer, restored.buffer = len(model.buffers) - 1, 0
    tensors.append(half)
    operator = schema.OperatorT()
    operator.opcodeIndex = _dequantize(model)
    operator.inputs, operator.outputs = [len(tensors) - 1], [index]
    return operator


def _dequantize(model: Any) -> int:
    """Return the index of DEQUANTIZE among the file's operator codes, which it joins if it is new."""
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == schema.BuiltinOperator.DEQUANTIZE:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
