"""The trainer of a run."""

import time

import pytest
from omegaconf import OmegaConf
from pytorch_lightning.demos.boring_classes import BoringModel

from blazepose.training.fit import build_trainer
from blazepose.training.optimiser import OptimiserConfig
from blazepose.training.stages import Stages


def trainer_with(folder, **changes):
    settings = dict(OmegaConf.load("configs/trainer/default.yaml"))
    settings |= {"accelerator": "cpu", "limit_train_batches": 4, "limit_val_batches": 0, **changes}
    return build_trainer(folder, settings, OptimiserConfig(), Stages(joint=9), [])


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
    [({"max_time": "2h"}, "days:hours:minutes:seconds"), ({"precision": "16-mixed"}, "bf16-mixed")],
)
def test_settings_that_cannot_be_are_one_sentence(tmp_path, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        trainer_with(tmp_path, **change)
