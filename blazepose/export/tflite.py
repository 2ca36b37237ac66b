"""Export to TFLite, with the metadata of blazepose and MediaPipe."""

from collections.abc import Callable
from pathlib import Path

from blazepose.export.export_module import OUTPUT_NAMES_2021, ExportModule, Precision
from blazepose.runtime.inference_sessions import METADATA_KEY
from blazepose.tflite.convert import to_tflite
from blazepose.tflite.float16 import store_float16
from blazepose.tflite.int8 import quantize_activations, quantize_weights
from blazepose.tflite.model import name_outputs

_OFFICIAL_METADATA = {"reduced_precision_support": b"fp16accfp32"}
"""Lets XNNPACK compute in fp16 on ARM; litert-torch drops it.
Source: docs/reference/mediapipe.md section 4."""

FLOAT32_OPERATORS = "|".join(
    (
        "Sequential_stem/",
        "Sequential_at64/",
        "Decoder_decoder[/;]",
        "RegressionHead_tower[/;]",
        "HeatmapDecoder_heatmap_decoder[/;]",
        "FlatHead_",
        "LandmarkNet_net;",
        "ExportModule;;",
        "serving_default_output_[0134]_output",
    )
)
"""Names of the outputs of the operators that keep computing in float32 in int8_static: those on the largest
images, where errors are largest and int8 saves little, and those of the landmarks and heatmaps.
Chosen on lspet_dev: docs/benchmarks/deployment.md."""


def convert_tflite(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write a TFLite file with MediaPipe's input and outputs.

    Args:
        net: the network to export.
        precision: precision of the stored weights, and of the arithmetic in int8_static.
        metadata: JSON text stored in the file.
        path: the file to write.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    entries = {METADATA_KEY: metadata.encode(), **_OFFICIAL_METADATA}
    content = to_tflite(net, net.input_spec, entries, _storage(net, precision))
    if net.output_names == OUTPUT_NAMES_2021:
        content = name_outputs(content, net.output_names)
    path.write_bytes(content)


def _storage(net: ExportModule, precision: Precision) -> Callable[[bytes], bytes] | None:
    """Return the function that stores a float32 file in a precision."""
    if precision == "int8_static":
        assert net.calibration is not None
        images = net.calibration.numpy()
        return lambda content: quantize_activations(content, images, FLOAT32_OPERATORS)
    return {"fp16": store_float16, "int8": quantize_weights}.get(precision)
