"""From a checkpoint to a verified file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from blazepose.export.contract import ExportedNet, Precision, metadata_text
from blazepose.export.crops import real_crops
from blazepose.export.half import rounded_weights
from blazepose.export.onnx import convert_onnx
from blazepose.export.task import find_detector, read_detector
from blazepose.export.tflite import convert_tflite
from blazepose.export.verify import Verification, check, differences
from blazepose.task_bundle import DETECTOR, LANDMARKS, pack
from blazepose.training.weights import open_landmark_net
from blazepose.whole_file import whole_file

Converter = Callable[[ExportedNet, Precision, str], bytes]

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
    net = ExportedNet(original)
    crops = real_crops(about, net.input_spec.size, pictures)
    found_detector = None
    if target == "task":
        found_detector = read_detector(find_detector(detector, weights, about), pictures)
    if precision == "fp16":
        # Biases that were fitted to the crops of the verification would hide what rounding costs.
        to_fit, crops = crops[::2], crops[1::2]
        net = rounded_weights(net, torch.from_numpy(to_fit).float() / 255)
    _, convert = TARGETS[target]
    content = convert(net, precision, metadata_text(about, precision))
    if found_detector:
        content = pack({DETECTOR: found_detector, LANDMARKS: content})
    with whole_file(out) as draft:
        draft.write_bytes(content)
        # Against the network as it was trained, so that the folding is verified too.
        found = differences(draft, original, crops)
        check(found, precision)
    return about, found
