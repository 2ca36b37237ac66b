"""Checkpoints that say what they are, loaded without Hydra or Lightning."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from blazepose import __version__
from blazepose.data.annotation import Source
from blazepose.models.landmark_net import LandmarkNet
from blazepose.topology import OUTPUTS
from blazepose.whole_file import whole_file

_PREFIX = "net."
"""Of the network's tensors in the state of a training.landmark_module.LandmarkModule."""


class Checkpoint(NamedTuple):
    """What a checkpoint file holds.

    Attributes:
        about: plain facts: task, model, wiring, topology, input, trained outputs, data, recipe, version.
        weights: the network's state, averaged over the last steps where averaging was on.
    """

    about: dict[str, Any]
    weights: dict[str, Tensor]


def describe_landmark_net(
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
    spec = net.input_spec
    if init is not None:
        init = {key: init[key] for key in ("trained", "data", "init", "sha256", "blend") if key in init}
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
        "input": {"size": spec.size, "low": spec.low, "high": spec.high},
        "trained": trained,
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


def write_checkpoint(path: Path, net: LandmarkNet, about: Mapping[str, Any]) -> None:
    """Write weights with what they say of themselves, as a training does, but without its optimiser."""
    state = {f"{_PREFIX}{name}": value for name, value in net.state_dict().items()}
    with whole_file(path) as part:
        torch.save({"blazepose": dict(about), "state_dict": state}, part)


def read_checkpoint(path: Path, to_go_on: bool = False) -> Checkpoint:
    """Read a checkpoint of ours.

    Args:
        path: the file.
        to_go_on: its training shall go on, for which weights alone are not enough.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is truncated, no checkpoint, none of this project's, or not enough.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; name a .ckpt that train.py wrote")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint: it is damaged or something else; "
            "use the run's other checkpoint (best.ckpt, last.ckpt)"
        ) from error
    if not isinstance(content, dict) or "blazepose" not in content or "state_dict" not in content:
        raise ValueError(f"{path} is no checkpoint of blazepose: it does not say what it is")
    if to_go_on and "optimizer_states" not in content:
        raise ValueError(f"{path} holds weights alone, so no run can go on; init={path} starts a new one")
    state = content["state_dict"].items()
    weights = {name.removeprefix(_PREFIX): value for name, value in state if name.startswith(_PREFIX)}
    return Checkpoint(content["blazepose"], weights)


def load_weights(net: LandmarkNet, checkpoint: Checkpoint, path: Path) -> None:
    """Put a checkpoint's weights into a network of the same kind; everything accounted for.

    Raises:
        ValueError: on another topology, model, or any missing, unexpected or differently shaped tensor.
    """
    about, weights = checkpoint
    if about["topology"] != list(OUTPUTS):
        raise ValueError(
            f"{path} was trained for another set of {len(about['topology'])} points than our {len(OUTPUTS)}"
        )
    own = net.state_dict()
    if wrong := sorted(
        set(own.keys() ^ weights.keys())
        | {name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape}
    ):
        raise ValueError(
            f"{path} holds {about['model']} in the {about['wiring']} wiring, not the {net.variant.name} "
            f"asked for: {len(wrong)} tensors do not fit, first {wrong[0]}; its own network is "
            f"model={about['model']} model.wiring={about['wiring']}"
        )
    net.load_state_dict(weights, strict=True)
