"""Conversion from torch to TFLite by litert-torch; fp16 by ai-edge-quantizer."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from blazepose.exceptions import MissingPackageError, install_command
from blazepose.input_spec import InputSpec
from blazepose.native_messages import hide_harmless_messages
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    with_metadata,
)


def to_tflite(
    net: nn.Module, spec: InputSpec, metadata: Mapping[str, bytes] | None = None, fp16: bool = False
) -> bytes:
    """Convert a module to a TFLite file with MediaPipe's metadata of the input normalization.

    Args:
        net: module with an input of images (1, size, size, 3).
        spec: size and value range of the images.
        metadata: entries to store in the file beside the normalization.
        fp16: whether to store the weights in half precision; the arithmetic is float32 by default.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    try:
        with hide_harmless_messages():
            import litert_torch
    except ImportError as error:
        raise MissingPackageError(f"TFLite files need litert-torch: {install_command('export')}") from error

    with hide_harmless_messages(), quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.tflite"
        litert_torch.convert(net.eval(), (torch.zeros(1, spec.size, spec.size, 3),)).export(str(path))
        content = _cast_weights(path) if fp16 else path.read_bytes()
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
def quiet() -> Iterator[None]:
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
