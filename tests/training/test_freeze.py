"""Freezing of parts of a network."""

import pytest
import torch
from torch import nn

from blazepose.models.encoder import Encoder
from blazepose.models.variant_types import EncoderVariant
from blazepose.models.variants import landmark_variant
from blazepose.training.freeze import freeze_bn_stats, freeze_stages

LEVELS = ("stem", "at64", "at32", "at16", "at8")


@pytest.mark.parametrize("frozen", range(6))
def test_the_first_stages_keep_weights_and_statistics_and_the_others_train(frozen):
    torch.manual_seed(0)
    variant = landmark_variant("lite", "mediapipe").encoder
    assert isinstance(variant, EncoderVariant)
    encoder = Encoder(variant).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    freeze_stages(encoder, frozen)
    optimizer = torch.optim.SGD([p for p in encoder.parameters() if p.requires_grad] or [nn.Parameter()], 0.1)
    features = torch.cat([part.flatten() for part in encoder(torch.randn(2, 3, 64, 64))])
    if features.requires_grad:
        features.square().mean().backward()
    optimizer.step()
    for level, name in enumerate(LEVELS):
        state = {key: value for key, value in encoder.state_dict().items() if key.startswith(f"{name}.")}
        changed = {key for key, value in state.items() if not torch.equal(value, before[key])}
        if level < frozen:
            assert not changed
        else:
            assert {key for key in state if "running" in key} <= changed
            assert any(key.endswith("conv.weight") for key in changed)
        assert all(m.training == (level >= frozen) for m in encoder.get_submodule(name).modules())


def test_statistics_are_frozen_while_scale_and_shift_train():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout()).train()
    freeze_bn_stats(net)
    assert [module.training for module in net] == [True, False, True]
    net(torch.randn(2, 3, 4, 4)).square().mean().backward()
    assert net[1].num_batches_tracked == 0
    assert net[1].weight.grad is not None
