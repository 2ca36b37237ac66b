"""Runs of version 4acb310 resume: its config keys, and the names under which Lightning stored states."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from blazepose.commands import train
from blazepose.config.detector import DetectorAugmentation
from blazepose.config.landmark import Augmentation, LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig
from blazepose.data.datamodule import PoseDataModule
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.callbacks import EMA
from blazepose.training.checkpoint import load_weights, read_checkpoint
from blazepose.training.old_keys import rename_config_keys

FIXTURE = Path(__file__).parents[1] / "fixtures" / "checkpoint_4acb310.json"
"""The last.ckpt of a run of 4acb310 after two epochs of three steps; of its tensors, the shapes."""


def build(value: Any) -> Any:
    """Restore an object of the fixture: tensors of its shapes, small and equal, and keys that are numbers."""
    if isinstance(value, list):
        return [build(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "items" in value:
        return {key: build(item) for key, item in value["items"]}
    if "shape" in value:
        dtype = getattr(torch, value.get("dtype", "float32"))
        return torch.full(value["shape"], float(value.get("value", 0.01)), dtype=dtype)
    return {key: build(item) for key, item in value.items()}


@pytest.fixture
def run(tmp_path, tiny_lsp) -> Path:
    """A run folder of the old version, on this test's data."""
    checkpoint = build(json.loads(FIXTURE.read_text()))
    checkpoint["current_model_state"] = {
        key: value.clone() for key, value in checkpoint["state_dict"].items()
    }
    config = checkpoint["blazepose"]["recipe"]
    config["data"] |= {"train": [f"lsp:{tiny_lsp}"], "val": [f"lsp:{tiny_lsp}"]}
    folder = tmp_path / "runs" / "landmark" / "run"
    (folder / "checkpoints").mkdir(parents=True)
    for name in ("best", "last"):
        torch.save(checkpoint, folder / "checkpoints" / f"{name}.ckpt")
    OmegaConf.save(config, folder / "config.yaml")
    return folder


def test_every_section_of_an_old_config_is_read(run):
    config = OmegaConf.load(run / "config.yaml")
    rename_config_keys(config)
    assert OptimizerConfig(**config.optimizer) == OptimizerConfig(warmup_steps=2)
    assert LandmarkLossConfig(**config.loss) == LandmarkLossConfig()
    assert Augmentation(**config.augmentation) == Augmentation()
    assert DetectorAugmentation(**config.detector.windows) == DetectorAugmentation()
    assert "optimiser" not in config
    again = config.copy()
    rename_config_keys(again)
    assert again == config


def test_weights_of_an_old_checkpoint_load(run):
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = read_checkpoint(path, for_resume=True)
    net = LandmarkNet(landmark_variant(checkpoint.metadata["model"], checkpoint.metadata["wiring"]))
    load_weights(net, checkpoint, path)
    assert {value.item() for value in net.tower.landmarks.bias} == {torch.tensor(0.01).item()}


def test_an_old_run_resumes(run, monkeypatch):
    restored = {}
    for kind in (EMA, PoseDataModule):

        def load(self, state, kind=kind, original=kind.load_state_dict):
            restored[kind] = state
            original(self, state)

        monkeypatch.setattr(kind, "load_state_dict", load)
    monkeypatch.chdir(run.parents[2])
    monkeypatch.setattr(sys, "argv", ["train.py", "ckpt=last", "stages.joint=3"])
    train.main()
    assert restored == {EMA: {"latest_update_step": 6}, PoseDataModule: {"first_epoch": 2}}
    results = json.loads((run / "results.json").read_text())
    assert results["epochs"] == 3
    assert results["best val/pck@0.2"] >= 4.2105
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["callbacks"]["AveragedWeights"] == {"latest_update_step": 9}
    assert OmegaConf.load(run / "config.yaml").optimizer.warmup_steps == 2
