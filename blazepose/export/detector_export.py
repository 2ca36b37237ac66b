"""From a detector's checkpoint to a verified file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from blazepose.atomic import atomic_path
from blazepose.data.datamodule import find_image_files
from blazepose.export.export_module import ExportModule, Precision, metadata_text
from blazepose.export.fp16 import round_with_bias_correction
from blazepose.export.onnx import convert_onnx
from blazepose.export.tflite import convert_tflite
from blazepose.export.verification_images import full_image_crop, people_of_run, require_two, sample_evenly
from blazepose.export.verify import check_tolerance
from blazepose.models.detector_net import DetectorNet, normalize_images
from blazepose.runtime.decode import sigmoid
from blazepose.runtime.engines import DetectorEngine
from blazepose.training.weights import open_detector_net

DETECTOR_TARGETS = {"tflite": (".tflite", convert_tflite), "onnx": (".onnx", convert_onnx)}
"""Suffix and converter; a bundle takes a detector with --detector."""

_COMPARED = 16
"""Anchors whose boxes are compared, the surest of a picture: nobody reads the others'."""


class DetectorDifferences(NamedTuple):
    """Largest differences between a file and torch in a picture.

    Attributes:
        boxes_px: of boxes and alignment points, input pixels, where somebody is most likely seen.
        probability: of the scores.
    """

    boxes_px: float
    probability: float


class DetectorVerification(NamedTuple):
    """Differences over all pictures.

    Attributes:
        typical: their medians.
        worst: of any picture.
    """

    typical: DetectorDifferences
    worst: DetectorDifferences


TOLERANCE: dict[Precision, DetectorDifferences] = {
    "fp32": DetectorDifferences(boxes_px=0.05, probability=0.005),
    # Chosen: half a pixel of 224, a hundredth of the person's side.
    "fp16": DetectorDifferences(boxes_px=0.5, probability=0.05),
}


def export_detector(
    weights: Path, target: str, precision: Precision, out: Path, pictures: Path | None = None
) -> DetectorVerification:
    """Convert, verify, and only then put the file in place.

    Args:
        weights: a checkpoint of ours, a `.tflite` or a `.task` file.
        target: one of DETECTOR_TARGETS.
        precision: of the stored weights.
        out: the file to write; must not exist.
        pictures: folder of pictures to verify on; None takes those that the checkpoint was validated on.

    Returns:
        Its differences to torch.

    Raises:
        FileExistsError: if `out` exists.
        ValueError: if the file differs from torch by more than the tolerance.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists; choose another --out, or delete it first")
    original, about = open_detector_net(weights)
    net, seen = ExportModule(original), full_images(about, original.input_spec.size, pictures)
    if precision == "fp16":
        # Biases that were fitted to the pictures of the verification would hide what rounding costs.
        to_fit, seen = seen[::2], seen[1::2]
        net = round_with_bias_correction(net, normalize_images(torch.from_numpy(to_fit)))
    content = DETECTOR_TARGETS[target][1](net, precision, metadata_text(about, precision))
    with atomic_path(out) as draft:
        draft.write_bytes(content)
        found = detector_differences(draft, original, seen)
        check_tolerance(found, precision, TOLERANCE)
    return found


def full_images(about: Mapping[str, Any], size: int, pictures: Path | None) -> np.ndarray:
    """Read letterboxed images, uint8 (2 to 32, size, size, 3); raises as verification_crops."""
    if pictures is None:
        paths = list(dict.fromkeys(person.image for person in people_of_run(about)))
    else:
        paths = find_image_files([str(pictures)], "--pictures")
    return require_two([full_image_crop(path, size, cv2.BORDER_CONSTANT) for path in sample_evenly(paths)])


@torch.no_grad()
def detector_differences(path: Path, net: DetectorNet, pictures: np.ndarray) -> DetectorVerification:
    """Run the file and the network over the same uint8 pictures (count, size, size, 3)."""
    engine, rows = DetectorEngine(path), []
    for picture in pictures:
        boxes, logits = engine(picture[None])
        own_boxes, own_logits = (
            output.numpy() for output in net.forward_export(normalize_images(torch.from_numpy(picture[None])))
        )
        scores, own_scores = sigmoid(logits), sigmoid(own_logits)
        surest = np.argsort(-own_scores[0, :, 0])[:_COMPARED]
        rows.append([np.abs(boxes - own_boxes)[0, surest].max(), np.abs(scores - own_scores).max()])
    # Both hand a nan on, and a nan is no agreement.
    return DetectorVerification(
        *(DetectorDifferences(*over(rows, axis=0).tolist()) for over in (np.median, np.max))
    )
