"""The command that trains; whole runs are in test_end_to_end.py."""

import pytest
from omegaconf import OmegaConf

from blazepose.commands.train import resolve_stages
from blazepose.config.schedule import Stages
from blazepose.training.fit import trainer_settings


@pytest.mark.parametrize(
    ("limit", "devices", "epochs"),
    [(None, 1, 20), (10, 1, 50), (0.4, 1, 50), (90, 1, 20), (None, 2, 39), (10, 2, 50)],
)
def test_auto_makes_500_steps_of_all_processes_and_limits(limit, devices, epochs):
    default = dict(OmegaConf.load("configs/trainer/default.yaml"))
    several = {"accelerator": "cpu", "strategy": "ddp", "devices": devices, "limit_train_batches": limit}
    cfg = OmegaConf.create({"stages": {"joint": "auto"}})
    settings = trainer_settings(default | several)
    stages = resolve_stages(cfg, Stages(joint="auto"), samples=200, batch_size=8, settings=settings)
    assert stages.joint == cfg.stages.joint == epochs
