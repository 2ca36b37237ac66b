"""Trained networks: our checkpoints, Google's files, and files that we exported."""

from pathlib import Path
from typing import Any, Literal

from blazepose.atomic import file_sha256
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.models.variants import VARIANTS, landmark_variant
from blazepose.runtime.inference_sessions import tflite_metadata
from blazepose.task_bundle import DETECTOR, LANDMARKS, read_tflite
from blazepose.topology import LANDMARKS as LANDMARK_NAMES
from blazepose.training.checkpoint import (
    Checkpoint,
    detector_metadata,
    landmark_metadata,
    load_weights,
    read_checkpoint,
)
from blazepose.training.supervised_outputs import HEADS

IMPORTED = (".task", ".tflite")
"""Files that are read by structure."""

Task = Literal["landmark", "detector"]
ENTRIES: dict[Task, str] = {"landmark": LANDMARKS, "detector": DETECTOR}
"""Of a bundle."""

_KINDS: dict[str, str] = {"landmark": "a landmark network", "detector": "a pose detector"}

PUBLISHED: dict[str, Any] = {"published by": "Google"}
"""The recipe of weights that say nothing of themselves."""

_GOOGLES = "MediaPipe Pose by Google (Apache-2.0)"


def detect_task(path: Path) -> Task:
    """Which network a file is exported from: of a bundle, the landmark network.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, or holds none of ours.
    """
    if path.suffix != ".tflite":
        return "landmark" if path.suffix in (".task", ".onnx") else read_checkpoint(path).metadata["task"]
    return _task(_import(path, read_tflite(path, LANDMARKS)))


def read_weights(path: Path, task: Task = "landmark") -> Checkpoint:
    """What a file says of itself, and its weights.

    Args:
        path: `.ckpt`, `.task` or `.tflite`.
        task: which network of a bundle, or what a file has to hold.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, or holds no network of this kind.
    """
    if path.suffix == ".onnx":
        raise ValueError(f"{path}: ONNX files are not read back; name the checkpoint or .tflite it came from")
    if path.suffix not in IMPORTED:
        found = read_checkpoint(path)
        _require_task(path, found.metadata["task"], task)
        return found
    content = read_tflite(path, ENTRIES[task])
    net = _import(path, content)
    _require_task(path, _task(net), task)
    return Checkpoint(dict(tflite_metadata(content)) or _metadata(net, path), net.state_dict())


def _import(path: Path, content: bytes) -> LandmarkNet | DetectorNet:
    try:
        return load_tflite(content)
    except ValueError as error:
        raise ValueError(f"{path} cannot be imported: {error}") from error


def _task(net: LandmarkNet | DetectorNet) -> Task:
    return "landmark" if isinstance(net, LandmarkNet) else "detector"


def _require_task(path: Path, held: str, task: Task) -> None:
    if held != task:
        raise ValueError(f"{path} holds {_KINDS[held]}; {_KINDS[task]} is needed here")


def _metadata(net: LandmarkNet | DetectorNet, path: Path) -> dict[str, Any]:
    """What is known of a file that says nothing of itself: Google's, trained for everything."""
    metadata = (
        _landmark_metadata(net)
        if isinstance(net, LandmarkNet)
        else detector_metadata(net, {"train": [], "val": []}, PUBLISHED)
    )
    metadata["data"]["train"] = [{"name": path.name, "people": 0, "left_out": {}, "licence": _GOOGLES}]
    return metadata


def _landmark_metadata(net: LandmarkNet) -> dict[str, Any]:
    names = list(LANDMARK_NAMES)
    trained = {
        "landmarks": names,
        "visibility": names,
        "heatmaps": names,
        "outputs": ["heatmaps", *HEADS],
    }
    wiring = next(key for key, variant in VARIANTS[net.variant.name].items() if variant == net.variant)
    return landmark_metadata(net, wiring, trained, {"train": [], "val": []}, PUBLISHED)


def load_landmark_net(path: Path) -> LandmarkNet:
    """The landmark network of a file, in eval mode; raises as open_landmark_net."""
    return open_landmark_net(path)[0]


def open_landmark_net(path: Path) -> tuple[LandmarkNet, dict[str, Any]]:
    """The landmark network of a file, in eval mode, and what the file says of itself.

    Raises:
        ValueError: if it is of another task or topology, or its tensors are not the network's.
    """
    metadata, weights = read_weights(path)
    net = LandmarkNet(landmark_variant(metadata["model"], metadata["wiring"]), metadata["gradient_stop"])
    load_weights(net, Checkpoint(metadata, weights), path)
    return net.eval(), metadata


def open_detector_net(path: Path) -> tuple[DetectorNet, dict[str, Any]]:
    """The detector of a file, in eval mode, and what the file says of itself; raises as open_landmark_net."""
    found, net = read_weights(path, "detector"), DetectorNet()
    load_weights(net, found, path)
    return net.eval(), found.metadata


def load_initial_weights(net: LandmarkNet | DetectorNet, path: Path) -> dict[str, Any]:
    """Start a new training from the weights of a file of the same model.

    Returns:
        What the file says of itself.

    Raises:
        ValueError: if the file is of another kind, model or topology.
    """
    weights = read_weights(path, _task(net))
    try:
        load_weights(net, weights, path)
    except ValueError as error:
        own = net.variant.name if isinstance(net, LandmarkNet) else "detector"
        otherwise_wired = path.suffix in IMPORTED and weights.metadata["model"] == own
        hint = "; experiment=finetune is the recipe for such files" if otherwise_wired else ""
        raise ValueError(f"{error}{hint}") from error
    return {**weights.metadata, "sha256": file_sha256(path)}
