"""Every config composes and builds its dataclasses."""

from pathlib import Path

import hydra
import pytest

from blazepose.data.augment import Augmentation
from blazepose.data.detector_windows import DetectorAugmentation
from blazepose.data.filters import PersonFilter
from blazepose.models.variants import landmark_variant
from blazepose.training.detector_loss_config import DetectorLossConfig
from blazepose.training.loss_config import LandmarkLossConfig
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.stages import Stages

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
    if cfg.model.name != "detector":
        landmark_variant(cfg.model.name, cfg.model.wiring)
    DetectorLossConfig(**cfg.detector.loss)
    DetectorAugmentation(**cfg.detector.windows)
    Stages(**cfg.stages)
    OptimizerConfig(**cfg.optimizer)
    LandmarkLossConfig(**cfg.loss)
    Augmentation(**cfg.augmentation)
    PersonFilter(**cfg.filter)
    assert all(":" in spec for split in ("train", "val", "test") for spec in cfg.data[split])


def test_no_ablation_leaves_a_part_untrained():
    regression, both = compose("experiment=ablation_regression"), compose("experiment=ablation_both")
    assert not regression.model.gradient_stop  # or its encoder would never learn
    assert (regression.loss.heatmap, regression.loss.offset) == (0, 0)
    assert both.model.gradient_stop
    assert both.loss.heatmap > 0
    assert {cfg.model.wiring for cfg in (regression, both, compose("experiment=ablation_heatmaps"))} == {
        "paper"
    }


def test_evaluation_config_composes():
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        assert hydra.compose("eval").roi == "annotation"


def test_config_and_code_agree_on_the_defaults():
    cfg = compose()
    assert Stages(**cfg.stages) == Stages()
    assert OptimizerConfig(**cfg.optimizer) == OptimizerConfig()
    assert LandmarkLossConfig(**cfg.loss) == LandmarkLossConfig()
    assert Augmentation(**cfg.augmentation) == Augmentation()
    assert PersonFilter(**cfg.filter) == PersonFilter()
    assert DetectorLossConfig(**cfg.detector.loss) == DetectorLossConfig()
    assert DetectorAugmentation(**cfg.detector.windows) == DetectorAugmentation()
