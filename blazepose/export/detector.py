"""From a detector's checkpoint to a verified file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from blazepose.data.datamodule import find_pictures
from blazepose.data.detector_dataset import scenes_of
from blazepose.data.readers import read_source
from blazepose.export.contract import ExportedNet, Precision, metadata_text
from blazepose.export.half import rounded_weights
from blazepose.export.onnx import convert_onnx
from blazepose.export.tflite import convert_tflite
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.models.detector_net import DetectorNet
from blazepose.runtime.decode import sigmoid
from blazepose.runtime.engines import DetectorEngine
from blazepose.training.weights import PUBLISHED, open_detector_net
from blazepose.whole_file import whole_file

DETECTOR_TARGETS = {"tflite": (".tflite", convert_tflite), "onnx": (".onnx", convert_onnx)}
"""Suffix and converter; a bundle takes a detector with --detector."""

_PICTURES = 32

_SEEN_FROM = 0.1
"""Score of anchors whose boxes are compared: nobody reads the others'."""


class DetectorDifferences(NamedTuple):
    """Largest differences between a file and torch in a picture.

    Attributes:
        boxes_px: of boxes and alignment points, input pixels, where somebody is seen.
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
    net, seen = ExportedNet(original), whole_pictures(about, original.input_spec.size, pictures)
    if precision == "fp16":
        # Biases that were fitted to the pictures of the verification would hide what rounding costs.
        to_fit, seen = seen[::2], seen[1::2]
        net = rounded_weights(net, _prepared(to_fit))
    content = DETECTOR_TARGETS[target][1](net, precision, metadata_text(about, precision))
    with whole_file(out) as draft:
        draft.write_bytes(content)
        found = detector_differences(draft, original, seen)
        _check(found, precision)
    return found


def whole_pictures(about: Mapping[str, Any], size: int, pictures: Path | None) -> np.ndarray:
    """Whole pictures as the detector sees them, uint8 (2 to 32, size, size, 3).

    Raises:
        FileNotFoundError: if the checkpoint's pictures are not on this machine; says what to give instead.
        ValueError: if there is only one.
    """
    if pictures is not None:
        paths = find_pictures([str(pictures)], "--pictures")
    elif about.get("recipe") == PUBLISHED:
        raise FileNotFoundError(
            "the file is verified on real pictures, and published weights bring none: name a folder of "
            "pictures of people with --pictures"
        )
    else:
        names = [source["name"] for source in about["data"]["val"] or about["data"]["train"]]
        try:
            scenes = scenes_of([read_source(name) for name in names], "its data")
        except (OSError, ValueError) as error:
            raise FileNotFoundError(
                f"the file is verified on real pictures, and those that the weights were trained on are not "
                f"here ({error}); name a folder of pictures of people with --pictures"
            ) from error
        paths = [scene.image for scene in scenes]
    picks = np.unique(np.linspace(0, len(paths) - 1, _PICTURES).astype(int))
    if len(picks) < 2:
        raise ValueError("one picture is too few to verify a file on; name more with --pictures")
    images = [read_image(paths[k]) for k in picks]
    squares = [roi_to_image_matrix(letterbox_roi(*image.shape[1::-1])) for image in images]
    return np.stack(
        [
            crop_image(image, square, size, cv2.BORDER_CONSTANT)
            for image, square in zip(images, squares, strict=True)
        ]
    )


@torch.no_grad()
def detector_differences(path: Path, net: DetectorNet, pictures: np.ndarray) -> DetectorVerification:
    """Run the file and the network over the same uint8 pictures (count, size, size, 3)."""
    engine, rows = DetectorEngine(path), []
    for picture in pictures:
        boxes, logits = engine(picture[None])
        own_boxes, own_logits = (output.numpy() for output in net.contract(_prepared(picture[None])))
        scores, own_scores = sigmoid(logits), sigmoid(own_logits)
        seen = own_scores[..., 0] >= _SEEN_FROM
        rows.append([np.abs(boxes - own_boxes)[seen].max(initial=0), np.abs(scores - own_scores).max()])
    # Both hand a nan on, and a nan is no agreement.
    return DetectorVerification(
        *(DetectorDifferences(*over(rows, axis=0).tolist()) for over in (np.median, np.max))
    )


def _prepared(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).float() / 127.5 - 1


def _check(found: DetectorVerification, precision: Precision) -> None:
    """As export.verify.check: any picture in fp32, most pictures in fp16."""
    checks = [(found.worst, 1)] if precision == "fp32" else [(found.typical, 1), (found.worst, 10)]
    bad = [
        f"{name} {value:.4g} (allowed {factor * most:g})"
        for values, factor in checks
        for name, value, most in zip(values._fields, values, TOLERANCE[precision], strict=True)
        if not value <= factor * most
    ]
    if bad:
        raise ValueError(
            f"the exported {precision} file differs from torch: {', '.join(bad)}; it was not kept"
        )
