"""The command that trains; whole runs are in test_end_to_end.py."""

from contextlib import nullcontext

import pytest
from omegaconf import OmegaConf

from blazepose.atomic import file_sha256
from blazepose.commands import train
from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.config.train import LoaderConfig
from blazepose.data.datamodule import PoseDataModule
from blazepose.data.dataset import PoseDataset
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import LANDMARKS
from blazepose.training.callbacks import ImageLogger
from blazepose.training.fit import trainer_settings
from blazepose.training.landmark_module import LandmarkModule
from tests.training.saved_net import save


def settings(**changes):
    return trainer_settings(dict(OmegaConf.load("configs/trainer/default.yaml")) | changes)


@pytest.mark.parametrize(
    ("limit", "devices", "epochs"),
    [(None, 1, 20), (10, 1, 50), (0.4, 1, 50), (90, 1, 20), (None, 2, 39), (10, 2, 50)],
)
def test_auto_makes_500_steps_of_all_processes_and_limits(limit, devices, epochs):
    several = settings(accelerator="cpu", strategy="ddp", devices=devices, limit_train_batches=limit)
    cfg = OmegaConf.create({"stages": {"joint": "auto"}})
    stages = train.resolve_stages(cfg, Stages(joint="auto"), 200, 8, several)
    assert stages.joint == cfg.stages.joint == epochs


@pytest.mark.parametrize(
    ("typed", "start", "decoding"),
    [
        (None, None, "mediapipe"),
        (None, {"decoding": "heatmap"}, "heatmap"),
        (None, {"decoding": "regression", "precision": "fp16"}, "mediapipe"),
        ("mediapipe", {"decoding": "heatmap", "precision": "fp16"}, "mediapipe"),
    ],
)
def test_a_run_keeps_the_decoding_of_its_initial_weights(typed, start, decoding):
    cfg = OmegaConf.create({"decode": typed})
    assert train.resolve_decoding(cfg, start) == cfg.decode == decoding


@pytest.mark.parametrize("changed", [False, True])
def test_a_run_that_interpolates_begins_only_with_its_initial_weights(tmp_path, monkeypatch, changed):
    net, init = LandmarkNet(landmark_variant("lite", "mediapipe")), tmp_path / "init.ckpt"
    save(init, net)
    start = {"sha256": "0" * 64 if changed else file_sha256(init)}
    module = LandmarkModule(
        net,
        LandmarkLossConfig(),
        OptimizerConfig(interpolate=True),
        Stages(joint=1),
        SupervisedOutputs(landmarks=LANDMARKS),
        {"init": start, "recipe": {"init": str(init)}},
    )
    nothing = PoseDataset([], LANDMARK_INPUT)
    data = PoseDataModule(nothing, nothing, LoaderConfig(batch_size=8, num_workers=0))
    images = ImageLogger(print, print, tmp_path)
    fitted = []
    monkeypatch.setattr(train, "fit", lambda *arguments: fitted.append(arguments))
    with pytest.raises(ValueError, match="has changed") if changed else nullcontext():
        train.run(module, data, settings(accelerator="cpu"), images, "val/pck@0.2", None, "")
    assert bool(fitted) != changed
