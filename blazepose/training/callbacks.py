"""Callbacks of a run: weight averaging, checkpoints, throughput, images."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint, TQDMProgressBar, WeightAveraging
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from blazepose.config.schedule import OptimizerConfig
from blazepose.runs import best_checkpoint, last_checkpoint


class EMA(WeightAveraging):
    """Exponential moving average of the weights, which is validated and saved.

    The decay rises from a small value to `decay`, so that the average is useful from the first epoch.
    """

    state_key = "AveragedWeights"  # key of its state in checkpoints: the class name of earlier versions

    def __init__(self, decay: float) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
            count = float(steps)
            get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))(averaged, current, steps)

        super().__init__(use_buffers=True, multi_avg_fn=average)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Set up the average on the device of the training; the network itself is still on the CPU."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)


class ThroughputMonitor(Callback):
    """Images per second of the last steps, in the progress bar and in TensorBoard."""

    EVERY = 10

    def __init__(self) -> None:
        self._start, self._images = 0.0, 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start, self._images = time.perf_counter(), 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._images += len(batch["image"]) * trainer.world_size
        if (batch_idx + 1) % self.EVERY == 0 or trainer.is_last_batch:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            now = time.perf_counter()
            pl_module.log("train/images_per_second", self._images / (now - self._start), prog_bar=True)
            self._start, self._images = now, 0


class ImageLogger(Callback):
    """Logs augmented samples with labels at the start, and predictions after each validation, to TensorBoard.

    Args:
        samples: function that draws a sheet of `count` samples into a file, and returns it.
        predictions: function that draws a sheet of the module's predictions for a batch of images.
        folder: run folder, for the sheet of samples.
        count: images per sheet.
    """

    def __init__(
        self,
        samples: Callable[[int, Path], np.ndarray],
        predictions: Callable[[Any, Tensor], np.ndarray],
        folder: Path,
        count: int = 16,
    ) -> None:
        self.samples, self.predictions, self.folder, self.count = samples, predictions, folder, count

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            sheet = self.samples(self.count, self.folder / "samples.png")
            self._log_image(trainer, "train/samples", sheet)

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
            sheet = self.predictions(pl_module, batch["image"][: self.count])
            self._log_image(trainer, "val/predictions", sheet)

    def _log_image(self, trainer: Trainer, tag: str, sheet: Any) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(tag, sheet, trainer.global_step, dataformats="HWC")


class RunCheckpoint(ModelCheckpoint):
    """One checkpoint file of a run, replaced after each epoch, or after each that improves `monitor`."""

    def __init__(self, file: Path, monitor: str | None = None) -> None:
        super().__init__(
            file.parent,
            filename=file.stem,
            monitor=monitor,
            mode="max",
            enable_version_counter=False,
            # Without validation nothing is monitored; trainer.check_val_every_n_epoch may skip epochs.
            save_on_train_epoch_end=True if monitor is None else None,
        )
        # Spelled as by Lightning, which otherwise removes the file that it has just replaced.
        self.file = Path(str(self.dirpath), file.name)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Adopt the folder of the first process, which Lightning sends to all."""
        super().setup(trainer, pl_module, stage)
        self.file = Path(str(self.dirpath)) / self.file.name

    @property
    def state_key(self) -> str:
        """Key of the state; without a monitor Lightning's would be the same for both checkpoints of a run."""
        return super().state_key if self.monitor else f"RunCheckpoint({self.file.stem})"

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score so far, also if the run folder has been moved.

        Lightning drops it then, and a worse epoch would replace the best weights.
        """
        if self.file.is_file():
            paths = dict.fromkeys(("best_model_path", "kth_best_model_path"), str(self.file))
            scores = {str(self.file): score for score in state_dict["best_k_models"].values()}
            state_dict = {**state_dict, **paths, "dirpath": self.dirpath, "best_k_models": scores}
        super().load_state_dict(state_dict)


def checkpoint_callbacks(folder: Path, monitor: str | None) -> list[Callback]:
    """Return callbacks that save the best weights by `monitor`, and the state to resume from."""
    best = RunCheckpoint(best_checkpoint(folder), monitor)
    # Instead of ModelCheckpoint's save_last, which is written only with the best one.
    return [best, RunCheckpoint(last_checkpoint(folder))]


def build_callbacks(
    folder: Path, optimizer_config: OptimizerConfig, image_logger: ImageLogger, monitor: str | None
) -> list[Callback]:
    """Return the callbacks of a training run.

    Args:
        folder: run folder.
        optimizer_config: configuration with the decay of the average.
        image_logger: logger of samples and predictions.
        monitor: logged metric, whose maximum is the best epoch; None for the last epoch.
    """
    callbacks: list[Callback] = [
        *checkpoint_callbacks(folder, monitor),
        ThroughputMonitor(),
        LearningRateMonitor("step"),
        TQDMProgressBar(refresh_rate=10),
        image_logger,
    ]
    if optimizer_config.ema_decay:
        callbacks.append(EMA(optimizer_config.ema_decay))
    return callbacks
