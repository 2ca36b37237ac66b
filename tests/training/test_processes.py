"""Number of processes, and errors when one is lost."""

import queue
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from omegaconf import OmegaConf
from pytorch_lightning import Trainer
from pytorch_lightning.demos.boring_classes import BoringModel, RandomDataset
from torch.utils.data import DataLoader

from blazepose.training import processes
from blazepose.training.fit import trainer_settings
from blazepose.training.processes import batches_per_process, describe_processes, watching

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "GROUP_RANK": "0",
    "WORLD_SIZE": "2",
    "GROUP_WORLD_SIZE": "2",
}
SLURM = {
    "SLURM_JOB_NAME": "train",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "4",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NNODES": "2",
}


def settings(**changes):
    return trainer_settings(
        dict(OmegaConf.load("configs/trainer/default.yaml")) | {"accelerator": "cpu"} | changes
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            TORCHRUN,
            r"^torchrun started 2 processes, .* 1: set trainer=ddp trainer.num_nodes=2 trainer.devices=1$",
        ),
        (
            TORCHRUN | {"GROUP_WORLD_SIZE": "1"},
            r"trainer.num_nodes=1 and trainer.devices=1 make 1: set .*num_nodes=1 trainer.devices=2$",
        ),
        (SLURM, r"^SLURM started 4 processes, .*: set trainer=ddp trainer.num_nodes=2 trainer.devices=2$"),
        (
            {name: value for name, value in SLURM.items() if name != "SLURM_NTASKS_PER_NODE"},
            r"^trainer: .*--ntasks-per-node",
        ),
    ],
)
def test_wrong_numbers_of_processes_raise_one_sentence(monkeypatch, variables, sentence):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=sentence):
        settings()


def test_the_right_numbers_are_accepted(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert settings(num_nodes=2, devices=1)["strategy"] == "ddp_find_unused_parameters_true"


def test_the_log_has_the_total_batch_size_of_several_processes():
    several = Mock(Trainer, world_size=6, num_devices=3, num_nodes=2)
    assert describe_processes(several, 32, 6e-3) == [
        "6 processes (trainer.devices=3, trainer.num_nodes=2): a step takes 192 samples, "
        "loader.batch_size=32 per process; optimizer.lr=0.006 is not scaled by their number"
    ]
    assert describe_processes(Mock(Trainer, world_size=1), 32, 6e-3) == []


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """The first of three processes, and the processes that Lightning has started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLAZEPOSE_LAUNCHER", "")
    monkeypatch.delenv("BLAZEPOSE_LAUNCHER")
    started = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)]
    yield Mock(
        Trainer,
        world_size=3,
        global_rank=0,
        local_rank=0,
        strategy=SimpleNamespace(launcher=SimpleNamespace(procs=list(started))),
        checkpoint_callback=SimpleNamespace(dirpath=str(tmp_path / "run" / "checkpoints")),
        started=started,
    )
    assert all(process.wait(3600) for process in started)  # ended with it


def wait_and_fail(error: Exception) -> None:
    time.sleep(0.3)
    raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[gloo/pair.cc:561] Connection closed by peer"),
        torch.distributed.DistBackendError("NCCL error"),
    ],
)
def test_a_lost_process_is_named_and_the_others_end(trainer, error):
    trainer.started[1].send_signal(signal.SIGKILL)
    sentence = r"^process 2 of this training was killed by SIGKILL \(log: run/train.log\)$"
    with pytest.raises(ChildProcessError, match=sentence), watching(trainer, str):
        wait_and_fail(error)
    assert trainer.started[0].wait(3600) == -signal.SIGKILL


def test_a_process_that_waits_for_a_lost_one_ends_too(trainer, monkeypatch):
    """As on a GPU, where the main thread never comes back."""
    sentences = queue.Queue()
    monkeypatch.setattr(processes, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(processes, "leave_at_once", sentences.put)
    trainer.started[1].stdin.close()  # ends with an error
    with watching(trainer, lambda: "ckpt=run resumes"):
        sentence = sentences.get(timeout=3600)
    assert sentence == "process 2 of this training ended with status 1 (log: run/train.log); ckpt=run resumes"


def test_other_errors_pass_unchanged_and_end_the_others(trainer):
    with pytest.raises(ValueError, match="a bug"), watching(trainer, str):
        wait_and_fail(ValueError("a bug"))


def test_processes_of_other_machines_are_lost_with_their_connection(trainer):
    trainer.strategy.launcher.procs.clear()
    for process in trainer.started:
        process.kill()
    broken = "^the connection to another process of this training broke: Connection closed by peer .log: "
    with pytest.raises(ChildProcessError, match=broken), watching(trainer, str):
        wait_and_fail(RuntimeError("[gloo/pair.cc:561] Connection closed by peer. This is typically..."))


@pytest.mark.parametrize("limit", [None, 3, 9, 0.5])
def test_batches_are_counted_as_by_the_trainer(limit):
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, limit_train_batches=limit, logger=False, enable_checkpointing=False
    )
    trainer.fit(BoringModel(), DataLoader(RandomDataset(32, 13), batch_size=2))
    assert batches_per_process(13, 2, 1, trainer.limit_train_batches) == trainer.global_step
