"""Epochs and optimizer of a training."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from blazepose.config.option import Section, option
from blazepose.exceptions import InputError

AUTO = "auto"

_AUTO_EPOCHS, _AUTO_STEPS = 20, 500
"""Epochs, and optimizer steps, that `auto` means at least. Source: docs/benchmarks/fine-tuning.md, "How
many labels it takes": 50 people took 80 epochs of 6 steps."""

StageName = Literal["heatmap", "regression", "joint"]


@dataclass(frozen=True)
class Stages(Section, name="stages"):
    """Epochs of each stage, run in this order; 0 leaves a stage out.

    Raises:
        ValueError: if there is no epoch at all.
    """

    heatmap: int = option(0, "epochs of encoder, decoder, heatmaps, offsets and mask", 0)
    regression: int = option(
        0, "epochs of the regression head; the rest is frozen, BatchNorm statistics included", 0
    )
    joint: Any = option(
        60,
        "epochs of all parts; the only stage of model=detector; auto: 20, or with few people as many as 500 "
        "steps take",
        0,
        choices=("auto",),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.joint, int) and self.joint != AUTO:
            raise InputError(f"stages.joint={self.joint} must be a whole number from 0 up, or auto")
        if self.joint != AUTO and not self.epochs:
            raise InputError("stages: no epochs; set stages.joint, or stages.heatmap and stages.regression")

    def resolve(self, steps_per_epoch: int) -> "Stages":
        """Return the stages with the number of epochs in place of "auto"."""
        if self.joint != AUTO:
            return self
        return replace(self, joint=max(_AUTO_EPOCHS, math.ceil(_AUTO_STEPS / max(1, steps_per_epoch))))

    @property
    def plan(self) -> list[tuple[StageName, int]]:
        """Stages with at least one epoch, and their epochs."""
        order: tuple[tuple[StageName, int], ...] = (
            ("heatmap", self.heatmap),
            ("regression", self.regression),
            ("joint", self.joint),
        )
        return [(name, epochs) for name, epochs in order if epochs]

    @property
    def epochs(self) -> int:
        """Number of epochs of the run."""
        return self.heatmap + self.regression + self.joint

    def at(self, epoch: int) -> StageName:
        """Return the stage of an epoch."""
        for name, epochs in self.plan:
            if epoch < epochs:
                return name
            epoch -= epochs
        return self.plan[-1][0]


@dataclass(frozen=True)
class OptimizerConfig(Section, name="optimizer"):
    """AdamW, the schedule of its learning rate, and what it leaves as it is."""

    lr: float = option(6e-3, "peak learning rate", 0)
    weight_decay: float = option(
        0.02, "decay of convolution weights; biases and BatchNorm are not decayed", 0
    )
    warmup_steps: int = option(300, "steps of the linear rise at the beginning of each stage", 0)
    final_lr: float = option(0.01, "learning rate at the end of a stage, as a fraction of the peak", 0, 1)
    ema_decay: float = option(
        0.998,
        "decay of the averaged weights, which are validated and saved; 0 switches averaging off",
        0,
        0.9999999,
    )
    clip_norm: float = option(5.0, "largest gradient norm; 0 switches clipping off", 0)
    norm_eval: bool = option(False, "freeze the BatchNorm statistics")
    interpolate: bool = option(
        False,
        "end a fine-tuning at the best point between the initial weights and the best epoch, by the "
        "validation data; without any, halfway if there are fewer than 400 people",
    )
    frozen_stages: int = option(
        0, "encoder stages to freeze, from the image on (at sizes 128, 64, 32, 16, 8)", 0, 5
    )
