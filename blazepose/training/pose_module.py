"""Lightning module with what the training of both networks shares."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.exceptions import InputError
from blazepose.training.optimizer import build_optimizer, learning_rate_factor


class PoseModule(LightningModule):
    """Optimizes a network: weighted losses, AdamW with a schedule, checks, metadata of the checkpoints.

    Args:
        net: the network.
        loss_config: weight of each loss term, in a field of its name.
        optimizer_config: AdamW and schedule.
        stages: epochs of each stage.
        metadata: metadata of the checkpoints (training.checkpoint).
    """

    net: nn.Module
    loss_config: Any

    def __init__(
        self,
        net: nn.Module,
        loss_config: Any,
        optimizer_config: OptimizerConfig,
        stages: Stages,
        metadata: dict[str, Any],
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)
        self.loss_config = loss_config
        self.optimizer_config = optimizer_config
        self.stages = stages
        self.metadata = metadata
        # Collected on the device and read every few steps: a training step must not wait for it.
        self._finite = torch.tensor(True)

    def on_train_epoch_start(self) -> None:
        self._check_steps()
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)

    def total_loss(self, terms: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Return the weighted sum of the loss terms of a training step, and log all of them."""
        loss = torch.stack([getattr(self.loss_config, name) * term for name, term in terms.items()]).sum()
        self._finite &= torch.isfinite(loss.detach())
        if batch_idx % 10 == 0:
            self._check_finite()
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/loss_{name}": term for name, term in terms.items()})
        return loss

    def on_validation_start(self) -> None:
        self._check_finite()

    def on_train_epoch_end(self) -> None:
        self._check_finite()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build AdamW, and a schedule that steps with every batch."""
        optimizer = build_optimizer(self.net, self.optimizer_config)
        stage_steps = [epochs * self._steps_per_epoch() for _, epochs in self.stages.plan]
        factor = learning_rate_factor(self.optimizer_config, stage_steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of the gradient; None or 0 switches this off.

        Lightning refuses to clip for a fused optimizer because of loss scaling in fp16, which is not used.
        """
        if gradient_clip_val:
            nn.utils.clip_grad_norm_(self.net.parameters(), gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["blazepose"] = self.metadata

    def _steps_per_epoch(self) -> int:
        return int(self.trainer.estimated_stepping_batches) // self.stages.epochs

    def _check_steps(self) -> None:
        """Refuse to resume a run with another number of steps per epoch.

        Raises:
            ValueError: names both numbers.
        """
        done, past, steps = self.trainer.global_step, self.current_epoch, self._steps_per_epoch()
        if done != past * steps:
            raise InputError(
                f"cannot resume: the run had {done / past:g} steps per epoch and now has {steps}, because "
                "the data or trainer.devices changed. Restore them (see the run's config.yaml), or start a "
                "new run with init=."
            )

    def _check_finite(self) -> None:
        """Stop a diverged training before its weights are saved.

        Raises:
            ValueError: names remedies.
        """
        if not self._finite:
            raise InputError(
                f"the loss became NaN or infinite in epoch {self.current_epoch}. Earlier checkpoints are "
                "intact. Try a lower optimizer.lr, keep optimizer.clip_norm, and check samples.png for wrong "
                "labels."
            )
