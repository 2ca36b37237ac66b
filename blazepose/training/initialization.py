"""Initial weights of a training: random, of a file, or of the run that is resumed."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from blazepose.atomic import file_sha256
from blazepose.config.schedule import OptimizerConfig
from blazepose.data.datamodule import Samples
from blazepose.exceptions import InputError
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.precise_bn import precise_bn
from blazepose.runs import resolve_weights
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.weights import IMPORTED, load_initial_weights, load_landmark_net

_CALIBRATION, _BATCH = 256, 32
"""Crops for estimating BatchNorm statistics. Chosen: more change them by less than a hundredth."""


class InitialState(NamedTuple):
    """Initial state of a training.

    Attributes:
        metadata: metadata of the initial weights; None for random ones.
        teacher: the network before the training, for distillation; None without it.
    """

    metadata: dict[str, Any] | None
    teacher: LandmarkNet | None


def initialize(
    net: LandmarkNet | DetectorNet, init: str | None, train_set: Samples, distill: bool, resumed: Path | None
) -> InitialState:
    """Load initial weights into a network; if they have no BatchNorm statistics, estimate these.

    Args:
        net: new network; a resumed training loads its weights from the checkpoint later.
        init: file or run folder of the initial weights.
        train_set: training samples, for the BatchNorm statistics.
        distill: return a teacher; for landmark networks only.
        resumed: checkpoint of a resumed training.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it does not match the network, or if distillation lacks initial weights.
    """
    if init is None:
        if distill:
            raise InputError(
                "loss.distill (distillation from the initial weights) needs init=FILE. "
                "Set init=, or loss.distill=0."
            )
        return InitialState(None, None)
    if resumed:
        metadata = read_checkpoint(resumed).metadata["init"]
        return InitialState(metadata, _load_teacher(init, metadata) if distill else None)
    path = resolve_weights(init, "init=")
    metadata = load_initial_weights(net, path)
    teacher = copy.deepcopy(net).eval() if distill and isinstance(net, LandmarkNet) else None
    if path.suffix in IMPORTED:
        prepare = network_input if isinstance(net, LandmarkNet) else detector_input
        precise_bn(net.eval(), map(prepare, _calibration_batches(train_set)))
    return InitialState(metadata, teacher)


def describe_initialization(
    start: InitialState, init: str | None, optimizer_config: OptimizerConfig
) -> list[str]:
    """Return lines for the log about the initial weights."""
    lines = []
    if start.metadata and init and Path(init).suffix in IMPORTED and not optimizer_config.norm_eval:
        recipe = "finetune_detector" if start.metadata["task"] == "detector" else "finetune"
        lines.append(
            "WARNING: this recipe is for training from scratch and soon degrades published weights; "
            f"experiment={recipe} is made for them"
        )
    if start.teacher:
        lines.append(f"unlabelled outputs are distilled from {init}")
    return lines


def _load_teacher(init: str, metadata: Mapping[str, Any]) -> LandmarkNet:
    """Load the teacher of a resumed training.

    Raises:
        ValueError: if the file has changed.
    """
    path = resolve_weights(init, "init=")
    if file_sha256(path) != metadata["sha256"]:
        raise InputError(
            f"{path}, the teacher of this run, has changed since the run started (sha256 differs). "
            "Restore it, or start a new run."
        )
    return load_landmark_net(path)


def _calibration_batches(train_set: Samples) -> Iterator[Tensor]:
    """Yield batches of training images, uint8, spread over the set."""
    picks = np.unique(np.linspace(0, len(train_set) - 1, _CALIBRATION).astype(int))
    batches = [picks[k : k + _BATCH] for k in range(0, len(picks), _BATCH)]
    for batch in tqdm(batches, desc="BatchNorm statistics", unit=" batches", disable=None):
        images = np.stack([train_set[int(k)]["image"] for k in batch])
        yield torch.from_numpy(images)
