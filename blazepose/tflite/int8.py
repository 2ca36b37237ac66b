"""Weights, or weights and activations, of a TFLite file in 8 bits, by ai-edge-quantizer.

litert-torch brings this package; its successor litert-quantizer has the same functions, and is bound to one
version of LiteRT.
"""

import contextlib
import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from blazepose.cores import usable_cores
from blazepose.native_messages import hide_harmless_messages

_SIGNATURE, _INPUT = "serving_default", "args_0"
"""Names that litert-torch gives to the network and its input."""


def quantize_weights(content: bytes) -> bytes:
    """Store kernels in int8, one scale per output channel, behind DEQUANTIZE; the arithmetic stays float32.

    Args:
        content: TFLite file of litert-torch in float32.
    """
    quantizer, operations = _quantizer(content)
    quantizer.add_weight_only_config(".*", operations.ALL_SUPPORTED, 8)
    return _run(quantizer)


def quantize_activations(content: bytes, images: Iterable[np.ndarray], weight_only: str) -> bytes:
    """Compute in int8, with ranges of the activations measured on images; input and outputs stay float32.

    Args:
        content: TFLite file of litert-torch in float32.
        images: inputs of the network, each float32 (size, size, 3), as it meets them in use.
        weight_only: regular expression of output tensors whose operators compute in float32, with kernels in
            int8.
    """
    quantizer, operations = _quantizer(content)
    everything = operations.ALL_SUPPORTED
    quantizer.add_static_config(".*", everything, 8, 8)
    for operation in (operations.INPUT, operations.OUTPUT):
        quantizer.update_quantization_recipe(".*", operation, algorithm_key="no_quantize")
    # Two steps: operators without weights, as ADD, are unknown to the second, and would stay as they were.
    # Another spelling: a rule replaces an earlier one of the same expression.
    quantizer.update_quantization_recipe(weight_only, everything, algorithm_key="no_quantize")
    quantizer.add_weight_only_config(f"({weight_only})", everything, 8)
    # A list: the package iterates twice.
    inputs = [{_INPUT: image[None]} for image in images]
    return _run(quantizer, quantizer.calibrate({_SIGNATURE: inputs}, num_threads=usable_cores()))


def _quantizer(content: bytes) -> tuple[Any, Any]:
    """Return a quantizer of the file, and the names of operators."""
    with hide_harmless_messages():
        from ai_edge_quantizer import qtyping, quantizer

        return quantizer.Quantizer(content), qtyping.TFLOperationName


def _run(quantizer: Any, ranges: Any = None) -> bytes:
    # Its other progress bars take no time.
    with hide_harmless_messages(), contextlib.redirect_stderr(io.StringIO()):
        return bytes(quantizer.quantize(ranges, enable_progress_report=False).quantized_model)
