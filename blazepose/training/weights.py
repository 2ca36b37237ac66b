"""Trained landmark networks: our checkpoints, Google's files, and files that we exported."""

from pathlib import Path
from typing import Any

from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.published import import_net
from blazepose.models.variants import VARIANTS, landmark_variant
from blazepose.runtime.engines import tflite_metadata
from blazepose.task_bundle import LANDMARKS, read_tflite
from blazepose.topology import LANDMARKS as LANDMARK_NAMES
from blazepose.training.checkpoint import (
    Checkpoint,
    describe_landmark_net,
    load_weights,
    read_checkpoint,
)
from blazepose.training.stages import HEADS

IMPORTED = (".task", ".tflite")
"""Files that are read by structure."""

_GOOGLES = "MediaPipe Pose by Google (Apache-2.0)"


def read_weights(path: Path) -> Checkpoint:
    """What a file says of itself, and its weights.

    Args:
        path: `.ckpt`, `.task` or `.tflite`.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, or no landmark network.
    """
    if path.suffix not in IMPORTED:
        return read_checkpoint(path)
    content = read_tflite(path, LANDMARKS)
    try:
        net = import_net(content)
    except ValueError as error:
        raise ValueError(f"{path} cannot be imported: {error}") from error
    if not isinstance(net, LandmarkNet):
        raise ValueError(f"{path} holds a pose detector; a landmark network is needed here")
    return Checkpoint(dict(tflite_metadata(content)) or _about(net, path), net.state_dict())


def _about(net: LandmarkNet, path: Path) -> dict[str, Any]:
    """What is known of a file that says nothing of itself: Google's, trained for everything."""
    names = list(LANDMARK_NAMES)
    trained = {
        "landmarks": names,
        "visibility": names,
        "heatmaps": names,
        "outputs": ["heatmaps", *HEADS],
    }
    wiring = next(key for key, variant in VARIANTS[net.variant.name].items() if variant == net.variant)
    about = describe_landmark_net(net, wiring, trained, {"train": [], "val": []}, {})
    about["data"]["train"] = [{"name": path.name, "people": 0, "left_out": {}, "licence": _GOOGLES}]
    return about


def load_landmark_net(path: Path) -> LandmarkNet:
    """The landmark network of a file, in eval mode.

    Raises:
        ValueError: if it is of another task or topology, or its tensors are not the network's.
    """
    about, weights = read_weights(path)
    if about["task"] != "landmark":
        raise ValueError(f"{path} holds a {about['task']} network; a landmark network is needed here")
    net = LandmarkNet(landmark_variant(about["model"], about["wiring"]), about["gradient_stop"])
    load_weights(net, Checkpoint(about, weights), path)
    return net.eval()


def load_initial_weights(net: LandmarkNet, path: Path) -> dict[str, Any]:
    """Start a new training from the weights of a file of the same model.

    Returns:
        What the file says of itself.

    Raises:
        ValueError: if the file is of another kind, model or topology.
    """
    weights = read_weights(path)
    load_weights(net, weights, path)
    return weights.about
