"""File formats of exported networks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from blazepose.export.coreml import convert_coreml
from blazepose.export.coreml_program import open_coreml_detector, open_coreml_landmarks
from blazepose.export.export_module import ExportModule, Precision
from blazepose.export.onnx import convert_onnx
from blazepose.export.tflite import convert_tflite
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.engines import DetectorEngine, LandmarkEngine


class Target(NamedTuple):
    """A file format.

    Attributes:
        suffix: suffix of its files.
        convert: function that writes a network, with weights of a precision and metadata as JSON text, to a
            path: a file or a folder.
        precisions: values of --precision.
        open_landmarks: opens a file to verify it: a function that runs uint8 RGB crops (1, size, size, 3).
        open_detector: the same for a detector; it returns boxes and scores.
    """

    suffix: str
    convert: Callable[[ExportModule, Precision, str, Path], None]
    precisions: tuple[Precision, ...] = ("fp32", "fp16")
    open_landmarks: Callable[[Path], Callable[[np.ndarray], RawOutputs]] = LandmarkEngine
    open_detector: Callable[[Path], Callable[[np.ndarray], Sequence[np.ndarray]]] = DetectorEngine


TARGETS: Mapping[str, Target] = {
    "tflite": Target(".tflite", convert_tflite, get_args(Precision)),
    "onnx": Target(".onnx", convert_onnx),
    "coreml": Target(
        ".mlpackage",
        convert_coreml,
        open_landmarks=open_coreml_landmarks,
        open_detector=open_coreml_detector,
    ),
    # export_landmark_net packs the file and a detector into the bundle.
    "task": Target(".task", convert_tflite, get_args(Precision)),
}
"""{value of --target: format}."""
