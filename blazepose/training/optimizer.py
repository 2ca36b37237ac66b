"""AdamW with warm-up and cosine decay of the learning rate."""

import math
from collections.abc import Callable

import torch
from torch import nn

from blazepose.config.schedule import OptimizerConfig


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
