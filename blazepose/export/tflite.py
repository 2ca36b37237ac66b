"""TFLite files, converted by litert-torch; fp16 by ai-edge-quantizer."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from blazepose.export.export_module import ExportModule, Precision
from blazepose.export.tflite_metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    with_metadata,
)
from blazepose.models.variants import InputSpec
from blazepose.runtime.inference_sessions import METADATA_KEY

_OFFICIAL_METADATA = {"reduced_precision_support": b"fp16accfp32"}
"""Lets XNNPACK compute in fp16 on ARM; litert-torch drops it.
Source: docs/reference/mediapipe.md section 4."""


def convert_tflite(net: ExportModule, precision: Precision, metadata: str) -> bytes:
    """Convert to a TFLite file with MediaPipe's input and outputs.

    Args:
        net: the network to export.
        precision: precision of the stored weights; the arithmetic is float32 by default.
        metadata: JSON text stored in the file.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    return to_tflite(net, net.input_spec, precision, {METADATA_KEY: metadata.encode(), **_OFFICIAL_METADATA})


def to_tflite(
    net: nn.Module, spec: InputSpec, precision: Precision, metadata: Mapping[str, bytes] | None = None
) -> bytes:
    """Convert a module to a TFLite file with MediaPipe's metadata of the input normalization.

    Args:
        net: module with an input of images (1, size, size, 3).
        spec: size and value range of the images.
        precision: precision of the stored weights.
        metadata: entries to store in the file beside the normalization.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    try:
        import litert_torch
    except ImportError as error:
        raise ImportError('TFLite files need litert-torch: pip install "blazepose[export]"') from error

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.tflite"
        litert_torch.convert(net.eval(), (torch.zeros(1, spec.size, spec.size, 3),)).export(str(path))
        content = _cast_weights(path) if precision == "fp16" else path.read_bytes()
    entry = normalization_metadata(normalization(spec))
    return with_metadata(content, {**(metadata or {}), NORMALIZATION_KEY: entry})


def _cast_weights(path: Path) -> bytes:
    """Convert constants to float16 behind DEQUANTIZE, as in Google's files."""
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.qtyping import (
        ComputePrecision,
        OpQuantizationConfig,
        TensorDataType,
        TensorQuantizationConfig,
        TFLOperationName,
    )
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe = RecipeManager()
    recipe.add_quantization_config(
        regex=".*",
        operation_name=TFLOperationName.ALL_SUPPORTED,
        op_config=OpQuantizationConfig(
            weight_tensor_config=TensorQuantizationConfig(num_bits=16, dtype=TensorDataType.FLOAT),
            compute_precision=ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key="float_casting",
    )
    caster = quantizer.Quantizer(str(path))
    caster.load_quantization_recipe(recipe.get_quantization_recipe())
    return bytes(caster.quantize().quantized_model)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the converters' own output; their errors still come as exceptions."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.setLevel(level)
