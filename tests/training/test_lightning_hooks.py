"""Hooks shared by the training of both networks."""

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import nn

from blazepose.models.encoder import Encoder
from blazepose.models.variants import DETECTOR_VARIANT
from blazepose.training.lightning_hooks import (
    check_finite,
    check_steps,
    clip_gradients,
    freeze_bn_stats,
    freeze_stages,
    steps_per_epoch,
)


class At(LightningModule):
    """A module at the beginning of an epoch."""

    trainer = current_epoch = None

    def __init__(self, epoch: int, done: int, planned: float) -> None:
        super().__init__()
        self.current_epoch = epoch
        self.trainer = SimpleNamespace(global_step=done, estimated_stepping_batches=planned)


@pytest.mark.parametrize(("epoch", "done"), [(0, 0), (1, 12), (4, 48)])
def test_a_run_resumes_with_the_same_number_of_steps(epoch, done):
    module = At(epoch, done, planned=60)
    assert steps_per_epoch(module, epochs=5) == 12
    check_steps(module, epochs=5)


@pytest.mark.parametrize(
    ("epoch", "done", "numbers"), [(2, 20, "10 steps per epoch and now has 12"), (2, 25, "12.5 steps")]
)
def test_another_number_of_steps_is_refused(epoch, done, numbers):
    with pytest.raises(
        ValueError, match=rf"the run had {numbers}.*trainer\.devices.*or start a new run with init="
    ):
        check_steps(At(epoch, done, planned=60), epochs=5)


def test_a_loss_that_is_not_finite_ends_the_run():
    check_finite(torch.tensor(True), 3)
    with pytest.raises(ValueError, match=r"infinite in epoch 3\. .* a lower optimizer\.lr"):
        check_finite(torch.tensor(False), 3)


LEVELS = ("stem", "at64", "at32", "at16", "at8")


@pytest.mark.parametrize("frozen", range(6))
def test_the_first_stages_keep_weights_and_statistics_and_the_others_train(frozen):
    torch.manual_seed(0)
    encoder = Encoder(DETECTOR_VARIANT.encoder).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    freeze_stages(encoder, frozen)
    optimizer = torch.optim.SGD([p for p in encoder.parameters() if p.requires_grad] or [nn.Parameter()], 0.1)
    features = torch.cat([part.flatten() for part in encoder(torch.randn(2, 3, 64, 64))])
    if features.requires_grad:
        features.square().mean().backward()
    optimizer.step()
    for level, name in enumerate(LEVELS):
        own = {key: value for key, value in encoder.state_dict().items() if key.startswith(f"{name}.")}
        changed = {key for key, value in own.items() if not torch.equal(value, before[key])}
        if level < frozen:
            assert not changed
        else:
            assert {key for key in own if "running" in key} <= changed
            assert any(key.endswith("conv.weight") for key in changed)
        assert all(m.training == (level >= frozen) for m in encoder.get_submodule(name).modules())


def test_statistics_are_frozen_while_scale_and_shift_train():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout()).train()
    freeze_bn_stats(net)
    assert [module.training for module in net] == [True, False, True]
    net(torch.randn(2, 3, 4, 4)).square().mean().backward()
    assert net[1].num_batches_tracked == 0
    assert net[1].weight.grad is not None


@pytest.mark.parametrize(("norm", "length"), [(None, 5), (0.0, 5), (1.0, 1), (9.0, 5)])
def test_gradients_are_clipped_to_their_norm(norm, length):
    net = nn.Linear(2, 1, bias=False)
    net.weight.grad = torch.tensor([[3.0, 4.0]])
    clip_gradients(net, norm)
    assert net.weight.grad.norm().item() == pytest.approx(length, rel=1e-4)
