"""The end of a fine-tuning: how far to go from the initial weights to the trained ones.

With few labels the way there is worth less than its middle, and may even lead below its start.
"""

import copy
import logging
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from lightning_fabric.utilities import move_data_to_device
from pytorch_lightning import Trainer
from torch.utils.data import DataLoader
from tqdm import tqdm

from blazepose.atomic import atomic_path, file_sha256
from blazepose.data.datamodule import PoseDataModule
from blazepose.metrics.pck_metric import PckMetric
from blazepose.models.interpolation import interpolate
from blazepose.models.landmark_net import LandmarkNet
from blazepose.runs import best_checkpoint, trained_checkpoint
from blazepose.training.checkpoint import read_checkpoint, require_unchanged, write_checkpoint
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.processes import batches_per_process
from blazepose.training.weights import load_landmark_net, open_landmark_net

log = logging.getLogger(__name__)

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the way that are tried; 0 are the initial weights."""

FEW_PEOPLE = 400
"""Number of people, with labels or without, below which half of the way is taken without validation. Source:
docs/benchmarks/fine-tuning.md, "How many labels it takes" and "People without labels"."""


def interpolate_best(
    module: LandmarkModule, data: PoseDataModule, folder: Path, init: Path, trainer: Trainer
) -> dict[str, float]:
    """Replace the best weights of a run by the best on the way from the initial weights to them.

    The trained weights are kept in `trained.ckpt`. Without validation, the whole way is taken, or half of it
    with few people.

    Args:
        module: module of the run; its network is changed.
        data: data of the run.
        folder: run folder.
        init: file of the initial weights.
        trainer: trainer of the run, for the device and the number of validation batches.

    Returns:
        Share of the way, and with validation PCK@0.2 there and at the start, as in results.json.

    Raises:
        ValueError: if the initial weights have changed.
    """
    require_unchanged(init, file_sha256(init), module.metadata["init"], "the initial weights")
    best, trained = best_checkpoint(folder), trained_checkpoint(folder)
    if "blend" not in read_checkpoint(best).metadata:  # else a resumed run found no better epoch
        with atomic_path(trained) as part:
            shutil.copyfile(best, part)
    after, metadata = open_landmark_net(trained)
    scores = _validate_shares(module, data, init, after, trainer)
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


def _validate_shares(
    module: LandmarkModule, data: PoseDataModule, init: Path, after: LandmarkNet, trainer: Trainer
) -> dict[float, float]:
    """Return PCK@0.2 of each share of the way, on the samples that all processes of the trainer validate."""
    loader = PoseDataModule(data.train_set, data.val_set, data.config).val_dataloader()
    processes, limit = trainer.world_size, trainer.limit_val_batches
    each = batches_per_process(len(data.val_set), data.config.batch_size, processes, limit)
    batches = min(each * processes, len(loader))
    module.to(trainer.strategy.root_device).eval()
    scores = {}
    for alpha in ALPHAS if batches else ():
        _set_weights(module, init, after, alpha)
        scores[alpha] = _validate(module, loader, batches, f"{100 * alpha:g} % of the way")
    return scores


@torch.inference_mode()
def _validate(module: LandmarkModule, loader: DataLoader | list, batches: int, name: str) -> float:
    """Return PCK@0.2 of the module on the first batches, by the decoding that it is judged by."""
    # Of several processes, only this one validates here: its metrics must not wait for the others.
    metrics = torch.nn.ModuleDict({name: PckMetric(sync_on_compute=False) for name in module.pck})
    module.pck = cast(Mapping[str, PckMetric], metrics)
    bar = tqdm(islice(loader, batches), desc=name, total=batches, unit=" batches", disable=None)
    for index, batch in enumerate(bar):
        module.validation_step(move_data_to_device(batch, module.device), index)
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
