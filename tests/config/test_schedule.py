"""Order and epochs of the stages."""

import pytest

from blazepose.config.schedule import Stages


def test_stages_follow_each_other():
    stages = Stages(heatmap=2, regression=1, joint=3)
    assert [stages.at(epoch) for epoch in range(6)] == ["heatmap"] * 2 + ["regression"] + ["joint"] * 3
    assert stages.epochs == 6


def test_no_epochs_are_refused():
    with pytest.raises(ValueError, match=r"set stages\.joint"):
        Stages(0, 0, 0)


def test_negative_epochs_are_refused():
    with pytest.raises(ValueError, match=r"^stages\.heatmap=-1 must be a number from 0 up$"):
        Stages(heatmap=-1)


def test_few_people_get_more_epochs():
    recipe = Stages(joint="auto")
    assert recipe.resolve(steps_per_epoch=7).joint == 72, "504 steps"
    assert recipe.resolve(steps_per_epoch=25).joint == 20
    assert recipe.resolve(steps_per_epoch=10_000).joint == 20
    assert Stages(joint=3).resolve(steps_per_epoch=7).joint == 3
    with pytest.raises(ValueError, match=r"stages\.joint=many must be a number from 0 up, or auto"):
        Stages(joint="many")
    with pytest.raises(ValueError, match=r"stages\.joint=1\.5 must be a whole number"):
        Stages(joint=1.5)
