"""AdamW with warm-up and cosine decay of the learning rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from blazepose.ranges import check_ranges


@dataclass(frozen=True)
class OptimizerConfig:
    """Parameters of AdamW and its schedule.

    Attributes:
        lr: peak learning rate.
        weight_decay: decay of convolution weights; biases and BatchNorm are not decayed.
        warmup_steps: steps of the linear rise at the beginning of each stage.
        final_lr: learning rate at the end of a stage, as a fraction of the peak.
        ema_decay: decay of the averaged weights, which are validated and saved; 0 switches averaging off.
        clip_norm: largest gradient norm; 0 switches clipping off.
        norm_eval: freeze the BatchNorm statistics.
        frozen_stages: encoder stages to freeze, from the image on (at sizes 128, 64, 32, 16, 8).

    Raises:
        ValueError: names the value that is out of range.
    """

    lr: float = 6e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    final_lr: float = 0.01
    ema_decay: float = 0.998
    clip_norm: float = 5.0
    norm_eval: bool = False
    frozen_stages: int = 0

    def __post_init__(self) -> None:
        limits = dict.fromkeys(("weight_decay", "warmup_steps", "clip_norm"), (0.0, math.inf))
        check_ranges(
            "optimizer",
            self,
            {
                **limits,
                "lr": (0.0, math.inf),
                "final_lr": (0.0, 1.0),
                "ema_decay": (0.0, 0.9999999),
                "frozen_stages": (0, 5),
            },
        )


def build_optimizer(net: nn.Module, config: OptimizerConfig) -> torch.optim.AdamW:
    """Build AdamW over all parameters, with decay only of those with more than one dimension."""
    parameters = list(net.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def learning_rate_factor(config: OptimizerConfig, stage_steps: list[int]) -> Callable[[int], float]:
    """Return the function from step to factor of the learning rate: per stage, warm-up and cosine decay.

    Args:
        config: parameters of the schedule.
        stage_steps: number of steps of each stage, in order.
    """

    def factor(step: int) -> float:
        *earlier, length = stage_steps
        for i, steps in enumerate(earlier):
            if step < steps:
                length = earlier[i]
                break
            step -= steps
        warmup = min(config.warmup_steps, length // 5)
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, length - warmup))
        return config.final_lr + (1 - config.final_lr) * 0.5 * (1 + math.cos(math.pi * progress))

    return factor
