"""Checkpoints that say what they are, loaded without Hydra or Lightning."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from blazepose import __version__
from blazepose.anchors import ALIGNMENT_POINTS
from blazepose.atomic import atomic_path
from blazepose.data.annotation import Source
from blazepose.file_content import check_file, first_line, unreadable
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import InputSpec
from blazepose.topology import OUTPUTS

_PREFIX = "net."
"""Of the network's tensors in the state of a training.landmark_module.LandmarkModule."""


class Checkpoint(NamedTuple):
    """What a checkpoint file holds.

    Attributes:
        about: plain facts: task, model, wiring, topology, input, trained outputs, data, recipe, version.
        weights: the network's state, averaged over the last steps where averaging was on.
    """

    metadata: dict[str, Any]
    weights: dict[str, Tensor]


def landmark_metadata(
    net: LandmarkNet,
    wiring: str,
    trained: dict[str, list[str]],
    sources: dict[str, list[Source]],
    recipe: dict,
    init: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts that travel with weights (interface.md, Definitions); plain values only.

    Args:
        net: the network.
        wiring: "mediapipe" or "paper".
        trained: what the labels can teach (data.datamodule.trained_outputs).
        sources: {"train": [...], "val": [...]}.
        recipe: the resolved training configuration.
        init: what the weights that the training starts from say of themselves: they bring along what they
            learned, and the licences of what they learned it from.
    """
    if init is not None:
        learned = init["trained"]
        trained = {
            kind: list(dict.fromkeys([*learned.get(kind, []), *names])) for kind, names in trained.items()
        }
    return {
        "task": "landmark",
        "model": net.variant.name,
        "wiring": wiring,
        "gradient_stop": net.gradient_stop,
        "topology": list(OUTPUTS),
        "trained": trained,
        **_origin(net.input_spec, sources, recipe, init),
    }


def detector_metadata(
    net: DetectorNet,
    sources: dict[str, list[Source]],
    recipe: dict,
    init: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts that travel with a detector's weights; arguments as of landmark_metadata."""
    return {
        "task": "detector",
        "model": "detector",
        "topology": list(ALIGNMENT_POINTS),
        "trained": {"outputs": ["scores", "boxes"]},
        **_origin(net.input_spec, sources, recipe, init),
    }


def _origin(
    spec: InputSpec, sources: dict[str, list[Source]], recipe: dict, init: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What weights of both kinds say of where they come from."""
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
                    "licence": source.licence,
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
    """Write weights with what they say of themselves, as a training does, but without its optimizer."""
    state = {f"{_PREFIX}{name}": value for name, value in net.state_dict().items()}
    with atomic_path(path) as part:
        torch.save({"blazepose": dict(metadata), "state_dict": state}, part)


def read_checkpoint(path: Path, for_resume: bool = False) -> Checkpoint:
    """Read a checkpoint of ours.

    Args:
        path: the file.
        for_resume: its training shall go on, for which weights alone are not enough.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it cannot be read, is no checkpoint of this project, or not enough.
    """
    check_file(path, "a checkpoint", "name a .ckpt that train.py wrote")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise anything for a damaged file
        raise _unreadable(path, error) from error
    if not isinstance(content, dict) or "blazepose" not in content or "state_dict" not in content:
        raise ValueError(f"{path} is no checkpoint of blazepose: it does not say what it is")
    if for_resume and "optimizer_states" not in content:
        raise ValueError(f"{path} holds weights alone, so no run can go on; init={path} starts a new one")
    state = content["state_dict"].items()
    weights = {name.removeprefix(_PREFIX): value for name, value in state if name.startswith(_PREFIX)}
    return Checkpoint(content["blazepose"], weights)


def _unreadable(path: Path, error: Exception) -> ValueError:
    """Pass on what torch reported, without its advice for files of other kinds."""
    other = path.with_name({"best.ckpt": "last.ckpt", "last.ckpt": "best.ckpt"}.get(path.name, path.name))
    next_step = f"{other} is the other checkpoint of this run" if other != path and other.is_file() else None
    if "Unsupported global" in str(error):
        next_step = "name a .ckpt that train.py wrote"
    reason = str(error).partition("WeightsUnpickler error:")[2].strip() or first_line(error)
    reason = re.sub(r"^\[enforce fail at .*?\] \. ", "", reason.splitlines()[0])
    return unreadable(path, "a checkpoint", reason.split(". ")[0], next_step)


def load_weights(net: LandmarkNet | DetectorNet, checkpoint: Checkpoint, path: Path) -> None:
    """Put a checkpoint's weights into a network of the same kind; everything accounted for.

    Raises:
        ValueError: on another topology, model, or any missing, unexpected or differently shaped tensor.
    """
    metadata, weights = checkpoint
    name, topology = (
        (net.variant.name, OUTPUTS) if isinstance(net, LandmarkNet) else ("detector", ALIGNMENT_POINTS)
    )
    if metadata["topology"] != list(topology):
        raise ValueError(
            f"{path} was trained for another set of {len(metadata['topology'])} points than our {len(topology)}"
        )
    own = net.state_dict()
    if wrong := sorted(
        set(own.keys() ^ weights.keys())
        | {name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape}
    ):
        wired = f" in the {metadata['wiring']} wiring" if "wiring" in metadata else ""
        own_network = f"model={metadata['model']}" + (f" model.wiring={metadata['wiring']}" if wired else "")
        raise ValueError(
            f"{path} holds {metadata['model']}{wired}, not the {name} "
            f"asked for: {len(wrong)} tensors do not fit, first {wrong[0]}; its own network is {own_network}"
        )
    net.load_state_dict(weights, strict=True)
