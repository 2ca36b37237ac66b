"""Export of a detector: from a checkpoint to a verified file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from blazepose.atomic import atomic_path
from blazepose.exceptions import ExistingFileError
from blazepose.export.export_module import ExportModule, Precision, metadata_json
from blazepose.export.rounding import fit_to_precision
from blazepose.export.targets import TARGETS
from blazepose.export.verification_images import detector_images
from blazepose.export.verify import check_tolerance
from blazepose.models.detector_net import DetectorNet, normalize_images
from blazepose.runtime.decode import sigmoid
from blazepose.training.weights import open_detector_net

_COMPARED = 16
"""Number of anchors whose boxes are compared: the most confident ones, since only these are used."""


class DetectorDifferences(NamedTuple):
    """Largest differences between a file and torch in one image.

    Attributes:
        boxes_px: boxes and alignment points of the most confident anchors, input pixels.
        probability: scores, after the sigmoid.
    """

    boxes_px: float
    probability: float


class DetectorVerification(NamedTuple):
    """Differences over all images.

    Attributes:
        typical: medians.
        worst: maxima.
    """

    typical: DetectorDifferences
    worst: DetectorDifferences


DETECTOR_TOLERANCE: dict[Precision, DetectorDifferences] = {
    "fp32": DetectorDifferences(boxes_px=0.05, probability=0.005),
    # Chosen: half a pixel of 224, a hundredth of the ROI's side.
    "fp16": DetectorDifferences(boxes_px=0.5, probability=0.05),
    "int8": DetectorDifferences(boxes_px=4.0, probability=0.2),
    "int8_static": DetectorDifferences(boxes_px=10.0, probability=0.4),
}


def export_detector(
    weights: Path, target: str, precision: Precision, out: Path, images: Path | None = None
) -> DetectorVerification:
    """Convert, verify, and only then write the file.

    Args:
        weights: a checkpoint, `.tflite` or `.task` file.
        target: one of TARGETS, but not `task`: a bundle needs a landmark network.
        precision: precision of the stored weights.
        out: the file to write; must not exist.
        images: folder of images to verify on; None takes the validation images of the checkpoint.

    Returns:
        Differences to torch.

    Raises:
        FileExistsError: if `out` exists.
        ValueError: if the file differs from torch by more than the tolerance.
    """
    if out.exists():
        raise ExistingFileError(f"{out} exists; choose another --out, or delete it first")
    original, metadata = open_detector_net(weights)
    net = ExportModule(original)
    letterboxed = detector_images(metadata, original.input_spec.size, precision, images)
    if precision != "fp32":
        net = fit_to_precision(net, precision, normalize_images(torch.from_numpy(letterboxed.fit)))
    with atomic_path(out) as draft:
        TARGETS[target].convert(net, precision, metadata_json(metadata, precision), draft)
        verification = detector_differences(TARGETS[target].open_detector(draft), original, letterboxed.test)
        check_tolerance(verification, precision, DETECTOR_TOLERANCE)
    return verification


@torch.no_grad()
def detector_differences(
    engine: Callable[[np.ndarray], Sequence[np.ndarray]], net: DetectorNet, images: np.ndarray
) -> DetectorVerification:
    """Run the engine of a file and the network on the same uint8 images (count, size, size, 3)."""
    rows = []
    for image in images:
        boxes, logits = engine(image[None])
        torch_boxes, torch_logits = (
            output.numpy() for output in net.forward_export(normalize_images(torch.from_numpy(image[None])))
        )
        scores, torch_scores = sigmoid(logits), sigmoid(torch_logits)
        top = np.argsort(-torch_scores[0, :, 0])[:_COMPARED]
        rows.append([np.abs(boxes - torch_boxes)[0, top].max(), np.abs(scores - torch_scores).max()])
    # Median and maximum propagate NaN, which then fails the tolerance.
    return DetectorVerification(
        *(DetectorDifferences(*over(rows, axis=0).tolist()) for over in (np.median, np.max))
    )
