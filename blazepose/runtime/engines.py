"""Engines of the two networks: images in, raw outputs out."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np

from blazepose.anchors import layout_of_input
from blazepose.decoding import is_decoded
from blazepose.exceptions import InputError
from blazepose.runtime.decode import LANDMARK_VALUES, NUM_RAW_OUTPUTS_2021, RawOutputs
from blazepose.runtime.gpu_session import GpuSession
from blazepose.runtime.inference_sessions import InferenceSession, check_signature, open_session
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY
from blazepose.topologies import FULL_BODY, topologies, topology_of_outputs
from blazepose.topology import Topology

Delegate = Literal["cpu", "gpu"]
"""What runs a network; the name is MediaPipe's."""

_SEGMENTATION = 2
"""Position among the outputs of the landmark network."""


@runtime_checkable
class InferenceEngine(Protocol):
    """Runner of a landmark network. Not for use by several threads at once.

    Attributes:
        input_size: side of the crop in pixels.
        metadata: metadata of the weights; empty for foreign ones.
        topology: its landmarks.
    """

    input_size: int
    topology: Topology
    metadata: Mapping[str, Any]

    def __call__(self, images: np.ndarray) -> RawOutputs:
        """Run uint8 RGB crops (batch, size, size, 3)."""
        ...


class LandmarkEngine:
    """Landmark network of a `.task`, `.tflite` or `.onnx` file.

    Args:
        path: the file.
        num_threads: None takes every core.
        masks: whether to compute segmentation masks, a third of the work of full; an ONNX file computes them
            anyway.
        delegate: "cpu", or "gpu" for LiteRT's GPU accelerator, for `.task` and `.tflite` files.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if the library that runs this kind of file is not installed.
        ValueError: if the file is damaged or not a landmark network, or does not run on the GPU.
    """

    def __init__(
        self, path: Path, num_threads: int | None = None, masks: bool = True, delegate: Delegate = "cpu"
    ) -> None:
        unused = () if masks else (_SEGMENTATION,)
        if delegate not in get_args(Delegate):
            raise InputError(f"delegate={delegate} is unknown; choose {' or '.join(get_args(Delegate))}")
        if delegate == "gpu":
            if path.suffix not in (".task", ".tflite"):
                raise InputError(f"{path}: delegate gpu runs .task and .tflite files; choose delegate cpu")
            self._session: InferenceSession = GpuSession(path, LANDMARKS_ENTRY, unused)
        else:
            self._session = open_session(path, LANDMARKS_ENTRY, num_threads, unused)
        self.metadata, self.topology = self._session.metadata, _topology(self._session, path)
        expected = partial(_landmark_outputs, self.topology.num_outputs, self._session.outputs)
        self.input_size = check_signature(self._session, path, "landmark network", None, expected)

    def __call__(self, images: np.ndarray) -> RawOutputs:
        outputs = self._session(images.astype(np.float32) / 255)
        return RawOutputs.from_arrays(outputs, is_decoded(self.metadata))


def _topology(session: InferenceSession, path: Path) -> Topology:
    """Return the topology in the metadata of a landmark network; of a foreign file, that of its first output.

    Raises:
        ValueError: if the metadata name none of blazepose.topologies.
    """
    if "topology" in session.metadata:
        try:
            return topology_of_outputs(session.metadata["topology"])
        except ValueError as error:
            raise InputError(f"{path} cannot be used: {error}") from error
    values = session.outputs[0][-1]
    of_size = (each for each in topologies().values() if each.num_outputs * LANDMARK_VALUES == values)
    return next(of_size, FULL_BODY)


def _landmark_outputs(points: int, outputs: Sequence[Sequence[Any]], size: int) -> list[tuple[int, ...]]:
    """Return the shapes of MediaPipe's five outputs, or of the three that files of 2021 have.

    The networks of 2021 have masks of half the size.
    """
    three = len(outputs) == NUM_RAW_OUTPUTS_2021
    half = three or [list(mask[1:3]) for mask in outputs[_SEGMENTATION:][:1]] == [[size // 2, size // 2]]
    side = size // 2 if half else size
    shapes = [(points * LANDMARK_VALUES,), (1,), (side, side, 1)]
    return shapes if three else [*shapes, (size // 4, size // 4, points), (points * 3,)]


class DetectorEngine:
    """Pose detector of a `.task`, `.tflite` or `.onnx` file.

    Args:
        path: the file.
        num_threads: None takes every core.

    Attributes:
        anchors: input size and anchors of the network.
        metadata: metadata of the weights; empty for foreign ones.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if the library that runs this kind of file is not installed.
        ValueError: if the file is damaged or not a pose detector.
    """

    def __init__(self, path: Path, num_threads: int | None = None) -> None:
        self._session = open_session(path, DETECTOR_ENTRY, num_threads)
        self.anchors = layout_of_input(self._session.inputs[0])
        check_signature(
            self._session, path, "pose detector", self.anchors.size, lambda _: self.anchors.output_shapes
        )
        self.metadata = self._session.metadata

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run uint8 RGB images (batch, size, size, 3): boxes (batch, anchors, 12), logits (..., 1)."""
        boxes, logits = self._session(images.astype(np.float32) / 127.5 - 1)[:2]
        return boxes, logits
