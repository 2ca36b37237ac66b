"""What happens around the steps: averaging, checkpoints, speed, pictures."""

import time
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint, TQDMProgressBar, WeightAveraging
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from blazepose.data.dataset import PoseDataset
from blazepose.training.optimiser import OptimiserConfig
from blazepose.training.pictures import draw_predictions, draw_samples


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights, which is what is validated and saved.

    The average starts short and lengthens to `decay`, so that it is of use from the first epoch.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
            count = float(steps)
            get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))(averaged, current, steps)

        super().__init__(use_buffers=True, multi_avg_fn=average)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Keep the average where the network will be; at this point it is still on the CPU."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)


class ImagesPerSecond(Callback):
    """Training rate of the last steps, in the progress bar and in TensorBoard."""

    EVERY = 10

    def __init__(self) -> None:
        self._start, self._images = 0.0, 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start, self._images = time.perf_counter(), 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._images += len(batch["image"]) * trainer.world_size
        if (batch_idx + 1) % self.EVERY == 0:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            now = time.perf_counter()
            pl_module.log("train/images_per_second", self._images / (now - self._start), prog_bar=True)
            self._start, self._images = now, 0


class Pictures(Callback):
    """Augmented samples with their labels at the start, predictions after each validation, in TensorBoard.

    Args:
        train_set: to take the samples from.
        folder: where the sheet of samples goes, too.
        count: pictures a sheet.
    """

    def __init__(self, train_set: PoseDataset, folder: Path, count: int = 16) -> None:
        self.train_set, self.folder, self.count = train_set, folder, count
        self._drawn: list[Any] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            sheet = draw_samples(self.train_set, self.count, self.folder / "samples.png")
            self._show(trainer, "train/samples", sheet)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.is_global_zero and batch_idx == 0 and not trainer.sanity_checking:
            sheet = draw_predictions(pl_module, batch, self.count)
            self._show(trainer, "val/predictions", sheet)

    def _show(self, trainer: Trainer, tag: str, sheet: Any) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(tag, sheet, trainer.global_step, dataformats="HWC")


def build_callbacks(
    folder: Path, optimiser: OptimiserConfig, train_set: PoseDataset, validates: bool
) -> list[Callback]:
    """The callbacks of a training run that keeps its files in `folder`."""
    checkpoints = ModelCheckpoint(
        folder / "checkpoints",
        filename="best",
        monitor="val/pck@0.2" if validates else None,
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )
    callbacks: list[Callback] = [
        checkpoints,
        ImagesPerSecond(),
        LearningRateMonitor("step"),
        TQDMProgressBar(refresh_rate=10),
        Pictures(train_set, folder),
    ]
    if optimiser.ema_decay:
        callbacks.append(AveragedWeights(optimiser.ema_decay))
    return callbacks
