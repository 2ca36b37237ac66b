"""Hooks shared by the Lightning modules of both networks."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from blazepose.config.schedule import OptimizerConfig
from blazepose.training.optimizer import build_optimizer, learning_rate_factor


def steps_per_epoch(module: LightningModule, epochs: int) -> int:
    """Return the optimizer steps per epoch of a run of `epochs` epochs."""
    return int(module.trainer.estimated_stepping_batches) // epochs


def check_steps(module: LightningModule, epochs: int) -> None:
    """Refuse to resume a run with another number of steps per epoch.

    Args:
        module: module at the beginning of an epoch.
        epochs: number of epochs of the run.

    Raises:
        ValueError: names both numbers.
    """
    done, past = module.trainer.global_step, module.current_epoch
    steps = steps_per_epoch(module, epochs)
    if done != past * steps:
        raise ValueError(
            f"cannot resume: the run had {done / past:g} steps per epoch and now has {steps}, because the "
            "data or trainer.devices changed. Restore them (see the run's config.yaml), or start a new run "
            "with init=."
        )


def check_finite(finite: Tensor, epoch: int) -> None:
    """Stop a diverged training before its weights are saved.

    Args:
        finite: all losses since the last check were finite; on the device, so that no step waits for it.
        epoch: epoch in the message.

    Raises:
        ValueError: names remedies.
    """
    if not finite:
        raise ValueError(
            f"the loss became NaN or infinite in epoch {epoch}. Earlier checkpoints are intact. Try a lower "
            "optimizer.lr, keep optimizer.clip_norm, and check samples.png for wrong labels."
        )


def optimizer_and_schedule(
    net: nn.Module, config: OptimizerConfig, stage_steps: list[int]
) -> OptimizerLRScheduler:
    """Build AdamW and a schedule that steps with every batch, for Lightning.

    Args:
        net: network to train.
        config: parameters of both.
        stage_steps: steps of each stage, in order.
    """
    optimizer = build_optimizer(net, config)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate_factor(config, stage_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def clip_gradients(net: nn.Module, norm: float | None) -> None:
    """Clip the norm of the gradient; None or 0 switches this off.

    Lightning refuses to clip for a fused optimizer because of loss scaling in fp16, which is not used here.
    """
    if norm:
        torch.nn.utils.clip_grad_norm_(net.parameters(), norm)


def freeze_stages(encoder: Any, frozen_stages: int) -> None:
    """Freeze the first stages of an encoder, BatchNorm statistics included."""
    stages = (encoder.stem, encoder.at64, encoder.at32, encoder.at16, encoder.at8)
    for stage in stages[:frozen_stages]:
        stage.requires_grad_(False).eval()


def freeze_bn_stats(net: nn.Module) -> None:
    """Freeze the statistics of BatchNorm; its scale and shift stay trainable."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):  # also SyncBatchNorm, which Lightning uses on several GPUs
            module.eval()
