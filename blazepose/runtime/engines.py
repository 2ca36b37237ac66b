"""Who runs the landmark network: LiteRT or ONNX Runtime, behind one small protocol."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from blazepose.runtime.decode import LANDMARK_VALUES, RawOutputs
from blazepose.task_bundle import LANDMARKS, read_tflite
from blazepose.topology import NUM_OUTPUTS

METADATA_KEY = "blazepose"
"""Where files we write say what they are: a TFLite metadata entry or an ONNX property, JSON text."""


@runtime_checkable
class InferenceEngine(Protocol):
    """Runs a landmark network. Not for use by several threads at once.

    Attributes:
        input_size: side of the crop in pixels.
        metadata: what the file says of itself under METADATA_KEY; empty for foreign weights.
    """

    input_size: int
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> RawOutputs:
        """Run uint8 RGB crops (batch, size, size, 3)."""
        ...


class LiteRtEngine:
    """Runs a `.tflite` file, or the landmark network of a `.task` bundle, with LiteRT.

    Args:
        path: the file.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: names the file, if it is damaged or not a landmark network.
    """

    def __init__(self, path: Path, num_threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        content = read_tflite(path, LANDMARKS)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=num_threads or os.cpu_count())
        except ValueError as error:
            raise ValueError(f"{path} is truncated or not a TFLite file; export or fetch it again") from error
        self._interpreter.allocate_tensors()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.input_size = _check_contract(
            path,
            [(*detail["shape"].tolist(), detail["dtype"].__name__) for detail in inputs],
            [detail["shape"].tolist() for detail in outputs],
        )
        self._input = inputs[0]["index"]
        self._outputs = [detail["index"] for detail in outputs[: len(RawOutputs._fields)]]
        self.metadata = tflite_metadata(content)

    def __call__(self, images: np.ndarray) -> RawOutputs:
        # One by one: a larger batch dimension gained nothing in any size of network (2 cores), and graphs
        # converted from torch have batch 1 built into their reshapes.
        return _stack([self._run(image) for image in _normalise(images)])

    def _run(self, image: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


class OnnxEngine:
    """Runs an `.onnx` file with ONNX Runtime; its input may be NHWC or NCHW.

    Args:
        path: the file.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if ONNX Runtime is not installed.
        ValueError: names the file, if it is damaged or not a landmark network.
    """

    def __init__(self, path: Path, num_threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(f"{path} needs ONNX Runtime: pip install onnxruntime") from error

        _require_file(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or os.cpu_count() or 1
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no narrower type
            raise ValueError(f"{path} is truncated or not an ONNX file; export or fetch it again") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._channels_first = inputs[0].shape[1:2] == [3]
        self.input_size = _check_contract(
            path,
            [_onnx_input(node, self._channels_first) for node in inputs],
            [node.shape for node in outputs],
        )
        self._single = inputs[0].shape[0] == 1
        self._input = inputs[0].name
        self._outputs = [node.name for node in outputs[: len(RawOutputs._fields)]]
        properties = self._session.get_modelmeta().custom_metadata_map
        self.metadata: Mapping[str, Any] = json.loads(properties.get(METADATA_KEY, "{}"))

    def __call__(self, images: np.ndarray) -> RawOutputs:
        images = _normalise(images)
        if self._channels_first:
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        batches = [image[None] for image in images] if self._single else [images]
        return _stack([self._session.run(self._outputs, {self._input: batch}) for batch in batches])


ENGINES: Mapping[str, Callable[[Path, int | None], InferenceEngine]] = {
    ".tflite": LiteRtEngine,
    ".task": LiteRtEngine,
    ".onnx": OnnxEngine,
}
"""Who runs which file, by its suffix."""


def load_engine(path: Path, num_threads: int | None = None) -> InferenceEngine:
    """The engine that runs this file, by its suffix.

    Raises:
        ValueError: if no engine runs this kind of file; and as the engines say.
    """
    if path.suffix not in ENGINES:
        raise ValueError(f"{path}: no engine runs {path.suffix!r} files; they are {', '.join(ENGINES)}")
    return ENGINES[path.suffix](path, num_threads)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing or not a file; name a trained or exported network")


def _onnx_input(node: Any, channels_first: bool) -> tuple[Any, ...]:
    """Shape and type of an ONNX input as LiteRT would put them: channels last, an open batch as 1."""
    batch, *rest = node.shape
    rest = [*rest[1:], rest[0]] if channels_first else rest
    dtype = "float32" if node.type == "tensor(float)" else node.type
    return (1 if isinstance(batch, str) else batch, *rest, dtype)


def _check_contract(path: Path, inputs: Sequence[Sequence[Any]], outputs: Sequence[Sequence[Any]]) -> int:
    """The side of the crop, if inputs (shape and type) and outputs (shape) are a landmark network's."""
    size = inputs[0][1] if len(inputs[0]) == 5 else None
    if not isinstance(size, int) or [tuple(node) for node in inputs] != [(1, size, size, 3, "float32")]:
        found = f"its inputs are {_text(inputs)}, expected {_text([(1, 256, 256, 3, 'float32')])}"
        raise ValueError(f"{path} is not a landmark network: {found}")
    expected = [
        (NUM_OUTPUTS * LANDMARK_VALUES,),
        (1,),
        (size, size, 1),
        (size // 4, size // 4, NUM_OUTPUTS),
        (NUM_OUTPUTS * 3,),
    ]
    if [tuple(shape[1:]) for shape in outputs[: len(expected)]] != expected:
        found = f"its outputs are {_text(outputs)}, expected {_text([(1, *shape) for shape in expected])}"
        raise ValueError(f"{path} is not a landmark network: {found} in this order")
    return size


def _text(shapes: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"[{', '.join(map(str, shape))}]" for shape in shapes)


def tflite_metadata(content: bytes) -> Mapping[str, Any]:
    """What a TFLite file says of itself under METADATA_KEY; empty for foreign ones."""
    return json.loads(metadata_entry(content, METADATA_KEY) or b"{}")


def metadata_entry(content: bytes, name: str) -> bytes | None:
    """An entry of a TFLite file's metadata."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == name.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None


def _normalise(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255


def _stack(runs: Sequence[Sequence[np.ndarray]]) -> RawOutputs:
    return RawOutputs(*(np.concatenate(output) for output in zip(*runs, strict=True)))
