"""AdamW and its schedule."""

import pytest

from blazepose.config.schedule import OptimizerConfig
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.optimizer import build_optimizer, learning_rate_factor


def test_biases_and_batchnorm_are_not_decayed():
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    decayed, plain = build_optimizer(net, OptimizerConfig(weight_decay=0.1)).param_groups
    assert decayed["weight_decay"] == 0.1
    assert plain["weight_decay"] == 0
    assert all(p.ndim == 4 for p in decayed["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(list(net.parameters()))


def test_each_stage_warms_up_and_decays():
    factor = learning_rate_factor(OptimizerConfig(warmup_steps=10, final_lr=0.01), [100, 200])
    assert factor(0) == pytest.approx(0.1)
    assert factor(10) == pytest.approx(1)
    assert factor(99) < 0.02
    assert factor(100) == pytest.approx(0.1)
    assert factor(110) == pytest.approx(1)
    assert factor(299) == pytest.approx(0.01, abs=1e-3)
    assert factor(300) == factor(10_000) == pytest.approx(0.01)


def test_short_stages_reach_the_peak_learning_rate():
    factor = learning_rate_factor(OptimizerConfig(warmup_steps=300), [10])
    assert max(factor(step) for step in range(10)) == pytest.approx(1, abs=0.05)
