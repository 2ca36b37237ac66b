"""Descriptions of the networks, data sets and recipes that a training selects by name."""

import re

import pytest

from blazepose.config.option import describe_section
from blazepose.config.train import DataConfig, ModelConfig, RunConfig, TrainerConfig
from blazepose.hydra_app import CONFIGS
from blazepose.models.variants import VARIANTS

(RECIPES,) = [key.meaning for key in describe_section(RunConfig).keys if key.name == "experiment"]


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("model", ModelConfig.__doc__),
        ("data", DataConfig.__doc__),
        ("trainer", TrainerConfig.__doc__),
        ("experiment", RECIPES.replace("ablation_*", " ".join(p.stem for p in CONFIGS.glob("*/ablation_*")))),
    ],
)
def test_every_file_of_a_group_is_named(group, text):
    assert {path.stem for path in (CONFIGS / group).glob("*.yaml")} <= set(re.findall(r"\w+", text))


def test_wirings_are_those_of_the_variants():
    keys = describe_section(ModelConfig).keys
    (wirings,) = [key.allowed.split(", ") for key in keys if key.name == "model.wiring"]
    assert set(wirings) == {name for variant in VARIANTS.values() for name in variant}
