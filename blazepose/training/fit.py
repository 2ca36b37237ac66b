"""Lightning trainer that writes to a run folder."""

import json
import logging
import math
import os
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import ModelCheckpoint, Timer
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from torch import Tensor

from blazepose.atomic import atomic_path, naming_full_disk
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.errors import resuming
from blazepose.exceptions import BlazePoseError, InputError, ProcessError
from blazepose.runs import best_checkpoint, last_checkpoint
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.malloc import keep_freed_buffers
from blazepose.training.old_keys import rename_states
from blazepose.training.processes import OwnSignals, require_all_processes, run_folder, watching

log = logging.getLogger(__name__)

_LOST_WORKER = re.compile(r"DataLoader worker \(pid.*\w|(?<=Error: ).*shared memory.*\w")
"""Messages of torch for a worker process that was killed, or that could not share its samples."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint to a temporary file beside its path, and renames it when it is complete.

    Lightning's own writer uses the temporary folder; where that is another disk, a kill while the file is
    moved leaves half of it.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        with atomic_path(Path(path)) as part, part.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())

    def load_checkpoint(self, path: str | Path, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Load a checkpoint, also one of an earlier version."""
        return rename_states(super().load_checkpoint(path, *arguments, **options))


def worker_count(setting: int | str, accelerator: str) -> int:
    """Return the number of data-loading processes; "auto" depends on the cores and the accelerator.

    Raises:
        ValueError: if it is neither a number nor "auto".
    """
    if setting != "auto":
        if not isinstance(setting, int) or setting < 0:
            raise InputError(f"loader.num_workers={setting} must be a number from 0 up, or auto")
        return setting
    if accelerator == "cpu" or not torch.cuda.is_available():
        # A sample takes 4 ms, a training step of the smallest network 30 ms: two workers are enough.
        return 2
    return min(12, max(1, (os.cpu_count() or 1) // torch.cuda.device_count()))


def trainer_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of Trainer, with "auto" resolved where Lightning would resolve it otherwise.

    Args:
        settings: section of configs/trainer. Precision "auto" becomes bf16-mixed on a GPU with bfloat16
            units, else 32-true; max_time ends the run after the epoch in which it is reached.

    Raises:
        ValueError: names the invalid setting.
    """
    settings = dict(settings)
    gpu = settings["accelerator"] != "cpu" and torch.cuda.is_available()
    if settings["precision"] == "auto":
        # Older GPUs emulate bfloat16, slower than float32.
        fast = gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        settings["precision"] = "bf16-mixed" if fast else "32-true"
    if str(settings["precision"]).startswith("16"):
        raise InputError("trainer.precision: fp16 is not supported; bf16-mixed needs no loss scaling")
    limit = settings.pop("max_time")
    settings["callbacks"] = [_time_limit(limit)] if limit else []
    trainer = trial_trainer(settings)
    require_all_processes(trainer)
    several = trainer.world_size > 1
    if settings["strategy"] == "ddp" or (settings["strategy"] == "auto" and several):
        # Heads without labels and frozen parts get no gradient.
        settings["strategy"] = "ddp_find_unused_parameters_true"
        settings["sync_batchnorm"] = gpu and several
    return settings


def trial_trainer(settings: dict[str, Any]) -> Trainer:
    """Build a trainer without a run, so that invalid settings are refused before a run folder exists.

    Raises:
        ValueError: names the invalid setting.
    """
    _silence_lightning()
    # A copy of the list: Lightning appends a progress bar to it.
    arguments = {**settings, "callbacks": list(settings["callbacks"])}
    try:
        return Trainer(**arguments, logger=False, enable_checkpointing=False, enable_model_summary=False)
    except (MisconfigurationException, ImportError, ValueError, TypeError, RuntimeError) as error:
        keys = ("accelerator", "devices", "num_nodes", "strategy", "precision")
        values = ", ".join(f"{key}={settings[key]}" for key in keys if key in settings)
        raise InputError(f"trainer: {' '.join(str(error).split())} ({values})") from error


def validates(settings: dict[str, Any], stages: Stages) -> bool:
    """Return whether a run with these settings validates at least once, given validation data."""
    return settings["limit_val_batches"] != 0 and settings["check_val_every_n_epoch"] <= stages.epochs


def set_seed(seed: object) -> None:
    """Seed all random generators.

    Raises:
        ValueError: if the seed is not a number from 0 up.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(f"seed={seed}: a whole number from 0 up")
    seed_everything(seed, verbose=False)


def build_trainer(
    folder: Path,
    settings: dict[str, Any],
    optimizer_config: OptimizerConfig,
    stages: Stages,
    callbacks: list[Callback],
) -> Trainer:
    """Build the trainer of a run.

    Args:
        folder: run folder.
        settings: result of trainer_settings.
        optimizer_config: configuration with the gradient clipping.
        stages: epochs of each stage.
        callbacks: callbacks of the run.
    """
    _silence_lightning()
    return Trainer(
        **{**settings, "callbacks": [*callbacks, OwnSignals(), *settings["callbacks"]]},
        default_root_dir=folder,
        logger=TensorBoardLogger(folder, name="", version=""),
        plugins=[AtomicCheckpointIO()],
        max_epochs=stages.epochs,
        gradient_clip_val=optimizer_config.clip_norm or None,
        # Our samplers depend on rank and epoch; Lightning's would silently repeat people.
        use_distributed_sampler=False,
        num_sanity_val_steps=1,
        enable_model_summary=False,
    )


def _time_limit(duration: str) -> Timer:
    # After whole epochs: an interrupted one would count as complete when the run resumes.
    try:
        return Timer(duration, interval="epoch", verbose=False)
    except MisconfigurationException as error:
        raise InputError(
            f"trainer.max_time={duration} is not a duration; "
            'write days:hours:minutes:seconds, as "00:02:00:00"'
        ) from error


def _silence_lightning() -> None:
    # Advertisements, and advice against deliberate choices: frozen parts stay in eval mode, two workers are
    # enough, and the metrics are synchronized already.
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for text in (
        ".*in eval mode at the start",
        ".*does not have many workers",
        ".*exists and is not empty",
        ".*recommended to use .self.log.*sync_dist",
        ".*smaller than the logging interval",
        ".*LeafSpec.*",
        ".*isinstance.treespec",
        ".*Total length of .list. across ranks is zero",
    ):
        warnings.filterwarnings("ignore", text)


def fit(
    trainer: Trainer,
    module: LightningModule,
    data: LightningDataModule,
    folder: Path,
    checkpoint: Path | None,
    next_step: str,
    pretrained: bool,
    finish: Callable[[], dict[str, float]] | None = None,
) -> None:
    """Train, write the run's `results.json`, and log the paths of the weights.

    Args:
        trainer: trainer of the run.
        module: module to train.
        data: training and validation data.
        folder: run folder.
        checkpoint: checkpoint to resume from, or None.
        next_step: command to run on the weights, up to their path.
        pretrained: the run starts from pretrained weights; report if the result is worse than they were.
        finish: replaces the best weights at the end, and returns values for results.json.
    """
    log.info("run: %s", folder)
    if trainer.strategy.root_device.type == "cpu":
        keep_freed_buffers()
    monitor = getattr(trainer.checkpoint_callback, "monitor", None)
    hint = partial(_how_to_resume, trainer)
    validate_first = pretrained and monitor and not checkpoint
    with resuming(hint), naming_full_disk(folder), _readable_worker_errors(), watching(trainer, hint):
        before = trainer.validate(module, data, verbose=False) if validate_first else []
        # weights_only=True: the checkpoints hold nothing but tensors and plain values.
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
        if not trainer.is_global_zero:
            return
        if not trainer.callback_metrics and not (finish and _is_unfinished(folder)):
            log.info("this run is complete. To train longer, raise stages.joint (or trainer.max_time).")
            return
        chosen = finish() if finish else {}
    results = {name: _rounded(value) for name, value in trainer.callback_metrics.items()}
    results["epochs"] = trainer.current_epoch
    best = trainer.checkpoint_callback
    if isinstance(best, ModelCheckpoint) and best.best_model_score is not None:
        results[f"best {monitor}"] = _rounded(best.best_model_score)
    if before:
        results[f"before {monitor}"] = _rounded(before[0][str(monitor)])
    results |= {name: _rounded(value) for name, value in chosen.items()}
    if f"before {monitor}" in results:
        compare_with_initial(str(monitor), results)
    with atomic_path(folder / "results.json") as part:
        part.write_text(json.dumps(results, indent=2) + "\n")
    log.info("best weights: %s", best_checkpoint(folder))
    log.info("%s%s", next_step, best_checkpoint(folder))


def _is_unfinished(folder: Path) -> bool:
    """Return whether a run was stopped after its last epoch, before its best weights were interpolated."""
    return "blend" not in read_checkpoint(best_checkpoint(folder)).metadata


def _how_to_resume(trainer: Trainer) -> str:
    """Return the command that resumes the training."""
    folder = run_folder(trainer)
    if last_checkpoint(folder).is_file():
        return f"blazepose train ckpt={folder} resumes the training"
    return "no epoch was complete: start the training again"


@contextmanager
def _readable_worker_errors() -> Iterator[None]:
    """Turn errors of data-loading processes, and of their loss, into one sentence."""
    try:
        yield
    except BlazePoseError as error:
        # A worker process wraps its traceback around the sentence; the sentence is the last line.
        kind = type(error)
        raise kind(str(error).strip().splitlines()[-1].split(f"{kind.__name__}: ")[-1]) from error
    except (RuntimeError, ConnectionError, EOFError) as error:
        messages = _LOST_WORKER.findall(f"{error}\n{error.__cause__}")
        if isinstance(error, RuntimeError) and not messages:
            raise
        message = messages[-1] if messages else f"the connection to a data-loading process broke: {error}"
        # The traceback holds the loader, for whose processes torch would raise again.
        traceback.clear_frames(error.__traceback__)
        raise ProcessError(
            f"{message}; if memory ran out, a smaller loader.num_workers needs less"
        ) from error


def _rounded(value: Tensor | float) -> float | None:
    """Round a value for results.json; None where it could not be measured."""
    return round(float(value), 4) if math.isfinite(value) else None


def compare_with_initial(monitor: str, results: dict[str, float | None]) -> None:
    """Log the metric before training and at its best, with a warning if it became worse."""
    before, best = results[f"before {monitor}"], results.get(f"best {monitor}")
    if before is None or best is None:
        return
    log.info("%s before training %.1f, at best %.1f", monitor, before, best)
    if best < before:
        log.warning(
            "WARNING: these weights are worse than the initial ones; try more people, more epochs or a lower "
            "optimizer.lr, or blazepose interpolate to go only part of the way"
        )
