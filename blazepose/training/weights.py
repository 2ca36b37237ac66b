"""Trained networks from checkpoints, Google's files and exported files."""

from pathlib import Path
from typing import Any, Literal

from blazepose.atomic import file_sha256
from blazepose.data.annotation import Source
from blazepose.exceptions import InputError
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.models.variants import VARIANTS, detector_variant, landmark_variant
from blazepose.runtime.inference_sessions import tflite_metadata
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite
from blazepose.training.checkpoint import (
    Checkpoint,
    detector_metadata,
    landmark_metadata,
    load_weights,
    read_checkpoint,
    read_topology,
)

IMPORTED = (".task", ".tflite")
"""Suffixes of files whose network is recognized by its structure."""

Task = Literal["landmark", "detector"]
ENTRIES: dict[Task, str] = {"landmark": LANDMARKS_ENTRY, "detector": DETECTOR_ENTRY}
"""Names of the networks in a bundle."""

_KINDS: dict[str, str] = {"landmark": "a landmark network", "detector": "a pose detector"}

PUBLISHED: dict[str, Any] = {"published by": "Google"}
"""Recipe of weights without metadata."""

_GOOGLES = "MediaPipe Pose by Google (Apache-2.0)"


def detect_task(path: Path) -> Task:
    """Return the task of a file's network; of a bundle, that of the landmark network.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, or holds another network.
    """
    if path.suffix != ".tflite":
        return "landmark" if path.suffix in (".task", ".onnx") else read_checkpoint(path).metadata["task"]
    return _task(_import(path, read_tflite(path, LANDMARKS_ENTRY)))


def read_weights(path: Path, task: Task = "landmark") -> Checkpoint:
    """Read the metadata and weights of a file.

    Args:
        path: `.ckpt`, `.task` or `.tflite`.
        task: network to take from a bundle, or to require of another file.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, or holds no such network.
    """
    if path.suffix == ".onnx":
        raise InputError(
            f"{path}: ONNX files cannot be read; name the checkpoint or .tflite it was exported from"
        )
    if path.suffix not in IMPORTED:
        checkpoint = read_checkpoint(path)
        _require_task(path, checkpoint.metadata["task"], task)
        return checkpoint
    content = read_tflite(path, ENTRIES[task])
    net = _import(path, content)
    _require_task(path, _task(net), task)
    return Checkpoint(dict(tflite_metadata(content)) or _metadata(net, path), net.state_dict())


def _import(path: Path, content: bytes) -> LandmarkNet | DetectorNet:
    try:
        return load_tflite(content)
    except ValueError as error:
        raise InputError(f"{path} cannot be imported: {error}") from error


def _task(net: LandmarkNet | DetectorNet) -> Task:
    return "landmark" if isinstance(net, LandmarkNet) else "detector"


def _require_task(path: Path, actual: str, task: Task) -> None:
    if actual != task:
        raise InputError(f"{path} holds {_KINDS[actual]}; {_KINDS[task]} is needed here")


def _metadata(net: LandmarkNet | DetectorNet, path: Path) -> dict[str, Any]:
    """Return metadata for a file without any: Google's, with all outputs of the file trained."""
    metadata = (
        _landmark_metadata(net)
        if isinstance(net, LandmarkNet)
        else detector_metadata(net, {"train": [], "val": []}, PUBLISHED)
    )
    metadata["data"]["train"] = [{"name": path.name, "people": 0, "left_out": {}, "licence": _GOOGLES}]
    return metadata


def _landmark_metadata(net: LandmarkNet) -> dict[str, Any]:
    variant = net.variant
    wiring = next(key for key, each in VARIANTS[variant.name].items() if each == variant)
    supervised = SupervisedOutputs.everything(topology=net.topology)
    if not variant.full_contract:
        supervised = supervised.without("heatmaps", "world")
    sources: dict[str, list[Source]] = {"train": [], "val": []}
    return landmark_metadata(net, wiring, supervised, sources, PUBLISHED, decoding=variant.default_decoding)


def load_model(path: str | Path) -> LandmarkNet | DetectorNet:
    """Load the network of a file, in eval mode.

    Args:
        path: `.ckpt`, `.tflite` or `.task`; a bundle's landmark network is loaded.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or contains another network.

    Examples:
        >>> import torch
        >>> from blazepose import load_model
        >>> net = load_model("lite.ckpt")
        >>> with torch.inference_mode():
        ...     outputs = net(torch.zeros(1, 3, 256, 256))
        >>> outputs.landmarks.shape  # 39 points: x, y and z in crop pixels, logits of visibility and presence
        torch.Size([1, 39, 5])
    """
    path = Path(path).expanduser()
    return open_detector_net(path)[0] if detect_task(path) == "detector" else load_landmark_net(path)


def load_landmark_net(path: Path) -> LandmarkNet:
    """Load the landmark network of a file, in eval mode; raises as open_landmark_net."""
    return open_landmark_net(path)[0]


def open_landmark_net(path: Path) -> tuple[LandmarkNet, dict[str, Any]]:
    """Load the landmark network of a file, in eval mode, and its metadata.

    Raises:
        ValueError: if it is of another task or topology, or its tensors do not match the network.
    """
    metadata, weights = read_weights(path)
    variant = landmark_variant(metadata["model"], metadata["wiring"])
    net = LandmarkNet(variant, metadata["gradient_stop"], read_topology(metadata, path))
    load_weights(net, Checkpoint(metadata, weights), path)
    return net.eval(), metadata


def open_detector_net(path: Path) -> tuple[DetectorNet, dict[str, Any]]:
    """Load the detector of a file, in eval mode, and its metadata; raises as open_landmark_net."""
    checkpoint = read_weights(path, "detector")
    net = DetectorNet(detector_variant(checkpoint.metadata["model"]))
    load_weights(net, checkpoint, path)
    return net.eval(), checkpoint.metadata


def load_initial_weights(net: LandmarkNet | DetectorNet, path: Path) -> dict[str, Any]:
    """Load the weights of a file of the same model into a network, for a new training.

    Returns:
        Metadata of the file.

    Raises:
        ValueError: if the file is of another task, model or topology.
    """
    checkpoint = read_weights(path, _task(net))
    try:
        load_weights(net, checkpoint, path)
    except ValueError as error:
        same_model = path.suffix in IMPORTED and checkpoint.metadata["model"] == net.variant.name
        hint = "; experiment=finetune is the recipe for such files" if same_model else ""
        raise InputError(f"{error}{hint}") from error
    return {**checkpoint.metadata, "sha256": file_sha256(path)}
