"""Export of a landmark network: from a checkpoint to a verified file."""

from pathlib import Path
from typing import Any

import torch

from blazepose.atomic import atomic_path
from blazepose.decoding import check_trained_for, default_decoding
from blazepose.evaluation.engine_registry import TorchEngine
from blazepose.exceptions import ExistingFileError, InputError
from blazepose.export.export_module import ExportModule, GraphDecoding, Precision, metadata_json
from blazepose.export.rounding import fit_to_precision
from blazepose.export.targets import TARGETS
from blazepose.export.task import find_detector, read_detector
from blazepose.export.tasks_form import has_tasks_form, landmark_net_for_tasks
from blazepose.export.verification_images import landmark_images
from blazepose.export.verify import Verification, check_tolerance, differences
from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from blazepose.topologies import FULL_BODY
from blazepose.training.weights import open_landmark_net


def export_landmark_net(
    weights: Path,
    target: str,
    precision: Precision,
    out: Path,
    images: Path | None = None,
    detector: Path | None = None,
    decoding: GraphDecoding | None = None,
) -> tuple[dict[str, Any], Verification]:
    """Convert, verify, and only then write the file.

    Args:
        weights: a checkpoint, `.tflite` or `.task` file.
        target: one of TARGETS.
        precision: precision of the stored weights.
        out: the file to write; must not exist.
        images: folder of images to verify on; None takes crops of the people in the checkpoint's validation
            data.
        detector: the file whose detector goes into a bundle; None takes the detector of the bundle that
            holds the weights, or that they were initialized from.
        decoding: source of the landmarks' x and y in the graph; None takes the one that the weights are made
            for (decoding.default_decoding).

    Returns:
        The file's metadata, and its differences to torch.

    Raises:
        FileExistsError: if `out` exists.
        ValueError: if the file differs from torch by more than the tolerance, or the target has no place for
            the network's outputs.

    Examples:
        >>> from pathlib import Path
        >>> from blazepose.export.landmark_export import export_landmark_net
        >>> metadata, verification = export_landmark_net(
        ...     Path("lite.ckpt"), "onnx", "fp32", Path("lite.onnx"), images=Path("photos")
        ... )
        >>> metadata["model"], verification.worst.landmarks_px < 0.05  # pixels of the crop
        ('lite', True)
        >>> Path("lite.onnx").is_file()
        True
    """
    if out.exists():
        raise ExistingFileError(f"{out} exists; choose another --out, or delete it first")
    original, metadata = open_landmark_net(weights)
    if not has_tasks_form(original):
        _check_fits(original, weights, target, precision)
    decoding = decoding or ("heatmap" if default_decoding(metadata) == "heatmap" else "regression")
    check_trained_for(decoding, metadata)
    crops = landmark_images(metadata, precision, images, lambda: TorchEngine(weights))
    trained = SupervisedOutputs.from_metadata(metadata["trained"], original.topology)
    metadata = {**metadata, "decoding": decoding}
    detector_content = None
    if target == "task":
        user_detector = find_detector(detector, weights, metadata)
        detector_content = read_detector(user_detector, images, original.topology)
        if not has_tasks_form(original):
            original = landmark_net_for_tasks(original, trained.has_heatmaps)
            metadata["topology"] = list(original.topology.outputs)
    if decoding == "heatmap":
        original.decode_by_heatmaps()
    elif not original.variant.full_contract:
        metadata["trained"] = trained.without("heatmaps").as_metadata()
    net = ExportModule(original)
    if precision != "fp32":
        net = fit_to_precision(net, precision, torch.from_numpy(crops.fit).float() / 255)
    with atomic_path(out) as draft:
        TARGETS[target].convert(net, precision, metadata_json(metadata, precision), draft)
        if detector_content:
            draft.write_bytes(pack({DETECTOR_ENTRY: detector_content, LANDMARKS_ENTRY: draft.read_bytes()}))
        # Compared with the trained network, so that folding is verified too.
        verification = differences(TARGETS[target].open_landmarks(draft), original, crops.test)
        check_tolerance(verification, precision, decoded=decoding == "heatmap")
    return metadata, verification


def _check_fits(net: LandmarkNet, weights: Path, target: str, precision: Precision) -> None:
    """Check that a target takes a network without MediaPipe's 39 points and five outputs.

    Raises:
        ValueError: if it does not; names the targets that do.
    """
    name, topology = net.variant.name, net.topology
    form = f"{weights} is {name} with the {topology.num_landmarks} landmarks of {topology.name}"
    if target == "coreml":
        raise InputError(
            f"{form}; Core ML packages have the 33 landmarks and five outputs of lite, full and heavy: "
            "choose --target tflite or onnx"
        )
    if target == "task" and not set(topology.landmarks) <= set(FULL_BODY.landmarks):
        raise InputError(
            f"{form}; MediaPipe Tasks, which load a .task, know 33 others: choose --target tflite or onnx"
        )
    if target == "task" and precision.startswith("int8"):
        raise InputError(f"{form}; a .task of it is written in fp16 or fp32: choose --precision fp16")
