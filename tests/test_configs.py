"""Every config composes and builds its dataclasses."""

from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

from blazepose.commands.config import GROUPS
from blazepose.config.detector import DetectorAugmentation, DetectorLossConfig
from blazepose.config.landmark import Augmentation, LandmarkLossConfig, PersonFilter
from blazepose.config.option import show_value
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.config.train import DataConfig, LoaderConfig, ModelConfig, TrainerConfig
from blazepose.hydra_app import from_config
from blazepose.models.variants import DETECTOR_VARIANTS, landmark_variant

CONFIGS = Path(__file__).parents[1] / "configs"
CHOICES = [
    f"{folder.name}={path.stem}"
    for folder in sorted(CONFIGS.iterdir())
    if folder.is_dir()
    for path in folder.glob("*.yaml")
]


def compose(*overrides: str):
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        return hydra.compose("train", list(overrides))


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_builds(choice):
    cfg = compose(choice)
    if cfg.model.name not in DETECTOR_VARIANTS:
        model = ModelConfig(**cfg.model)
        landmark_variant(model.name, model.wiring)
    DetectorLossConfig(**cfg.detector.loss)
    DetectorAugmentation(**cfg.detector.windows)
    Stages(**cfg.stages)
    OptimizerConfig(**cfg.optimizer)
    LandmarkLossConfig(**cfg.loss)
    Augmentation(**cfg.augmentation)
    PersonFilter(**cfg.filter)
    LoaderConfig(**cfg.loader)
    TrainerConfig(**cfg.trainer)
    from_config(DataConfig, cfg, "data")
    assert all(":" in spec for split in ("train", "val", "test") for spec in cfg.data[split])


def test_no_ablation_leaves_a_part_untrained():
    regression, both = compose("experiment=ablation_regression"), compose("experiment=ablation_both")
    assert not regression.model.gradient_stop  # or nothing would train the encoder
    assert (regression.loss.heatmap, regression.loss.offset) == (0, 0)
    assert both.model.gradient_stop
    assert both.loss.heatmap > 0
    assert {cfg.model.wiring for cfg in (regression, both, compose("experiment=ablation_heatmaps"))} == {
        "paper"
    }


@pytest.mark.parametrize("name", ["train", "eval"])
def test_every_key_is_described_with_its_default(name):
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        content = OmegaConf.to_container(hydra.compose(name))
    described = {key.name: key for group in GROUPS[name] for key in group.keys}
    assert all(key.meaning for key in described.values())
    described.pop("experiment", None)  # a group without a section
    assert {name: key.default for name, key in described.items()} == dict(leaves(content, ""))


def leaves(node: dict, path: str):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", show_value(value)
