"""TFLite files, converted by litert-torch; fp16 by ai-edge-quantizer."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from blazepose.export.export_module import ExportModule, Precision
from blazepose.export.tflite_metadata import NORMALIZATION_KEY, normalization, normalization_metadata
from blazepose.models.variants import InputSpec
from blazepose.runtime.inference_sessions import METADATA_KEY

_OFFICIAL_METADATA = {"reduced_precision_support": b"fp16accfp32"}
"""Lets XNNPACK compute in fp16 on ARM; litert-torch drops it.
Source: docs/reference/mediapipe.md section 4."""


def convert_tflite(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write a TFLite file with MediaPipe's input and outputs.

    Args:
        net: the network to export.
        precision: precision of the stored weights; the arithmetic is float32 by default.
        metadata: JSON text stored in the file.
        path: the file to write.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    entries = {METADATA_KEY: metadata.encode(), **_OFFICIAL_METADATA}
    path.write_bytes(to_tflite(net, net.input_spec, precision, entries))


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


def with_metadata(content: bytes, entries: Mapping[str, bytes]) -> bytes:
    """Return the model with these metadata entries, and every buffer inside the flatbuffer."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    _inline_buffers(model, content)
    model.metadata = [entry for entry in model.metadata or [] if entry.name.decode() not in entries]
    for name, value in entries.items():
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(value, np.uint8)
        model.buffers.append(buffer)
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers) - 1
        model.metadata.append(entry)
    for buffer in model.buffers:
        buffer.Pack = partial(_pack_aligned, buffer)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _pack_aligned(buffer: Any, builder: Any) -> int:
    """Replace BufferT.Pack: constants at multiples of 16 bytes, as the schema and delegates require."""
    from ai_edge_litert import schema_py_generated as schema

    vector = None
    if buffer.data is not None and len(buffer.data):
        data = np.asarray(buffer.data, np.uint8).tobytes()
        builder.StartVector(1, len(data), 16)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
    schema.BufferStart(builder)
    if vector is not None:
        schema.BufferAddData(builder, vector)
    schema.BufferAddOffset(builder, buffer.offset)
    schema.BufferAddSize(builder, buffer.size)
    return schema.BufferEnd(builder)


def _inline_buffers(model: Any, content: bytes) -> None:
    # ai-edge-quantizer appends weights behind the flatbuffer (Buffer.offset, size); repacking through the
    # object API would lose them, and MediaPipe does not read them there. Source:
    # docs/reference/mediapipe.md section 4.
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0


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
