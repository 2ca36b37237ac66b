"""Options: their checks and descriptions."""

import re
from dataclasses import dataclass

import pytest

from blazepose.config.landmark import Augmentation, LandmarkLossConfig, PersonFilter
from blazepose.config.option import Group, Key, Section, describe_section, describe_unknown, option
from blazepose.config.schedule import OptimizerConfig
from blazepose.config.train import LoaderConfig, ModelConfig


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (LandmarkLossConfig, {"heatmap_sigma": 0.0}, "loss.heatmap_sigma=0 must be a number from 0.0001 up"),
        (LandmarkLossConfig, {"heatmap": -1.0}, "loss.heatmap=-1 must be a number from 0 up"),
        (LandmarkLossConfig, {"world": float("nan")}, "loss.world=nan must be a number from 0 up"),
        (Augmentation, {"scale": 1.5}, "augmentation.scale=1.5 must be a number from 0 to 0.9"),
        (Augmentation, {"hflip_prob": 2.0}, "augmentation.hflip_prob=2 must be a number from 0 to 1"),
        (OptimizerConfig, {"lr": -1.0}, "optimizer.lr=-1 must be a number from 0 up"),
        (OptimizerConfig, {"lr": float("inf")}, "optimizer.lr=inf must be a number from 0 up"),
        (OptimizerConfig, {"ema_decay": 2.0}, "optimizer.ema_decay=2 must be a number from 0 to 0.9999999"),
        (LoaderConfig, {"num_workers": -1}, "loader.num_workers=-1 must be a number from 0 up, or auto"),
        (LoaderConfig, {"num_workers": "all"}, "loader.num_workers=all must be a number from 0 up, or auto"),
        (
            ModelConfig,
            {"wiring": "mine"},
            "model.wiring=mine is unknown; model.wiring is one of paper, mediapipe",
        ),
        (PersonFilter, {"min_labelled": 40}, "filter.min_labelled=40 must be a number from 0 to 33"),
    ],
)
def test_invalid_values_are_named(kind, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        kind(**values)


def test_a_word_beside_numbers():
    assert LoaderConfig(num_workers="auto").num_workers == "auto"
    assert LoaderConfig(num_workers=0).num_workers == 0


@dataclass(frozen=True)
class Oven(Section, name="kitchen.oven"):
    """Oven of the kitchen.

    More about it.
    """

    degrees: float = option(200.0, "temperature, degrees Celsius", 50, 275.5)
    fan: bool = option(True, "blow")
    shelves: list[str] = option(["top", "middle"], "shelves in use")
    cook: str | None = option(None, "person who cooks", choices=("me", "you"))


def test_sections_are_described():
    assert describe_section(Oven) == Group(
        "kitchen.oven",
        "Oven of the kitchen.",
        [
            Key("kitchen.oven.degrees", "200", "from 50 to 275.5", "temperature, degrees Celsius"),
            Key("kitchen.oven.fan", "true", "", "blow"),
            Key("kitchen.oven.shelves", "[top,middle]", "", "shelves in use"),
            Key("kitchen.oven.cook", "null", "me, you", "person who cooks"),
        ],
    )


def test_a_list_is_not_shared():
    Oven().shelves.append("bottom")
    assert Oven().shelves == ["top", "middle"]


def test_unknown_keys_get_those_of_similar_spelling():
    keys = ["optimizer.lr", "seed", "data.train"]
    assert describe_unknown("sede", keys) == "unknown config key 'sede'; did you mean seed?"
    assert describe_unknown("trian", keys) == "unknown config key 'trian'; did you mean data.train?"
    assert describe_unknown("xyz", keys) == "unknown config key 'xyz'; `blazepose config` prints all keys"
