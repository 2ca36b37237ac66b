"""What the training steps of both networks share."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from blazepose.training.optimizer import OptimizerConfig, build_optimizer, learning_rate_factor


def steps_per_epoch(module: LightningModule, epochs: int) -> int:
    """Optimizer steps of an epoch of a run of so many epochs."""
    return int(module.trainer.estimated_stepping_batches) // epochs


def check_steps(module: LightningModule, epochs: int) -> None:
    """Refuse to go on with a run when an epoch would have another number of steps than before.

    Args:
        module: at the beginning of an epoch.
        epochs: of the run.

    Raises:
        ValueError: names both numbers.
    """
    done, past = module.trainer.global_step, module.current_epoch
    steps = steps_per_epoch(module, epochs)
    if done != past * steps:
        raise ValueError(
            f"the run made {done / past:g} steps an epoch and would now make {steps}, "
            "which its learning rate does not fit: the data or the number of devices is another one; "
            "restore them (trainer.devices in the run's config.yaml), or start anew with init="
        )


def check_finite(finite: Tensor, epoch: int) -> None:
    """Stop before weights that are not numbers any more are saved.

    Args:
        finite: whether every loss since the last check was; on the device, so that no step waits for it.
        epoch: for the message.

    Raises:
        ValueError: says what helps.
    """
    if not finite:
        raise ValueError(
            f"the loss became infinite or no number in epoch {epoch}; checkpoints of "
            "earlier epochs are whole. Lower optimizer.lr, keep optimizer.clip_norm, look for wrong "
            "labels in samples.png"
        )


def optimizer_and_schedule(
    net: nn.Module, config: OptimizerConfig, stage_steps: list[int]
) -> OptimizerLRScheduler:
    """AdamW whose learning rate changes with every step, for Lightning.

    Args:
        net: to train.
        config: of the optimizer.
        stage_steps: steps of each stage, in order.
    """
    optimizer = build_optimizer(net, config)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate_factor(config, stage_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def clip_gradients(net: nn.Module, norm: float | None) -> None:
    """Clip the gradient's norm; None or 0 leaves it.

    Lightning refuses to clip for a fused optimizer because of fp16's loss scaling, which we never use.
    """
    if norm:
        torch.nn.utils.clip_grad_norm_(net.parameters(), norm)


def freeze_stages(encoder: Any, frozen_stages: int) -> None:
    """Freeze the first levels of an encoder, BatchNorm statistics included."""
    levels = (encoder.stem, encoder.at64, encoder.at32, encoder.at16, encoder.at8)
    for level in levels[:frozen_stages]:
        level.requires_grad_(False).eval()


def freeze_bn_stats(net: nn.Module) -> None:
    """Let BatchNorm keep its statistics; its scale and shift may learn."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):  # on several GPUs Lightning makes another kind of it
            module.eval()
