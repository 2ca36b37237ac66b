"""A Lightning trainer over a run folder."""

import json
import logging
import math
import os
import re
import warnings
from collections.abc import Iterator
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
from blazepose.errors import resuming
from blazepose.image import ImageError
from blazepose.training.malloc import keep_freed_buffers
from blazepose.training.old_keys import rename_states
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.processes import OwnSignals, require_all_processes, run_folder, watching
from blazepose.training.runs import best_checkpoint, last_checkpoint
from blazepose.training.stages import Stages

log = logging.getLogger(__name__)

_LOST_WORKER = re.compile(r"DataLoader worker \(pid.*\w|(?<=Error: ).*shared memory.*\w")
"""Messages of torch about a process that was killed, or that could not share its samples."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there when it is complete.

    Lightning's own writer collects it in the temporary folder; where that is another disk, moving it is
    copying, and a kill halfway leaves half a file.
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
    """Processes that make samples; "auto" chooses by what else needs the cores.

    Raises:
        ValueError: if it is neither a number nor "auto".
    """
    if setting != "auto":
        if not isinstance(setting, int) or setting < 0:
            raise ValueError(f"loader.num_workers={setting}: a number from 0 up, or auto")
        return setting
    if accelerator == "cpu" or not torch.cuda.is_available():
        # A sample costs 4 ms, a training step of the smallest network 30: two workers never starve it.
        return 2
    return min(12, max(1, (os.cpu_count() or 1) // torch.cuda.device_count()))


def trainer_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Arguments of Trainer, with every "auto" decided that Lightning would decide otherwise.

    Args:
        settings: as configs/trainer has them. Precision "auto" becomes bf16-mixed on a GPU that computes in
            bfloat16, else 32-true; max_time ends the run with the epoch it is reached in.

    Raises:
        ValueError: names the setting that cannot be.
    """
    settings = dict(settings)
    gpu = settings["accelerator"] != "cpu" and torch.cuda.is_available()
    if settings["precision"] == "auto":
        # Older GPUs emulate bfloat16, slower than float32.
        fast = gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        settings["precision"] = "bf16-mixed" if fast else "32-true"
    if str(settings["precision"]).startswith("16"):
        raise ValueError("trainer.precision: fp16 is not supported; bf16-mixed needs no loss scaling")
    limit = settings.pop("max_time")
    settings["callbacks"] = [_time_limit(limit)] if limit else []
    trial = _try_out(settings)
    require_all_processes(trial)
    several = trial.world_size > 1
    if settings["strategy"] == "ddp" or (settings["strategy"] == "auto" and several):
        # Heads without labels, and parts that a stage freezes, get no gradient.
        settings["strategy"] = "ddp_find_unused_parameters_true"
        settings["sync_batchnorm"] = gpu and several
    return settings


def _try_out(settings: dict[str, Any]) -> Trainer:
    """Let Lightning refuse its arguments before a run folder exists, and as one sentence."""
    _quieten_lightning()
    # A list of its own: Lightning appends a progress bar to the one it is given.
    trial = {**settings, "callbacks": list(settings["callbacks"])}
    try:
        return Trainer(**trial, logger=False, enable_checkpointing=False, enable_model_summary=False)
    except (MisconfigurationException, ImportError, ValueError, TypeError, RuntimeError) as error:
        keys = ("accelerator", "devices", "num_nodes", "strategy", "precision")
        values = ", ".join(f"{key}={settings[key]}" for key in keys)
        raise ValueError(f"trainer: {' '.join(str(error).split())} ({values})") from error


def validates(settings: dict[str, Any], stages: Stages) -> bool:
    """A run with these settings, and with people to validate on, comes to validate at least once."""
    return settings["limit_val_batches"] != 0 and settings["check_val_every_n_epoch"] <= stages.epochs


def set_seed(seed: object) -> None:
    """Seed every random generator.

    Raises:
        ValueError: if it is not a number from 0 up.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed={seed}: a whole number from 0 up")
    seed_everything(seed, verbose=False)


def build_trainer(
    folder: Path,
    settings: dict[str, Any],
    optimizer: OptimizerConfig,
    stages: Stages,
    callbacks: list[Callback],
) -> Trainer:
    """The trainer of a run.

    Args:
        folder: of the run.
        settings: what trainer_settings returned.
        optimizer: for the gradient clipping.
        stages: for the number of epochs.
        callbacks: of the run.
    """
    _quieten_lightning()
    return Trainer(
        **{**settings, "callbacks": [*callbacks, OwnSignals(), *settings["callbacks"]]},
        default_root_dir=folder,
        logger=TensorBoardLogger(folder, name="", version=""),
        plugins=[AtomicCheckpointIO()],
        max_epochs=stages.epochs,
        gradient_clip_val=optimizer.clip_norm or None,
        # Our samplers know rank and epoch; Lightning's would repeat people without saying so.
        use_distributed_sampler=False,
        num_sanity_val_steps=1,
        enable_model_summary=False,
    )


def _time_limit(duration: str) -> Timer:
    # After whole epochs: one that was cut off would count as done when the run goes on.
    try:
        return Timer(duration, interval="epoch", verbose=False)
    except MisconfigurationException as error:
        raise ValueError(
            f'trainer.max_time={duration} is no duration; write days:hours:minutes:seconds, as "00:02:00:00"'
        ) from error


def _quieten_lightning() -> None:
    # Advertisements, and advice against what is done here on purpose: frozen parts stay in eval mode, and
    # two workers are enough; our metrics are of all processes already.
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
    ):
        warnings.filterwarnings("ignore", text)


def fit(
    trainer: Trainer,
    module: LightningModule,
    data: LightningDataModule,
    folder: Path,
    checkpoint: Path | None,
    advice: str,
    known: bool,
) -> None:
    """Train, then write the run's `results.json` and say where everything is.

    Args:
        trainer: of the run.
        module: to train.
        data: to train on.
        folder: of the run.
        checkpoint: to go on from.
        advice: what to do with the weights, before their name.
        known: it begins with weights that know something, and must not end with worse ones unsaid.
    """
    log.info("run: %s", folder)
    if trainer.strategy.root_device.type == "cpu":
        keep_freed_buffers()
    monitor = getattr(trainer.checkpoint_callback, "monitor", None)
    how = partial(_how_to_resume, trainer)
    with resuming(how), naming_full_disk(folder), _sentences_of_workers(), watching(trainer, how):
        before = trainer.validate(module, data, verbose=False) if known and monitor and not checkpoint else []
        # weights_only=True: our checkpoints hold nothing but tensors and plain values.
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    if not trainer.is_global_zero:
        return
    if not trainer.callback_metrics:
        log.info("the run is finished; a larger stages.joint, or trainer.max_time if it has one, goes on")
        return
    results = {name: _rounded(value) for name, value in trainer.callback_metrics.items()}
    results["epochs"] = trainer.current_epoch
    best = trainer.checkpoint_callback
    if isinstance(best, ModelCheckpoint) and best.best_model_score is not None:
        results[f"best {monitor}"] = _rounded(best.best_model_score)
    if before:
        results[f"before {monitor}"] = _rounded(before[0][str(monitor)])
        compare_with_initial(str(monitor), results)
    with atomic_path(folder / "results.json") as part:
        part.write_text(json.dumps(results, indent=2) + "\n")
    log.info("best weights: %s", best_checkpoint(folder))
    log.info("%s%s", advice, best_checkpoint(folder))


def _how_to_resume(trainer: Trainer) -> str:
    """Return the command that resumes the training."""
    folder = run_folder(trainer)
    if last_checkpoint(folder).is_file():
        return f"python train.py ckpt={folder} resumes the training"
    return "no epoch was complete: start the training again"


@contextmanager
def _sentences_of_workers() -> Iterator[None]:
    """Turn what torch makes of an error in a data-loading process, or of its end, into a sentence."""
    try:
        yield
    except ImageError as error:
        # A worker process wraps its traceback around the sentence; the sentence is the last line.
        raise ImageError(str(error).strip().splitlines()[-1].split("ImageError: ")[-1]) from error
    except (RuntimeError, ConnectionError, EOFError) as error:
        found = _LOST_WORKER.findall(f"{error}\n{error.__cause__}")
        if isinstance(error, RuntimeError) and not found:
            raise
        what = found[-1] if found else f"the connection to a data-loading process broke: {error}"
        raise ChildProcessError(
            f"{what}; if memory ran out, a smaller loader.num_workers needs less"
        ) from error


def _rounded(value: Tensor | float) -> float | None:
    """As results.json has it; None where nothing could be measured, which JSON has no number for."""
    return round(float(value), 4) if math.isfinite(value) else None


def compare_with_initial(monitor: str, results: dict[str, float | None]) -> None:
    """Say what became of the weights that a training began with."""
    before, best = results[f"before {monitor}"], results.get(f"best {monitor}")
    if before is None or best is None:
        return
    log.info("%s before training %.1f, at best %.1f", monitor, before, best)
    if best < before:
        log.warning(
            "WARNING: these weights are worse than those it began with; more people, more epochs or a lower "
            "optimizer.lr are worth a try, or python -m blazepose.blend to go only part of the way"
        )
