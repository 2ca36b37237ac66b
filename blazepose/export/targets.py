"""File formats of exported networks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from blazepose.export.export_module import ExportModule, Precision
from blazepose.export.onnx import convert_onnx
from blazepose.export.tflite import convert_tflite


class Target(NamedTuple):
    """A file format.

    Attributes:
        suffix: suffix of its files.
        convert: function that writes a network, with weights of a precision and metadata as JSON text, to a
            path: a file or a folder.
        precisions: values of --precision.
    """

    suffix: str
    convert: Callable[[ExportModule, Precision, str, Path], None]
    precisions: tuple[Precision, ...] = ("fp32", "fp16")


TARGETS: Mapping[str, Target] = {
    "tflite": Target(".tflite", convert_tflite, get_args(Precision)),
    "onnx": Target(".onnx", convert_onnx),
    # export_landmark_net packs the file and a detector into the bundle.
    "task": Target(".task", convert_tflite, get_args(Precision)),
}
"""{value of --target: format}."""
