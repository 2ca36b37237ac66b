"""Training in several processes: all that were started take part, and the loss of one is reported."""

import math
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from omegaconf import DictConfig, ListConfig
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

from blazepose.errors import leave_at_once
from blazepose.exceptions import InputError, ProcessError
from blazepose.rank import has_launcher, is_launched, mark_launcher

_POLL_S = 0.1
_PATIENCE_S = 10.0
"""Time for the main thread to notice a lost process; one that waits for a GPU never does."""

_LAUNCHERS: dict[str, tuple[type[Any], str]] = {
    "torchrun": (TorchElasticEnvironment, "GROUP_WORLD_SIZE"),
    "SLURM": (SLURMEnvironment, "SLURM_NNODES"),
}
"""Launcher: its Lightning environment, and the variable with the number of machines."""


def require_all_processes(trainer: Trainer) -> None:
    """Refuse settings for another number of processes than torchrun or SLURM has started.

    Raises:
        ValueError: names the settings to use.
    """
    for launcher, (environment, nodes_variable) in _LAUNCHERS.items():
        if not environment.detect():
            continue
        started, nodes = environment().world_size(), int(os.environ.get(nodes_variable, 1))
        if started != trainer.world_size:
            raise InputError(
                f"{launcher} started {started} processes, but trainer.num_nodes={trainer.num_nodes} and "
                f"trainer.devices={trainer.num_devices} make {trainer.world_size}: set trainer=ddp "
                f"trainer.num_nodes={nodes} trainer.devices={started // nodes}"
            )
        return


def batches_per_process(samples: int, batch_size: int, processes: int, limit: int | float) -> int:
    """Return the number of batches of an epoch on each process; `limit` is one of a trainer."""
    batches = math.ceil(samples / (batch_size * processes))
    return min(batches, limit) if isinstance(limit, int) else int(batches * limit)


def describe_processes(trainer: Trainer, batch_size: int, lr: float) -> list[str]:
    """Return lines about batch size and learning rate with several processes; none with one."""
    if trainer.world_size == 1:
        return []
    return [
        f"{trainer.world_size} processes (trainer.devices={trainer.num_devices}, "
        f"trainer.num_nodes={trainer.num_nodes}): a step takes {trainer.world_size * batch_size} samples, "
        f"loader.batch_size={batch_size} per process; optimizer.lr={lr:g} is not scaled by their number"
    ]


class OwnSignals(Callback):
    """Keeps the handler of SIGTERM: Lightning's starts a broadcast that the other processes do not expect."""

    def __init__(self) -> None:
        self._handler = signal.getsignal(signal.SIGTERM)

    def on_validation_start(self, *_: Any) -> None:
        signal.signal(signal.SIGTERM, self._handler)

    def on_train_start(self, *_: Any) -> None:
        signal.signal(signal.SIGTERM, self._handler)


def run_folder(trainer: Trainer) -> Path:
    """Return the run folder, from the folder of the checkpoints that Lightning sends to every process."""
    checkpoints = str(cast(ModelCheckpoint, trainer.checkpoint_callback).dirpath)
    return Path(os.path.relpath(checkpoints)).parent


@contextmanager
def watching(trainer: Trainer, how_to_resume: Callable[[], str]) -> Iterator[None]:
    """Watch the other processes of a trainer, and end this one when one of them is lost.

    Raises:
        ChildProcessError: names the lost process and how it ended, as far as this process can tell.
    """
    if trainer.world_size == 1:
        yield
        return
    watch = _Watch(trainer, how_to_resume)
    watch.start()
    try:
        yield
    except Exception as error:
        if lost := watch.lost(error):
            raise ProcessError(lost) from error
        raise
    except BaseException:
        watch.end_others()
        raise
    finally:
        watch.over.set()


class _Watch(threading.Thread):
    """Watches the processes that this one started, or the one that started it."""

    def __init__(self, trainer: Trainer, how_to_resume: Callable[[], str]) -> None:
        super().__init__(daemon=True, name="watch")
        self.over, self._noticed = threading.Event(), threading.Event()
        self._trainer, self._how_to_resume = trainer, how_to_resume
        self._others: list[subprocess.Popen] = []
        self._message: str | None = None
        if not is_launched():
            mark_launcher()

    def run(self) -> None:
        """Detect a lost process; the main thread reports it unless it is blocked."""
        while not self.over.wait(_POLL_S):
            self._adopt()
            if lost := self._lost():
                self._message = lost + self._log()
                self._noticed.set()
                self.end_others()
                if not self.over.wait(_PATIENCE_S):
                    leave_at_once(f"{self._message}; {self._how_to_resume()}")
                return

    def _adopt(self) -> None:
        """Take the processes over from Lightning, which would silently kill this one."""
        started = getattr(self._trainer.strategy.launcher, "procs", [])
        while started:
            self._others.append(started.pop(0))

    def _log(self) -> str:
        return f" (log: {run_folder(self._trainer) / 'train.log'})"

    def _lost(self) -> str | None:
        first = self._trainer.global_rank - self._trainer.local_rank
        if is_launched() and not has_launcher():
            return f"process {first} of this training is lost"
        for rank, process in enumerate(self._others, start=first + 1):
            if status := process.poll():
                killed = f"was killed by {signal.Signals(-status).name}" if status < 0 else None
                return f"process {rank} of this training {killed or f'ended with status {status}'}"
        return None

    def lost(self, error: Exception) -> str | None:
        """Return a message about the lost process that caused this error, if there is one."""
        broken = isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
        if broken and (self._others or is_launched()):
            self._noticed.wait(_PATIENCE_S)
        message = self._message
        self.end_others()
        if broken and message is None:
            reason = str(error).split("] ", 1)[-1].split(". ")[0]
            message = f"the connection to another process of this training broke: {reason}{self._log()}"
        return message

    def end_others(self) -> None:
        """Kill the processes that this one started."""
        self._adopt()
        for process in self._others:
            process.kill()


def first_device(trainer: DictConfig) -> torch.device:
    """Return the device of this process, before Lightning has chosen it."""
    if trainer.accelerator == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    rank = int(os.environ.get("LOCAL_RANK", 0))
    return torch.device("cuda", trainer.devices[rank] if isinstance(trainer.devices, ListConfig) else rank)
