"""Sessions of LiteRT's GPU accelerator: ML Drift on OpenCL, Metal or WebGPU."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.exceptions import InputError
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.inference_sessions import put_none, tflite_metadata
from blazepose.task_bundle import read_tflite


class GpuSession:
    """A `.tflite` file, or an entry of a `.task` bundle, on the GPU. It runs wholly there, or not at all.

    Args:
        path: the file.
        entry: name of the network in a bundle, see blazepose.task_bundle.
        unused: positions of outputs that are not computed; None stands in their place.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if LiteRT finds no GPU, or it does not run every operator of the file.
    """

    def __init__(self, path: Path, entry: str, unused: Collection[int] = ()) -> None:
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.hardware_accelerator import HardwareAccelerator

        from blazepose.tflite.prune import without_outputs

        content = read_tflite(path, entry)
        try:
            with hide_harmless_messages():
                computed = without_outputs(content, unused) if unused else content
                self._model = CompiledModel.from_buffer(computed, HardwareAccelerator.GPU)
        except RuntimeError as error:
            raise InputError(
                f"LiteRT's GPU accelerator does not run {path}: it found no GPU here, or does not know every "
                f"operator, which `blazepose check {path}` shows; delegate cpu runs the file"
            ) from error
        name, signature = next(iter(self._model.get_signature_list().items()))
        inputs = self._model.get_input_tensor_details(name)
        outputs = self._model.get_output_tensor_details(name)
        self.inputs: Sequence[Sequence[Any]] = [
            (*inputs[key]["shape"], np.dtype(inputs[key]["dtype"]).name) for key in signature["inputs"]
        ]
        self.outputs: Sequence[Sequence[Any]] = _output_shapes(content)
        self._shapes = [outputs[key]["shape"] for key in signature["outputs"]]
        self._unused = unused
        self._buffers = self._model.create_input_buffers(0), self._model.create_output_buffers(0)
        self.metadata: Mapping[str, Any] = tflite_metadata(content)

    def __call__(self, images: np.ndarray) -> list[Any]:
        runs = [self._run(image) for image in images]
        return put_none([np.concatenate(output) for output in zip(*runs, strict=True)], self._unused)

    def _run(self, image: np.ndarray) -> list[np.ndarray]:
        inputs, outputs = self._buffers
        inputs[0].write(np.ascontiguousarray(image, np.float32).ravel())
        self._model.run_by_index(0, inputs, outputs)
        return [
            buffer.read(int(np.prod(shape)), np.float32).reshape(shape)
            for buffer, shape in zip(outputs, self._shapes, strict=True)
        ]


def _output_shapes(content: bytes) -> list[list[int]]:
    """Return the shapes of a TFLite file's outputs."""
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    return [
        graph.Tensors(graph.Outputs(position)).ShapeAsNumpy().tolist()
        for position in range(graph.OutputsLength())
    ]
