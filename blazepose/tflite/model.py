"""Reading and writing of TFLite files in the object API of their schema."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def read_model(content: bytes) -> Any:
    """Return the model of a file, with every buffer inside the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    # ai-edge-quantizer appends weights behind the flatbuffer (Buffer.offset, size); repacking through the
    # object API would lose them, and MediaPipe does not read them there. Source:
    # docs/reference/mediapipe.md section 4.
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack_model(model: Any) -> bytes:
    """Return the file of a model in the object API of the schema."""
    for buffer in model.buffers:
        buffer.Pack = partial(_pack_aligned, buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _pack_aligned(buffer: Any, builder: Any) -> int:
    """Replace BufferT.Pack: constants at multiples of 16 bytes, as the schema and delegates require."""
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


def name_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Return the file with its output tensors, and the outputs of its signature, named in order."""
    model = read_model(content)
    graph = model.subgraphs[0]
    renamed = dict(zip(map(int, graph.outputs), names, strict=True))
    for tensor, name in renamed.items():
        graph.tensors[tensor].name = name
    for signature in model.signatureDefs or []:
        for output in signature.outputs:
            output.name = renamed[output.tensorIndex]
    return pack_model(model)
