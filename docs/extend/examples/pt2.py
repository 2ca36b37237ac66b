"""Programs of torch.export, for servers that run torch."""

from pathlib import Path

import torch

from blazepose.exceptions import InputError
from blazepose.export.export_module import ExportModule, Precision
from blazepose.runtime.inference_sessions import METADATA_KEY


def convert_pt2(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write a program of torch.export, for any batch size.

    Args:
        net: the network to export.
        precision: precision of the stored weights; only fp32.
        metadata: JSON text stored in the file.
        path: the file to write.

    Raises:
        ValueError: for another precision.
    """
    if precision != "fp32":
        raise InputError(f"--precision {precision}: .pt2 files are written in fp32 only; omit --precision")
    images = torch.zeros(2, net.input_spec.size, net.input_spec.size, 3)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(net.eval(), (images,), dynamic_shapes=({0: batch},))
    torch.export.save(program, path, extra_files={METADATA_KEY: metadata})
