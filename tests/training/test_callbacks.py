"""Checkpoints and weight averaging of a run."""

import shutil
from pathlib import Path

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.demos.boring_classes import BoringModel

from blazepose.training.callbacks import EMA, checkpoint_callbacks


class Scored(BoringModel):
    """Logs the given scores, one per epoch."""

    def __init__(self, scores):
        super().__init__()
        self.scores = scores

    def validation_step(self, batch, batch_idx):
        self.validated = self.layer.weight.detach().clone()

    def on_validation_epoch_end(self):
        self.log("val/pck@0.2", self.scores[self.current_epoch])

    def on_train_epoch_end(self):
        pass


def fit(folder, scores, resume=None, callbacks=(), monitor="val/pck@0.2"):
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=len(scores),
        limit_train_batches=2,
        limit_val_batches=1,
        num_sanity_val_steps=0,
        callbacks=[*checkpoint_callbacks(folder, monitor), *callbacks],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Scored(torch.tensor(scores)), ckpt_path=resume, weights_only=False)
    return trainer


def epochs(folder) -> dict[str, int]:
    found = {path.stem: torch.load(path, weights_only=False) for path in folder.glob("checkpoints/*.ckpt")}
    return {name: content["epoch"] for name, content in found.items()}


def test_last_is_the_last_epoch_and_best_the_best(tmp_path):
    trainer = fit(tmp_path, [10.0, 30.0, 20.0])
    assert epochs(tmp_path) == {"best": 1, "last": 2}
    assert trainer.checkpoint_callback.best_model_score == 30


@pytest.fixture(params=["absolute", "relative", "linked"])
def place(request, tmp_path, monkeypatch) -> Path:
    """A folder, named as train.py names `runs`, or in full."""
    monkeypatch.chdir(tmp_path)
    if request.param == "linked":
        (tmp_path / "disk").mkdir()
        (tmp_path / "runs").symlink_to(tmp_path / "disk")
    return tmp_path if request.param == "absolute" else Path("runs")


@pytest.mark.parametrize("moved", [False, True])
def test_a_resumed_run_restores_the_best_score(place, moved):
    fit(place / "here", [10.0, 30.0])
    folder = place / ("there" if moved else "here")
    if moved:
        shutil.move(place / "here", folder)
    fit(folder, [10.0, 30.0, 20.0], resume=folder / "checkpoints" / "last.ckpt")
    assert epochs(folder) == {"best": 1, "last": 2}
    fit(folder, [10.0, 30.0, 20.0, 40.0], resume=folder / "checkpoints" / "last.ckpt")
    assert epochs(folder) == {"best": 3, "last": 3}


def test_a_run_without_validation_keeps_its_weights_when_it_is_resumed(place):
    fit(place / "here", [0.0], monitor=None)
    fit(place / "here", [0.0, 0.0], resume=place / "here/checkpoints/last.ckpt", monitor=None)
    assert epochs(place / "here") == {"best": 1, "last": 1}


def test_the_average_is_what_is_validated_and_saved(tmp_path):
    trainer = fit(tmp_path, [10.0, 20.0], callbacks=[EMA(0.9)])
    content = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=False)
    saved = content["state_dict"]["layer.weight"]
    torch.testing.assert_close(saved, trainer.lightning_module.validated)
    assert not torch.equal(saved, content["current_model_state"]["layer.weight"])
