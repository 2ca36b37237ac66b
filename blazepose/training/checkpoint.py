"""Checkpoints with metadata, read and written without Hydra or Lightning."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from blazepose import __version__
from blazepose.anchors import ALIGNMENT_POINTS
from blazepose.atomic import atomic_path
from blazepose.data.annotation import Source
from blazepose.decoding import Decoding
from blazepose.exceptions import InputError
from blazepose.file_content import check_file, first_line, unreadable
from blazepose.input_spec import InputSpec
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import topology_of_outputs
from blazepose.topology import Topology

_PREFIX = "net."
"""Prefix of the network's tensors in the state of a training.landmark_module.LandmarkModule."""


class Checkpoint(NamedTuple):
    """Content of a checkpoint file.

    Attributes:
        metadata: plain values: task, model, wiring, topology, input, trained outputs, data, recipe, version.
        weights: state dict of the network, averaged over the last steps where averaging was on.
    """

    metadata: dict[str, Any]
    weights: dict[str, Tensor]


def landmark_metadata(
    net: LandmarkNet,
    wiring: str,
    supervised: SupervisedOutputs,
    sources: dict[str, list[Source]],
    recipe: dict,
    init: Mapping[str, Any] | None = None,
    decoding: Decoding = "mediapipe",
    teacher: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the metadata of landmark weights (docs/reference/files.md, Weights); plain values only.

    Args:
        net: the network.
        wiring: "mediapipe" or "paper".
        supervised: outputs that the training supervises (training.stages.supervised_by).
        sources: {"train": [...], "val": [...]}.
        recipe: the resolved training configuration.
        init: metadata of the initial weights, whose supervised outputs and data licenses are added.
        decoding: decoding that the weights are made for.
        teacher: metadata of the teacher (training.teacher), whose supervised outputs are added.
    """
    for origin in filter(None, (init, teacher)):
        before = SupervisedOutputs.from_metadata(origin["trained"], net.topology)
        supervised = before.merge(supervised)
    if net.tower.world is None:
        supervised = supervised.without("world")
    return {
        "task": "landmark",
        "model": net.variant.name,
        "wiring": wiring,
        "gradient_stop": net.gradient_stop,
        "topology": list(net.topology.outputs),
        "trained": supervised.as_metadata(),
        "decoding": decoding,
        "teacher": teacher,
        **_shared_metadata(net.input_spec, sources, recipe, init),
    }


def detector_metadata(
    net: DetectorNet,
    sources: dict[str, list[Source]],
    recipe: dict,
    init: Mapping[str, Any] | None = None,
    points: Sequence[str] = ALIGNMENT_POINTS,
) -> dict[str, Any]:
    """Return the metadata of a detector's weights.

    Args:
        net: the network.
        sources: {"train": [...], "val": [...]}.
        recipe: the resolved training configuration.
        init: metadata of the initial weights, whose trained points are added.
        points: alignment points that the training supervises. The metadata name the trained ones only if
            some are not.
    """
    before = init.get("trained", {}).get("points", ALIGNMENT_POINTS) if init else ()
    trained = [name for name in ALIGNMENT_POINTS if name in points or name in before]
    return {
        "task": "detector",
        "model": net.variant.name,
        "topology": list(ALIGNMENT_POINTS),
        "trained": {
            "outputs": ["scores", "boxes"],
            **({"points": trained} if len(trained) < len(ALIGNMENT_POINTS) else {}),
        },
        **_shared_metadata(net.input_spec, sources, recipe, init),
    }


def _shared_metadata(
    spec: InputSpec, sources: dict[str, list[Source]], recipe: dict, init: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the metadata that both networks have: input, data, initial weights, recipe and version."""
    if init is not None:
        init = {key: init[key] for key in ("trained", "data", "init", "sha256", "blend") if key in init}
    return {
        "input": {"size": spec.size, "low": spec.low, "high": spec.high},
        "data": {
            split: [
                {
                    "name": source.name,
                    "people": len(source.annotations),
                    "left_out": source.left_out,
                    "licence": source.license,
                }
                for source in used
            ]
            for split, used in sources.items()
        },
        "init": init,
        "recipe": recipe,
        "version": __version__,
    }


def write_checkpoint(path: Path, net: LandmarkNet | DetectorNet, metadata: Mapping[str, Any]) -> None:
    """Write weights and metadata as a training does, but without the optimizer state."""
    state = {f"{_PREFIX}{name}": value for name, value in net.state_dict().items()}
    with atomic_path(path) as part:
        torch.save({"blazepose": dict(metadata), "state_dict": state}, part)


def read_checkpoint(path: Path, for_resume: bool = False) -> Checkpoint:
    """Read a checkpoint of this project.

    Args:
        path: the file.
        for_resume: require the optimizer state, too.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it cannot be read, is no checkpoint of this project, or lacks the optimizer state.
    """
    check_file(path, "a checkpoint", "name a .ckpt that blazepose train wrote")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise anything for a damaged file
        raise _unreadable(path, error) from error
    if not isinstance(content, dict) or "blazepose" not in content or "state_dict" not in content:
        raise InputError(f"{path} is not a blazepose checkpoint: it has no blazepose metadata")
    if for_resume and "optimizer_states" not in content:
        raise InputError(
            f"{path} has no optimizer state, so it cannot be resumed; init={path} starts a new run"
        )
    state = content["state_dict"].items()
    weights = {name.removeprefix(_PREFIX): value for name, value in state if name.startswith(_PREFIX)}
    return Checkpoint(content["blazepose"], weights)


def _unreadable(path: Path, error: Exception) -> ValueError:
    """Return the error of torch.load without its advice for other kinds of files."""
    other = path.with_name({"best.ckpt": "last.ckpt", "last.ckpt": "best.ckpt"}.get(path.name, path.name))
    next_step = f"{other} is the other checkpoint of this run" if other != path and other.is_file() else None
    if "Unsupported global" in str(error):
        next_step = "name a .ckpt that blazepose train wrote"
    reason = str(error).partition("WeightsUnpickler error:")[2].strip() or first_line(error)
    reason = re.sub(r"^\[enforce fail at .*?\] \. ", "", reason.splitlines()[0])
    return unreadable(path, "a checkpoint", reason.split(". ")[0], next_step)


def load_weights(net: LandmarkNet | DetectorNet, checkpoint: Checkpoint, path: Path) -> None:
    """Load a checkpoint's weights into a network of the same kind, strictly.

    Raises:
        ValueError: on another topology or model, or a missing, unexpected or differently shaped tensor.
    """
    metadata, weights = checkpoint
    name = net.variant.name
    points = net.topology.outputs if isinstance(net, LandmarkNet) else ALIGNMENT_POINTS
    if metadata["topology"] != list(points):
        raise InputError(_other_points(metadata["topology"], net, path))
    expected = net.state_dict()
    if mismatched := sorted(
        set(expected.keys() ^ weights.keys())
        | {name for name in expected.keys() & weights.keys() if expected[name].shape != weights[name].shape}
    ):
        wiring = f" in the {metadata['wiring']} wiring" if "wiring" in metadata else ""
        options = f"model={metadata['model']}" + (f" model.wiring={metadata['wiring']}" if wiring else "")
        raise InputError(
            f"{path} holds {metadata['model']}{wiring}, which does not fit this network, {name}: "
            f"{len(mismatched)} tensors do not match, "
            f"first {mismatched[0]}; use {options}"
        )
    net.load_state_dict(weights, strict=True)


def read_topology(metadata: Mapping[str, Any], path: Path) -> Topology:
    """Return the topology of landmark weights.

    Raises:
        ValueError: if it is none of blazepose.topologies; names the file.
    """
    try:
        return topology_of_outputs(metadata["topology"])
    except ValueError as error:
        raise InputError(f"{path} cannot be used: {error}") from error


def _other_points(points: list[str], net: LandmarkNet | DetectorNet, path: Path) -> str:
    """Return the message about weights with other points than those of the network."""
    if isinstance(net, DetectorNet):
        return f"{path} was trained for {len(points)} points; this network has {len(ALIGNMENT_POINTS)}"
    topology = read_topology({"topology": points}, path)
    return (
        f"{path} has the {topology.num_landmarks} landmarks of {topology.name}, this network the "
        f"{net.topology.num_landmarks} of {net.topology.name}: name other weights, or set "
        f"model.topology={topology.name}"
    )


def require_unchanged(file: Path, sha256: str, before: Mapping[str, Any], role: str) -> None:
    """Check that a file that a run reads again is the one that it began with.

    Args:
        file: the file.
        sha256: its checksum now.
        before: what the checkpoints of the run state about it.
        role: what it is of the run, as in the message.

    Raises:
        ValueError: if it has changed.
    """
    if sha256 != before["sha256"]:
        raise InputError(
            f"{file}, {role} of this run, has changed since the run started (sha256 differs). Restore it, or "
            "start a new run"
        )
