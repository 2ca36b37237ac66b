"""ONNX files, converted by torch's exporter."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blazepose.exceptions import MissingPackageError, install_command
from blazepose.export.export_module import INPUT_NAME, ExportModule, Precision
from blazepose.runtime.inference_sessions import METADATA_KEY

_OPSET = 20


def convert_onnx(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write an ONNX file with the input and outputs of the TFLite file, for any batch size.

    Args:
        net: the network to export.
        precision: precision of the stored weights; the arithmetic is float32.
        metadata: JSON text stored in the model's properties.
        path: the file to write.

    Raises:
        ImportError: if a package is missing; the message names the extra to install.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            f"ONNX export needs onnx and onnxscript: {install_command('export')}"
        ) from error

    size = net.input_spec.size
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net.eval(),
            (torch.zeros(2, size, size, 3),),
            dynamo=True,
            opset_version=_OPSET,
            input_names=[INPUT_NAME],
            output_names=list(net.output_names),
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip_traces(model)
    if precision == "fp16":
        _cast_weights(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: metadata})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _strip_traces(model: Any) -> None:
    # The exporter writes the Python stack into every node: a tenth of the file, and local paths.
    for holder in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del holder.metadata_props[:]
        holder.doc_string = ""


def _cast_weights(model: Any) -> None:
    """Store float32 kernels as float16, each behind a Cast that runtimes fold when they load.

    Biases are small and stay float32: export.fp16 has corrected them for the rounding of the kernels.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}_fp16")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
