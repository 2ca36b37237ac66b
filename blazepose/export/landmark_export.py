"""From a checkpoint to a verified file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from blazepose.atomic import atomic_path
from blazepose.export.export_module import ExportModule, Precision, metadata_text
from blazepose.export.fp16 import round_with_bias_correction
from blazepose.export.onnx import convert_onnx
from blazepose.export.task import find_detector, read_detector
from blazepose.export.tflite import convert_tflite
from blazepose.export.verification_images import verification_crops
from blazepose.export.verify import Verification, check_tolerance, differences
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from blazepose.training.weights import open_landmark_net

Converter = Callable[[ExportModule, Precision, str], bytes]

TARGETS: Mapping[str, tuple[str, Converter]] = {
    "tflite": (".tflite", convert_tflite),
    "onnx": (".onnx", convert_onnx),
    "task": (".task", convert_tflite),
}
"""What we write: suffix and converter of the landmark network."""


def export_landmark_net(
    weights: Path,
    target: str,
    precision: Precision,
    out: Path,
    pictures: Path | None = None,
    detector: Path | None = None,
) -> tuple[dict[str, Any], Verification]:
    """Convert, verify, and only then put the file in place.

    Args:
        weights: a checkpoint of ours, a `.tflite` or a `.task` file.
        target: one of TARGETS.
        precision: of the stored weights.
        out: the file to write; must not exist.
        pictures: folder to take the crops for the verification from; None takes the people the checkpoint
            was validated on.
        detector: the file whose detector goes into a bundle; None takes that of the bundle the weights are
            from, or began with.

    Returns:
        What the file says of itself, and its differences to torch.

    Raises:
        FileExistsError: if `out` exists.
        ValueError: if the file differs from torch by more than the tolerance.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists; choose another --out, or delete it first")
    original, about = open_landmark_net(weights)
    net = ExportModule(original)
    crops = verification_crops(about, net.input_spec.size, pictures)
    found_detector = None
    if target == "task":
        found_detector = read_detector(find_detector(detector, weights, about), pictures)
    if precision == "fp16":
        # Biases that were fitted to the crops of the verification would hide what rounding costs.
        to_fit, crops = crops[::2], crops[1::2]
        net = round_with_bias_correction(net, torch.from_numpy(to_fit).float() / 255)
    _, convert = TARGETS[target]
    content = convert(net, precision, metadata_text(about, precision))
    if found_detector:
        content = pack({DETECTOR_ENTRY: found_detector, LANDMARKS_ENTRY: content})
    with atomic_path(out) as draft:
        draft.write_bytes(content)
        # Against the network as it was trained, so that the folding is verified too.
        found = differences(draft, original, crops)
        check_tolerance(found, precision)
    return about, found
