"""Who runs a network file: LiteRT or ONNX Runtime, behind one small protocol."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from blazepose.file_content import check_file, unreadable
from blazepose.task_bundle import BUNDLE, TFLITE, read_tflite

METADATA_KEY = "blazepose"
"""Where files we write say what they are: a TFLite metadata entry or an ONNX property, JSON text."""


@runtime_checkable
class InferenceSession(Protocol):
    """A network file, ready to run. Not for use by several threads at once.

    Attributes:
        inputs: shape and type of each input, channels last, an open batch as 1.
        outputs: shape of each output.
        metadata: what the file says of itself under METADATA_KEY; empty for foreign files.
    """

    inputs: Sequence[Sequence[Any]]
    outputs: Sequence[Sequence[Any]]
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Run float32 pictures (batch, height, width, 3); every output has the batch in front."""
        ...


class LiteRtGraph:
    """A `.tflite` file, or an entry of a `.task` bundle, run by LiteRT.

    Args:
        path: the file.
        entry: of a bundle, see blazepose.task_bundle.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: names the file, if it is damaged.
    """

    def __init__(self, path: Path, entry: str, num_threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        content = read_tflite(path, entry)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=num_threads or _cores())
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            wanted = TFLITE if path.suffix == ".tflite" else f"{BUNDLE} with {entry}"
            raise unreadable(path, wanted, error, _litert_next_step(str(error))) from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.inputs: Sequence[Sequence[Any]] = [
            (*detail["shape"].tolist(), detail["dtype"].__name__) for detail in inputs
        ]
        self.outputs: Sequence[Sequence[Any]] = [detail["shape"].tolist() for detail in outputs]
        self._input, self._outputs = inputs[0]["index"], [detail["index"] for detail in outputs]
        self.metadata: Mapping[str, Any] = tflite_metadata(content)

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        # One by one: a larger batch dimension gained nothing in any size of network (2 cores), and graphs
        # converted from torch have batch 1 built into their reshapes.
        return _stack([self._run(image) for image in images])

    def _run(self, image: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


class OnnxGraph:
    """An `.onnx` file, run by ONNX Runtime; its input may be NHWC or NCHW.

    Args:
        path: the file.
        entry: of bundles; ONNX files have none.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if ONNX Runtime is not installed.
        ValueError: names the file, if it is damaged.
    """

    def __init__(self, path: Path, entry: str, num_threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(f"{path} needs ONNX Runtime: pip install onnxruntime") from error

        check_file(path, "an ONNX file", "name a trained or exported network")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or _cores()
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no narrower type
            reason = _ONNX_PREFIX.sub("", str(error)).strip(" .\n")
            raise unreadable(path, "an ONNX file", reason, _onnx_next_step(reason)) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._channels_first = inputs[0].shape[1:2] == [3]
        self.inputs: Sequence[Sequence[Any]] = [_onnx_input(node, self._channels_first) for node in inputs]
        self.outputs: Sequence[Sequence[Any]] = [node.shape for node in outputs]
        self._single = inputs[0].shape[0] == 1
        self._input = inputs[0].name
        properties = self._session.get_modelmeta().custom_metadata_map
        self.metadata: Mapping[str, Any] = json.loads(properties.get(METADATA_KEY, "{}"))

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        if self._channels_first:
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        batches = [image[None] for image in images] if self._single else [images]
        return _stack([self._session.run(None, {self._input: batch}) for batch in batches])


GRAPHS: Mapping[str, Callable[[Path, str, int | None], InferenceSession]] = {
    ".tflite": LiteRtGraph,
    ".task": LiteRtGraph,
    ".onnx": OnnxGraph,
}
"""Who runs which file, by its suffix."""


def open_session(path: Path, entry: str, num_threads: int | None = None) -> InferenceSession:
    """The network of a file, run by whoever runs its kind.

    Args:
        path: the file.
        entry: which network of a bundle, see blazepose.task_bundle.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if nobody runs this kind of file, or with so few threads; and as GRAPHS say.
    """
    if num_threads is not None and num_threads < 1:
        raise ValueError(f"{num_threads} threads: a number from 1 up, or none for every core")
    if path.suffix not in GRAPHS and not path.exists():
        raise FileNotFoundError(f"{path} is missing; name a {', '.join(GRAPHS)} file")
    if path.suffix == ".ckpt" or (path / "config.yaml").is_file():
        raise ValueError(
            f"{path} is a training's; python export.py --target tflite --weights {path} makes a file of it "
            "that runs here"
        )
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a {', '.join(GRAPHS)} file")
    if path.suffix not in GRAPHS:
        raise ValueError(f"{path}: no engine runs {path.suffix!r} files; they are {', '.join(GRAPHS)}")
    return GRAPHS[path.suffix](path, entry, num_threads)


def require_contract(
    graph: InferenceSession,
    path: Path,
    kind: str,
    size: int | None,
    expected: Callable[[int], list[tuple[int, ...]]],
) -> int:
    """The side of the pictures that a network takes, if its inputs and outputs are what they have to be.

    Args:
        graph: the network.
        path: its file, for the message.
        kind: what it should be, for the message.
        size: side its pictures must have; None takes any.
        expected: shapes of the outputs, without the batch, for a side; further outputs are nobody's.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    first = graph.inputs[0]
    side = first[1] if len(first) == 5 else None
    if not isinstance(side, int) or [tuple(node) for node in graph.inputs] != [
        (1, size or side, size or side, 3, "float32")
    ]:
        wanted = _text([(1, size or 256, size or 256, 3, "float32")])
        raise ValueError(f"{path} is not a {kind}: its inputs are {_text(graph.inputs)}, expected {wanted}")
    shapes = expected(side)
    if [tuple(shape[1:]) for shape in graph.outputs[: len(shapes)]] != shapes:
        wanted = _text([(1, *shape) for shape in shapes])
        found = f"its outputs are {_text(graph.outputs)}, expected {wanted}"
        raise ValueError(f"{path} is not a {kind}: {found} in this order")
    return side


def _litert_next_step(reason: str) -> str | None:
    if "Flatbuffer" in reason:
        return None
    newer = "newer model" in reason or "schema version" in reason
    return "update LiteRT with `pip install -U ai-edge-litert`" * newer


_ONNX_PREFIX = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:Load model from .*? failed:)?"
    r"(?:.*\.(?:cc|h):\d+ (?:(?:\w+ )?[\w:]+\(.*?\) |\w+ ))?"
)
"""Before the reason: a code, the file, and which function in which of its sources refused it."""


def _onnx_next_step(reason: str) -> str | None:
    if "protobuf" in reason.lower():
        return None
    if "External" in reason:
        return "copy the data file that was written with it to the same folder"
    newer = "IR version" in reason or "opset versions" in reason
    return "update ONNX Runtime with `pip install -U onnxruntime`, or export for an older version" * newer


def _cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _onnx_input(node: Any, channels_first: bool) -> tuple[Any, ...]:
    batch, *rest = node.shape
    rest = [*rest[1:], rest[0]] if channels_first else rest
    dtype = "float32" if node.type == "tensor(float)" else node.type
    return (1 if isinstance(batch, str) else batch, *rest, dtype)


def _text(shapes: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"[{', '.join(map(str, shape))}]" for shape in shapes)


def _stack(runs: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    return list(runs[0]) if len(runs) == 1 else [np.concatenate(output) for output in zip(*runs, strict=True)]


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
