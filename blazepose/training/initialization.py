"""Initial weights of a training: random, of a file, or of the run that is resumed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from blazepose.config.schedule import OptimizerConfig
from blazepose.data.datamodule import Samples
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.precise_bn import precise_bn
from blazepose.runs import resolve_weights
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.weights import IMPORTED, load_initial_weights

_CALIBRATION, _BATCH = 256, 32
"""Crops for estimating BatchNorm statistics. Chosen: more change them by less than a hundredth."""


def initialize(
    net: LandmarkNet | DetectorNet, init: str | None, train_set: Samples, resumed: Path | None
) -> dict[str, Any] | None:
    """Load initial weights into a network; if they have no BatchNorm statistics, estimate these.

    Args:
        net: new network; a resumed training loads its weights from the checkpoint later.
        init: file or run folder of the initial weights.
        train_set: training samples, for the BatchNorm statistics.
        resumed: checkpoint of a resumed training.

    Returns:
        Metadata of the initial weights; None for random ones.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it does not match the network.
    """
    if init is None:
        return None
    if resumed:
        return read_checkpoint(resumed).metadata["init"]
    path = resolve_weights(init, "init=")
    metadata = load_initial_weights(net, path)
    if path.suffix in IMPORTED:
        prepare = network_input if isinstance(net, LandmarkNet) else detector_input
        precise_bn(net.eval(), map(prepare, _calibration_batches(train_set)))
    return metadata


def describe_initialization(
    start: dict[str, Any] | None, init: str | None, optimizer_config: OptimizerConfig
) -> list[str]:
    """Return lines for the log about the initial weights."""
    lines = []
    if start and init and Path(init).suffix in IMPORTED and not optimizer_config.norm_eval:
        recipe = "finetune_detector" if start["task"] == "detector" else "finetune"
        lines.append(
            "WARNING: this recipe is for training from scratch and soon degrades published weights; "
            f"experiment={recipe} is made for them"
        )
    return lines


def _calibration_batches(train_set: Samples) -> Iterator[Tensor]:
    """Yield batches of training images, uint8, spread over the set."""
    picks = np.unique(np.linspace(0, len(train_set) - 1, _CALIBRATION).astype(int))
    batches = [picks[k : k + _BATCH] for k in range(0, len(picks), _BATCH)]
    for batch in tqdm(batches, desc="BatchNorm statistics", unit=" batches", disable=None):
        images = np.stack([train_set[int(k)]["image"] for k in batch])
        yield torch.from_numpy(images)
