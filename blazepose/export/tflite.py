"""Export to TFLite, with the metadata of blazepose and MediaPipe."""

from pathlib import Path

from blazepose.export.export_module import ExportModule, Precision
from blazepose.runtime.inference_sessions import METADATA_KEY
from blazepose.tflite.convert import to_tflite

_OFFICIAL_METADATA = {"reduced_precision_support": b"fp16accfp32"}
"""Lets XNNPACK compute in fp16 on ARM; litert-torch drops it.
Source: docs/reference/mediapipe.md section 4."""


def convert_tflite(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write a TFLite file with MediaPipe's input and outputs.

    Args:
        net: the network to export.
        precision: precision of the stored weights; the arithmetic is float32 by default.
        metadata: JSON text stored in the file.
        path: the file to write.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    entries = {METADATA_KEY: metadata.encode(), **_OFFICIAL_METADATA}
    path.write_bytes(to_tflite(net, net.input_spec, entries, fp16=precision == "fp16"))
