"""From a checkpoint to a verified file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blazepose.data.align import aligned_roi
from blazepose.data.datamodule import find_pictures
from blazepose.data.filters import EVALUATION_FILTER, keep_people
from blazepose.data.readers import read_source
from blazepose.export.contract import ExportedNet, Precision, metadata_text
from blazepose.export.half import rounded_weights
from blazepose.export.onnx import convert_onnx
from blazepose.export.task import find_detector, read_detector
from blazepose.export.tflite import convert_tflite
from blazepose.export.verify import Verification, check, differences
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.task_bundle import DETECTOR, LANDMARKS, pack
from blazepose.training.weights import PUBLISHED, open_landmark_net
from blazepose.whole_file import whole_file

Converter = Callable[[ExportedNet, Precision, str], bytes]

TARGETS: Mapping[str, tuple[str, Converter]] = {
    "tflite": (".tflite", convert_tflite),
    "onnx": (".onnx", convert_onnx),
    "task": (".task", convert_tflite),
}
"""What we write: suffix and converter of the landmark network."""

_CROPS = 32
"""Chosen: the worst of 39 points on half of that many is a fair estimate of the worst, in seconds."""


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
    found_detector = None
    if target == "task":
        found_detector = read_detector(find_detector(detector, weights, about), pictures)
    net = ExportedNet(original)
    crops = real_crops(about, net.input_spec.size, pictures)
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


def real_crops(about: Mapping, size: int, pictures: Path | None) -> np.ndarray:
    """Crops to compare on, uint8 (2 to 32, size, size, 3).

    Raises:
        FileNotFoundError: if the checkpoint's people are not on this machine; says what to give instead.
        ValueError: if there is only one.
    """
    crops = _crops(about, size, pictures)
    if len(crops) < 2:
        raise ValueError("one picture is too few to verify a file on; name more with --pictures")
    return crops


def _crops(about: Mapping, size: int, pictures: Path | None) -> np.ndarray:
    if pictures is not None:
        images = [read_image(path) for path in _spread(find_pictures([str(pictures)], "--pictures"))]
        whole = [roi_to_image_matrix(letterbox_roi(*image.shape[1::-1])) for image in images]
        return np.stack([crop_image(*picture, size) for picture in zip(images, whole, strict=True)])
    data = about["data"]
    names = [source["name"] for source in data["val"] or data["train"]]
    if about.get("recipe") == PUBLISHED:
        raise FileNotFoundError(
            "the file is verified on real pictures, and published weights bring none: name a folder of "
            "pictures of people with --pictures"
        )
    try:
        annotations = [person for name in names for person in read_source(name).annotations]
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"the file is verified on real pictures, and those of the weights' own data are not here "
            f"({error}); name a folder of pictures of people with --pictures"
        ) from error
    people, _ = keep_people(annotations, EVALUATION_FILTER)
    return np.stack(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), size) for p in _spread(people)]
    )


def _spread(items: list) -> list:
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, _CROPS).astype(int))]
