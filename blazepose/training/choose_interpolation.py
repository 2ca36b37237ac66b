"""The end of a fine-tuning: how far to go from the initial weights to the trained ones.

With few labels the way there is worth less than its middle, and may even lead below its start.
"""

import copy
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from lightning_fabric.utilities import move_data_to_device
from tqdm import tqdm

from blazepose.atomic import atomic_path, file_sha256
from blazepose.data.datamodule import PoseDataModule
from blazepose.metrics.pck_metric import PckMetric
from blazepose.models.interpolation import interpolate
from blazepose.models.landmark_net import LandmarkNet
from blazepose.runs import best_checkpoint, trained_checkpoint
from blazepose.training.checkpoint import read_checkpoint, write_checkpoint
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.weights import load_landmark_net, open_landmark_net

log = logging.getLogger(__name__)

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the way that are tried; 0 are the initial weights."""

FEW_PEOPLE = 400
"""Number of people, with labels or without, below which half of the way is taken without validation. Source:
docs/benchmarks/fine-tuning.md, "How many labels it takes" and "People without labels"."""


def interpolate_best(
    module: LandmarkModule, data: PoseDataModule, folder: Path, init: Path, device: torch.device
) -> dict[str, float]:
    """Replace the best weights of a run by the best on the way from the initial weights to them.

    The trained weights are kept in `trained.ckpt`. Without validation data, the whole way is taken, or half
    of it with few people.

    Args:
        module: module of the run; its network is changed.
        data: data of the run.
        folder: run folder.
        init: file of the initial weights.
        device: device for the validation.

    Returns:
        Share of the way, and with validation PCK@0.2 there and at the start, as in results.json.
    """
    best, trained = best_checkpoint(folder), trained_checkpoint(folder)
    if "blend" not in read_checkpoint(best).metadata:  # else a resumed run found no better epoch
        with atomic_path(trained) as part:
            shutil.copyfile(best, part)
    after, metadata = open_landmark_net(trained)
    scores: dict[float, float] = {}
    for alpha in ALPHAS if len(data.val_set) else ():
        _set_weights(module, init, after, alpha)
        scores[alpha] = _validate(module, data, device, f"{100 * alpha:g} % of the way")
    people = data.train_set.people + data.train_set.unlabelled  # type: ignore[union-attr]
    few = len(people) < FEW_PEOPLE
    alpha = max(scores, key=lambda share: scores[share]) if scores else (0.5 if few else 1.0)
    _set_weights(module, init, after, alpha)
    blend = {"share": alpha, "before": file_sha256(init), "after": file_sha256(trained)}
    write_checkpoint(best, module.net.cpu(), {**metadata, "blend": blend})
    for line in _describe(scores, alpha, init):
        log.info(line)
    measured = {"before val/pck@0.2": scores[0.0], "best val/pck@0.2": scores[alpha]} if scores else {}
    return {"interpolated at": alpha, **measured}


def _set_weights(module: LandmarkModule, init: Path, after: LandmarkNet, alpha: float) -> None:
    """Set the network of a module to the weights at a share of the way."""
    before, between = load_landmark_net(init), copy.deepcopy(after)
    interpolate(before, between, alpha)
    module.net.load_state_dict(between.state_dict())


@torch.inference_mode()
def _validate(module: LandmarkModule, data: PoseDataModule, device: torch.device, name: str) -> float:
    """Return PCK@0.2 of the module on the validation data, by the decoding that it is judged by."""
    # Of several processes, only this one validates here: its metrics must not wait for the others.
    metrics = torch.nn.ModuleDict({name: PckMetric(sync_on_compute=False) for name in module.pck})
    module.pck = cast(Mapping[str, PckMetric], metrics)
    module.to(device).eval()
    alone = PoseDataModule(data.train_set, data.val_set, data.config)
    for index, batch in enumerate(tqdm(alone.val_dataloader(), desc=name, unit=" batches", disable=None)):
        module.validation_step(move_data_to_device(batch, device), index)
    module.variance.reset()
    return float(module.pck[module.headline].compute()["pck@0.2"])


def _describe(scores: dict[float, float], alpha: float, init: Path) -> list[str]:
    """Return lines for the log."""
    lines = [f"best.ckpt is {100 * alpha:g} % of the way from {init} to trained.ckpt"]
    if scores:
        shares = ", ".join(f"{100 * share:g} %: {score:.1f}" for share, score in scores.items())
        lines.insert(0, f"val/pck@0.2 on the way from the initial to the trained weights: {shares}")
    if alpha == 0:
        lines.append(
            "WARNING: training improved nothing, so these are the initial weights; try more people, other "
            "augmentation or a lower optimizer.lr"
        )
    return lines
