"""A `.task` bundle that always outputs the same person, written without torch: the whole image is the ROI."""

from collections.abc import Sequence
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from blazepose.anchors import DETECTOR_ANCHORS, NUM_COORDINATES
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from blazepose.topologies.full_body import INDEX, NUM_OUTPUTS

SIZE = 256
"""Side of the landmark network's input."""

CENTER, CIRCLE, NOSE = (0.5, 0.5), (0.5, 0.1), (0.5, 0.25)
"""Mid-hip, the point on the circle around the person, and the nose, 0..1 of the ROI."""


def write_bundle(path: Path) -> Path:
    """Write a bundle with one person: all landmarks at the center of the image, but for the nose above it."""
    landmarks = np.zeros((NUM_OUTPUTS, 5), np.float32)
    landmarks[:, :2] = np.array(CENTER) * SIZE
    landmarks[INDEX["roi_scale"], :2] = np.array(CIRCLE) * SIZE
    landmarks[INDEX["nose"], :2] = np.array(NOSE) * SIZE
    landmarks[:, 3:] = 9  # visible and present
    outputs = [
        landmarks.reshape(1, -1),
        np.array([[0.9]]),
        np.full((1, SIZE, SIZE, 1), -9),
        np.full((1, SIZE // 4, SIZE // 4, NUM_OUTPUTS), -9),
        np.zeros((1, NUM_OUTPUTS * 3)),
    ]
    entries = {DETECTOR_ENTRY: (DETECTOR_ANCHORS.size, _detections()), LANDMARKS_ENTRY: (SIZE, outputs)}
    path.write_bytes(pack({name: _constant_network(*entry) for name, entry in entries.items()}))
    return path


def _detections() -> list[np.ndarray]:
    """Return boxes (1, 2254, 12) and logits (1, 2254, 1) in which only the first anchor detects a person."""
    anchor = DETECTOR_ANCHORS.centers[0]
    face, size, shoulders, upper_circle = (0.5, 0.2), (0.2, 0.2), (0.5, 0.4), (0.5, 0.2)
    person = np.array([face, size, CENTER, CIRCLE, shoulders, upper_circle])
    person[[0, 2, 3, 4, 5]] -= anchor
    boxes, logits = np.zeros((1, 2254, NUM_COORDINATES)), np.full((1, 2254, 1), -100.0)
    boxes[0, 0], logits[0, 0] = person.ravel() * DETECTOR_ANCHORS.size, 100.0
    return [boxes, logits]


def _constant_network(size: int, outputs: Sequence[np.ndarray]) -> bytes:
    """Build a TFLite file with an image as its input, and each output as the sum of a constant and 0."""
    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers, graph.tensors, graph.operators = [schema.BufferT()], [], []
    graph.inputs, graph.outputs = [_add_tensor(model, "image", (1, size, size, 3))], []
    zero = _add_tensor(model, "zero", (1,), np.zeros(1))
    for k, values in enumerate(outputs):
        constant = _add_tensor(model, f"constant{k}", values.shape, values)
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = [constant, zero], [_add_tensor(model, f"out{k}", values.shape)]
        operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
        operator.builtinOptions = schema.AddOptionsT()
        graph.operators.append(operator)
        graph.outputs += operator.outputs
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _add_tensor(
    model: schema.ModelT, name: str, shape: Sequence[int], values: np.ndarray | None = None
) -> int:
    """Add a float32 tensor, constant if values are given, and return its index."""
    tensor, buffer = schema.TensorT(), schema.BufferT()
    tensor.name, tensor.shape, tensor.type = name, list(shape), schema.TensorType.FLOAT32
    if values is not None:
        buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1
