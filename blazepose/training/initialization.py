"""Where a training begins: anew, from other weights, or where it was cut off."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from blazepose.atomic import file_sha256
from blazepose.data.datamodule import Samples
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.precise_bn import precise_bn
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.runs import resolve_weights
from blazepose.training.weights import IMPORTED, load_initial_weights, load_landmark_net

_CALIBRATION, _BATCH = 256, 32
"""Crops that BatchNorm's statistics are estimated on. Chosen: more move them by less than a hundredth."""


class InitialState(NamedTuple):
    """What a training starts from.

    Attributes:
        about: what the weights say of themselves; None where it begins anew.
        teacher: the network before the training, if it is to keep what nobody labelled.
    """

    metadata: dict[str, Any] | None
    teacher: LandmarkNet | None


def initialize(
    net: LandmarkNet | DetectorNet, init: str | None, train_set: Samples, keep: bool, resumed: Path | None
) -> InitialState:
    """Put weights into a network, with BatchNorm statistics of the training's pictures where they have none.

    Args:
        net: new; a training that goes on gets its weights from the checkpoint later.
        init: file or run folder to start from.
        train_set: to take pictures from.
        keep: a teacher is needed; of landmark networks only.
        resumed: checkpoint of a training that goes on.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it does not fit, or if there is nothing to keep.
    """
    if init is None:
        if keep:
            raise ValueError(
                "loss.distill keeps what the weights of init= say; name some, or set loss.distill=0"
            )
        return InitialState(None, None)
    if resumed:
        metadata = read_checkpoint(resumed).metadata["init"]
        return InitialState(metadata, _same_teacher(init, metadata) if keep else None)
    path = resolve_weights(init, "init=")
    metadata = load_initial_weights(net, path)
    teacher = copy.deepcopy(net).eval() if keep and isinstance(net, LandmarkNet) else None
    if path.suffix in IMPORTED:
        prepare = network_input if isinstance(net, LandmarkNet) else detector_input
        precise_bn(net.eval(), map(prepare, _pictures(train_set)))
    return InitialState(metadata, teacher)


def describe_initialization(start: InitialState, init: str | None, optimizer: OptimizerConfig) -> list[str]:
    """What to know of weights that a training starts from, a line each."""
    lines = []
    if start.metadata and init and Path(init).suffix in IMPORTED and not optimizer.norm_eval:
        recipe = "finetune_detector" if start.metadata["task"] == "detector" else "finetune"
        lines.append(
            "WARNING: this recipe trains as from scratch and soon forgets what published weights know; "
            f"experiment={recipe} is made for them"
        )
    if start.teacher:
        lines.append(f"held near to what {init} says: whatever is not labelled")
    return lines


def _same_teacher(init: str, metadata: Mapping[str, Any]) -> LandmarkNet:
    """The teacher of a training that goes on.

    Raises:
        ValueError: if the file has become another one.
    """
    path = resolve_weights(init, "init=")
    if file_sha256(path) != metadata["sha256"]:
        raise ValueError(
            f"{path} is not what it was when this training began, and keeps it from forgetting; restore the "
            "file, or start anew"
        )
    return load_landmark_net(path)


def _pictures(train_set: Samples) -> Iterator[Tensor]:
    """Batches of training pictures, uint8, from all over the set."""
    picks = np.unique(np.linspace(0, len(train_set) - 1, _CALIBRATION).astype(int))
    batches = [picks[k : k + _BATCH] for k in range(0, len(picks), _BATCH)]
    for batch in tqdm(batches, desc="statistics of activations", unit=" batches", disable=None):
        images = np.stack([train_set[int(k)]["image"] for k in batch])
        yield torch.from_numpy(images)
