"""Sessions of LiteRT and ONNX Runtime behind one small protocol."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from blazepose.cores import usable_cores
from blazepose.exceptions import InputError, MissingFileError, MissingPackageError
from blazepose.file_content import check_file, unreadable
from blazepose.native_messages import hide_harmless_messages
from blazepose.task_bundle import BUNDLE, TFLITE, read_tflite

METADATA_KEY = "blazepose"
"""Key of our metadata in files that we write: a TFLite metadata entry or an ONNX property, JSON text."""


@runtime_checkable
class InferenceSession(Protocol):
    """Loaded network file. Not for use by several threads at once.

    Attributes:
        inputs: shape and type of each input, channels last, a dynamic batch as 1.
        outputs: shape of each output.
        metadata: metadata of the file under METADATA_KEY; empty for foreign files.
    """

    inputs: Sequence[Sequence[Any]]
    outputs: Sequence[Sequence[Any]]
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> list[Any]:
        """Run float32 images (batch, height, width, 3); every output has the batch in front.

        An output that was opened as unused is None.
        """
        ...


class LiteRtSession:
    """LiteRT session of a `.tflite` file, or of an entry of a `.task` bundle.

    Args:
        path: the file.
        entry: name of the network in a bundle, see blazepose.task_bundle.
        num_threads: None takes every core.
        unused: positions of outputs that are not computed; None stands in their place.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged.
    """

    def __init__(
        self, path: Path, entry: str, num_threads: int | None = None, unused: Collection[int] = ()
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter

        from blazepose.tflite.prune import without_outputs

        content = read_tflite(path, entry)
        threads = num_threads or usable_cores()
        try:
            with hide_harmless_messages():
                self._interpreter = Interpreter(model_content=content, num_threads=threads)
                inputs, outputs = (
                    self._interpreter.get_input_details(),
                    self._interpreter.get_output_details(),
                )
                if unused:
                    computed = without_outputs(content, unused)
                    self._interpreter = Interpreter(model_content=computed, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            expected_kind = TFLITE if path.suffix == ".tflite" else f"{BUNDLE} with {entry}"
            raise unreadable(path, expected_kind, error, _litert_next_step(str(error))) from error
        self.inputs: Sequence[Sequence[Any]] = [
            (*detail["shape"].tolist(), detail["dtype"].__name__) for detail in inputs
        ]
        self.outputs: Sequence[Sequence[Any]] = [detail["shape"].tolist() for detail in outputs]
        self._unused = unused
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._computed = [detail["index"] for detail in self._interpreter.get_output_details()]
        self.metadata: Mapping[str, Any] = tflite_metadata(content)

    def __call__(self, images: np.ndarray) -> list[Any]:
        # One by one: a larger batch dimension gained nothing in any size of network (2 cores), and graphs
        # converted from torch have batch 1 built into their reshapes.
        return put_none(_stack([self._run(image) for image in images]), self._unused)

    def _run(self, image: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._computed]


def put_none(outputs: Sequence[np.ndarray], positions: Collection[int]) -> list[Any]:
    """Return outputs with None at the positions of those that were not computed."""
    computed = iter(outputs)
    count = len(outputs) + len(positions)
    return [None if position in positions else next(computed) for position in range(count)]


class OnnxSession:
    """ONNX Runtime session of an `.onnx` file; its input may be NHWC or NCHW.

    Args:
        path: the file.
        entry: not used; ONNX files have no entries.
        num_threads: None takes every core.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if ONNX Runtime is not installed.
        ValueError: if the file is damaged.
    """

    def __init__(self, path: Path, entry: str, num_threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackageError(f"{path} needs ONNX Runtime: pip install onnxruntime") from error

        check_file(path, "an ONNX file", "choose a trained or exported network")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or usable_cores()
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


SESSION_TYPES: Mapping[str, Callable[[Path, str, int | None], InferenceSession]] = {
    ".tflite": LiteRtSession,
    ".task": LiteRtSession,
    ".onnx": OnnxSession,
}
"""Session of each file type, by its suffix."""


def open_session(
    path: Path, entry: str, num_threads: int | None = None, unused: Collection[int] = ()
) -> InferenceSession:
    """Open a network file with LiteRT or ONNX Runtime, chosen by the suffix.

    Args:
        path: the file.
        entry: name of the network in a bundle, see blazepose.task_bundle.
        num_threads: None takes every core.
        unused: positions of outputs that the caller does not need; LiteRT does not compute them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if no session opens this type of file, if num_threads < 1, or if the file is damaged.
    """
    if num_threads is not None and num_threads < 1:
        raise InputError(f"num_threads must be 1 or more, not {num_threads}; leave it out for every core")
    if path.suffix not in SESSION_TYPES and not path.exists():
        raise MissingFileError(f"{path} is missing; choose a {', '.join(SESSION_TYPES)} file")
    if path.suffix == ".ckpt" or (path / "config.yaml").is_file():
        kind = "run" if path.is_dir() else "checkpoint"
        raise InputError(
            f"{path} is a training {kind}; the runtime needs an exported file: "
            f"blazepose export --target tflite --weights {path}"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder; choose a {', '.join(SESSION_TYPES)} file")
    if path.suffix not in SESSION_TYPES:
        raise InputError(f"{path}: no support for {path.suffix!r} files; choose {', '.join(SESSION_TYPES)}")
    if unused and SESSION_TYPES[path.suffix] is LiteRtSession:
        return LiteRtSession(path, entry, num_threads, unused)
    return SESSION_TYPES[path.suffix](path, entry, num_threads)


def check_signature(
    session: InferenceSession,
    path: Path,
    kind: str,
    size: int | None,
    expected: Callable[[int], list[tuple[int, ...]]],
) -> int:
    """Check the inputs and outputs of a network, and return the side of its input image.

    Args:
        session: the network.
        path: the file, for the message.
        kind: expected kind of network, for the message.
        size: expected side of the input image; None takes any.
        expected: returns the shapes of the outputs, without the batch, for a side; further ones are ignored.

    Raises:
        ValueError: if the inputs or outputs differ; names the file and the difference.
    """
    first = session.inputs[0]
    side = first[1] if len(first) == 5 else None
    if not isinstance(side, int) or [tuple(node) for node in session.inputs] != [
        (1, size or side, size or side, 3, "float32")
    ]:
        wanted = _text([(1, size or 256, size or 256, 3, "float32")])
        raise InputError(f"{path} is not a {kind}: its inputs are {_text(session.inputs)}, expected {wanted}")
    shapes = expected(side)
    if [tuple(shape[1:]) for shape in session.outputs[: len(shapes)]] != shapes:
        wanted = _text([(1, *shape) for shape in shapes])
        difference = f"its outputs are {_text(session.outputs)}, expected {wanted}"
        raise InputError(f"{path} is not a {kind}: {difference} in this order")
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
"""Prefix of the reason: a code, the file, and the function and source file that raised it."""


def _onnx_next_step(reason: str) -> str | None:
    if "protobuf" in reason.lower():
        return None
    if "External" in reason:
        return "copy the data file that was written with it to the same folder"
    newer = "IR version" in reason or "opset versions" in reason
    return "update ONNX Runtime with `pip install -U onnxruntime`, or export for an older version" * newer


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
    """Read our metadata from a TFLite file; empty for foreign ones."""
    return json.loads(metadata_entry(content, METADATA_KEY) or b"{}")


def metadata_entry(content: bytes, name: str) -> bytes | None:
    """Return an entry of a TFLite file's metadata, or None."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == name.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None
