"""The trainer of a run."""

import json
import logging
import multiprocessing
import os
import signal
import time

import pytest
import torch
from omegaconf import OmegaConf
from pytorch_lightning import LightningDataModule, Trainer
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.demos.boring_classes import BoringModel, RandomDataset
from torch.utils.data import DataLoader, Dataset

from blazepose.atomic import full_disk
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.training import fit
from blazepose.training.callbacks import checkpoint_callbacks
from blazepose.training.fit import (
    AtomicCheckpointIO,
    build_trainer,
    compare_with_initial,
    set_seed,
    trainer_settings,
    validates,
)
from tests.small_disk import small_disk


def trainer_with(folder, **changes):
    settings = dict(OmegaConf.load("configs/trainer/default.yaml"))
    settings |= {"accelerator": "cpu", "limit_train_batches": 4, "limit_val_batches": 0, **changes}
    callbacks = [*checkpoint_callbacks(folder, monitor=None), TQDMProgressBar()]  # those of a run
    return build_trainer(folder, trainer_settings(settings), OptimizerConfig(), Stages(joint=9), callbacks)


class SlowModel(BoringModel):
    def on_train_batch_end(self, *_):
        time.sleep(0.3)


def test_time_is_up_at_the_end_of_an_epoch(tmp_path):
    trainer = trainer_with(tmp_path, max_time="00:00:00:01")
    trainer.fit(SlowModel())
    assert trainer.current_epoch == 1
    assert trainer.global_step == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"max_time": "2h"}, "days:hours:minutes:seconds"),
        ({"precision": "16-mixed"}, "bf16-mixed"),
        ({"precision": "fp8"}, r"trainer: .*fp8"),
        ({"devices": "abc"}, r"trainer: .*devices=abc"),
        ({"strategy": "dpp"}, r"trainer: .*dpp"),
        ({"accelerator": "tpu"}, r"trainer: .*accelerator=tpu"),
    ],
)
def test_invalid_settings_raise_one_sentence(tmp_path, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        trainer_with(tmp_path, **change)


def test_a_kill_while_writing_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoints" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)

    def half(content, file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


def test_runs_write_whole_files(tmp_path):
    assert isinstance(trainer_with(tmp_path).strategy.checkpoint_io, AtomicCheckpointIO)


def test_several_processes_allow_parameters_without_gradient():
    settings = dict(OmegaConf.load("configs/trainer/default.yaml")) | {"accelerator": "cpu"}
    assert trainer_settings(settings)["strategy"] == "auto"
    several = trainer_settings(settings | {"strategy": "ddp", "devices": 2})
    assert several["strategy"] == "ddp_find_unused_parameters_true"
    one = trainer_settings(settings | {"strategy": "ddp", "devices": 1})
    assert one["strategy"] == "ddp_find_unused_parameters_true"


@pytest.mark.parametrize("seed", [-1, "abc", 2**32])
def test_invalid_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=f"seed={seed}: a whole number"):
        set_seed(seed)


@pytest.mark.parametrize(
    ("supported", "precision"), [(True, "bf16-mixed"), (False, "32-true")], ids=["Ampere", "Turing"]
)
def test_bfloat16_only_where_the_gpu_computes_in_it(monkeypatch, supported, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr(fit, "trial_trainer", lambda settings: Trainer(accelerator="cpu", logger=False))
    settings = dict(OmegaConf.load("configs/trainer/default.yaml"))
    assert trainer_settings(settings)["precision"] == precision


@pytest.mark.parametrize(
    ("limit", "every", "epochs", "validated"),
    [(None, 1, 3, True), (0, 1, 3, False), (None, 5, 3, False), (0.5, 5, 5, True)],
)
def test_validates_is_true_if_an_epoch_validates(limit, every, epochs, validated):
    settings = {"limit_val_batches": limit, "check_val_every_n_epoch": every}
    assert validates(settings, Stages(joint=epochs)) == validated


@pytest.mark.parametrize(("best", "worse"), [(70.0, False), (60.0, False), (59.9, True)])
def test_a_training_that_degrades_the_weights_logs_a_warning(caplog, best, worse):
    with caplog.at_level(logging.INFO, "blazepose"):
        compare_with_initial("val/pck@0.2", {"before val/pck@0.2": 60.0, "best val/pck@0.2": best})
    assert f"val/pck@0.2 before training 60.0, at best {best:.1f}" in caplog.text
    assert ("these weights are worse than the initial ones" in caplog.text) == worse


def test_without_a_metric_nothing_is_compared(caplog):
    with caplog.at_level(logging.INFO, "blazepose"):
        compare_with_initial("val/ap", {"before val/ap": None, "best val/ap": 3.0})
        compare_with_initial("val/ap", {"before val/ap": 3.0})
    assert caplog.text == ""


class Described(BoringModel):
    """A model whose checkpoints have metadata."""

    def __init__(self, **metadata):
        super().__init__()
        self.metadata = metadata

    def on_save_checkpoint(self, checkpoint):
        checkpoint["blazepose"] = self.metadata


@pytest.mark.parametrize(("metadata", "left"), [({}, True), ({"blend": {"share": 0.5}}, False)])
def test_a_run_stopped_before_its_interpolation_ends_when_it_is_resumed(tmp_path, caplog, metadata, left):
    data = LightningDataModule.from_datasets(RandomDataset(32, 4), batch_size=1)
    trainer_with(tmp_path).fit(Described(**metadata), data)
    last = tmp_path / "checkpoints/last.ckpt"
    with caplog.at_level(logging.INFO, "blazepose"):
        fit.fit(
            trainer_with(tmp_path),
            Described(),
            data,
            tmp_path,
            last,
            "",
            True,
            lambda: {"interpolated at": 0.25},
        )
    results = tmp_path / "results.json"
    assert results.is_file() == left
    assert ("this run is complete" in caplog.text) != left
    if left:
        assert json.loads(results.read_text())["interpolated at"] == 0.25


class Doomed(Dataset):
    """Samples whose worker is killed, as if memory ran out, or gets no shared memory."""

    def __init__(self, fate):
        self.fate = fate

    def __len__(self):
        return 8

    def __getitem__(self, item):
        if item == 5:
            self.fate()
        return torch.ones(32)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def no_shared_memory():
    raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left (28)")


@pytest.mark.parametrize(
    ("fate", "sentence"),
    [
        (
            killed,
            r"^(DataLoader worker \(pid \d+\) is killed by signal: Killed|the connection .*); if memory",
        ),
        (
            no_shared_memory,
            r"^unable to allocate shared memory.*; if memory ran out, a smaller",
        ),
    ],
)
def test_a_lost_worker_raises_one_sentence_with_the_command_to_resume(tmp_path, monkeypatch, fate, sentence):
    run = tmp_path / "run"
    trainer = trainer_with(run, limit_train_batches=8)
    monkeypatch.chdir(tmp_path)
    data = LightningDataModule.from_datasets(Doomed(fate), batch_size=1, num_workers=1)
    with pytest.raises(ChildProcessError, match=sentence) as raised:
        fit.fit(trainer, BoringModel(), data, run, None, "", pretrained=False)
    assert raised.value.__notes__ == ["no epoch was complete: start the training again"]
    # Torch raises again, at any later line, when a worker that it still watches ends.
    assert multiprocessing.active_children() == []


def test_a_lost_worker_after_the_last_epoch_raises_the_same(tmp_path, monkeypatch):
    run = tmp_path / "run"
    trainer = trainer_with(run)
    monkeypatch.chdir(tmp_path)
    data = LightningDataModule.from_datasets(RandomDataset(32, 8), batch_size=2)

    def finish():
        list(DataLoader(Doomed(no_shared_memory), num_workers=1))

    with pytest.raises(ChildProcessError, match=r"^unable to allocate shared memory") as raised:
        fit.fit(trainer, Described(), data, run, None, "", pretrained=False, finish=finish)
    assert raised.value.__notes__ == ["blazepose train ckpt=run resumes the training"]


def test_a_full_disk_keeps_the_last_checkpoint_and_names_the_command_to_resume(tmp_path, monkeypatch):
    run = tmp_path / "run"
    trainer = trainer_with(run)
    monkeypatch.chdir(tmp_path)
    data = LightningDataModule.from_datasets(RandomDataset(32, 8), batch_size=2)
    real, disk = torch.save, []

    def save(content, file):
        disk.append(content["epoch"])
        if content["epoch"] < 2:
            return real(content, file)
        with small_disk(1000):
            real(content, file)
            file.flush()

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises((OSError, RuntimeError)) as raised:
        fit.fit(trainer, BoringModel(), data, run, None, "", pretrained=False)
    assert disk == [0, 0, 1, 1, 2]
    assert full_disk(raised.value).filename == str(run / "checkpoints" / "best.ckpt")
    assert raised.value.__notes__ == ["blazepose train ckpt=run resumes the training"]
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 1
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert not (run / "results.json").exists()
