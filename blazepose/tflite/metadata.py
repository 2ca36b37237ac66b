"""Metadata of a TFLite file, and the entry that MediaPipe reads: the normalization of the input. No torch.

Source: TensorFlow Lite's metadata_schema.fbs; docs/reference/mediapipe.md section 4.
"""

from collections.abc import Mapping
from typing import NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.number_types import Float32Flags, Uint8Flags
from flatbuffers.table import Table

from blazepose.exceptions import InputError
from blazepose.input_spec import InputSpec
from blazepose.tflite.model import pack_model, read_model

_SUBGRAPHS, _INPUTS, _UNITS = 3, 2, 4
"""Slots of fields in ModelMetadata, SubGraphMetadata and TensorMetadata."""

_NORMALIZATION = 1
"""Type in the union ProcessUnitOptions."""

NORMALIZATION_KEY = "TFLITE_METADATA"
"""Name of the metadata entry with the normalization."""


class Normalization(NamedTuple):
    """Mean and std of value = (byte - mean) / std, the same for all channels."""

    mean: float
    std: float


def normalization(spec: InputSpec) -> Normalization:
    """Compute the normalization from bytes to the value range of a network."""
    std = 255 / (spec.high - spec.low)
    return Normalization(-spec.low * std, std)


def normalization_metadata(values: Normalization) -> bytes:
    """Build the entry NORMALIZATION_KEY of a model with one input."""
    builder = flatbuffers.Builder(256)
    vectors = [builder.CreateNumpyVector(np.array([value], np.float32)) for value in values]
    options = _table(builder, 2, dict(enumerate(vectors)))
    builder.StartObject(2)
    builder.PrependUint8Slot(0, _NORMALIZATION, 0)
    builder.PrependUOffsetTRelativeSlot(1, options, 0)
    table = builder.EndObject()
    for fields, slot in ((7, _UNITS), (8, _INPUTS), (8, _SUBGRAPHS)):
        table = _table(builder, fields, {slot: _vector(builder, table)})
    builder.Finish(table, file_identifier=b"M001")
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, fields: int, offsets: dict[int, int]) -> int:
    builder.StartObject(fields)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def _vector(builder: flatbuffers.Builder, table: int) -> int:
    """Build a vector of one table."""
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def read_normalization(content: bytes) -> Normalization | None:
    """Read the normalization of the first input from the entry; None if it has none.

    Raises:
        ValueError: if channels differ, which MediaPipe does not support.
    """
    table = Table(content, 0)
    table.Pos = table.Indirect(0)
    for slot in (_SUBGRAPHS, _INPUTS, _UNITS):
        offset = table.Offset(_vtable_offset(slot))
        if not offset or not table.VectorLen(offset):
            return None
        table = Table(content, table.Indirect(table.Vector(offset)))
    kind = table.Offset(_vtable_offset(0))
    if not kind or table.Get(Uint8Flags, table.Pos + kind) != _NORMALIZATION:
        return None
    options = Table(content, table.Indirect(table.Pos + table.Offset(_vtable_offset(1))))
    channels = np.stack(
        [options.GetVectorAsNumpy(Float32Flags, options.Offset(_vtable_offset(k))) for k in (0, 1)]
    )
    if not (channels == channels[:, :1]).all():
        raise InputError(f"its channels have different normalizations: {channels.tolist()}")
    return Normalization(*channels[:, 0].tolist())


def _vtable_offset(slot: int) -> int:
    """Return the offset of a field in a table's vtable."""
    return 4 + 2 * slot


def with_metadata(content: bytes, entries: Mapping[str, bytes]) -> bytes:
    """Return the model with these metadata entries, and every buffer inside the flatbuffer."""
    model = read_model(content)
    model.metadata = [entry for entry in model.metadata or [] if entry.name.decode() not in entries]
    for name, value in entries.items():
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(value, np.uint8)
        model.buffers.append(buffer)
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers) - 1
        model.metadata.append(entry)
    return pack_model(model)
