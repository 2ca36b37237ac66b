"""Hooks shared by the training of both networks."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.training.optimizer import learning_rate_factor
from blazepose.training.pose_module import PoseModule


class Module(PoseModule):
    """A module in an epoch, with logs in a dictionary."""

    trainer = current_epoch = None

    def __init__(self, epoch: int = 0, done: int = 0, planned: float = 60) -> None:
        weights = SimpleNamespace(near=2.0, far=0.5)
        super().__init__(
            nn.Linear(2, 1, bias=False), weights, OptimizerConfig(), Stages(2, 0, 3), {"task": "test"}
        )
        self.current_epoch = epoch
        self.trainer = SimpleNamespace(global_step=done, estimated_stepping_batches=planned)
        self.logged = {}

    def log(self, name, value, **_) -> None:
        self.logged[name] = value

    def log_dict(self, values) -> None:
        self.logged |= values


@pytest.mark.parametrize(("epoch", "done"), [(0, 0), (1, 12), (4, 48)])
def test_a_run_resumes_with_the_same_number_of_steps(epoch, done):
    Module(epoch, done, planned=60).on_train_epoch_start()


@pytest.mark.parametrize(
    ("epoch", "done", "numbers"), [(2, 20, "10 steps per epoch and now has 12"), (2, 25, "12.5 steps")]
)
def test_another_number_of_steps_is_refused(epoch, done, numbers):
    with pytest.raises(
        ValueError, match=rf"the run had {numbers}.*trainer\.devices.*or start a new run with init="
    ):
        Module(epoch, done, planned=60).on_train_epoch_start()


def test_terms_are_weighted_and_logged():
    module = Module()
    loss = module.total_loss({"near": torch.tensor(3.0), "far": torch.tensor(4.0)}, 0)
    assert loss == 2.0 * 3.0 + 0.5 * 4.0
    assert module.logged == {"train/loss": loss, "train/loss_near": 3.0, "train/loss_far": 4.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("check", ["on_train_epoch_end", "on_validation_start"])
def test_a_loss_that_is_not_finite_ends_the_run(value, check):
    module = Module(epoch=3)
    module.total_loss({"near": torch.tensor(1.0)}, 0)
    getattr(module, check)()
    module.total_loss({"near": torch.tensor(value)}, 1)
    module.total_loss({"near": torch.tensor(1.0)}, 2)
    with pytest.raises(ValueError, match=r"infinite in epoch 3\. .* a lower optimizer\.lr"):
        getattr(module, check)()


def test_the_loss_is_checked_within_an_epoch():
    module = Module()
    module.total_loss({"near": torch.tensor(float("nan"))}, 9)
    with pytest.raises(ValueError, match="infinite in epoch 0"):
        module.total_loss({"near": torch.tensor(1.0)}, 10)


def test_the_schedule_follows_the_stages():
    module = Module(planned=60)
    schedule = module.configure_optimizers()["lr_scheduler"]
    assert schedule["interval"] == "step"
    (factor,) = {*schedule["scheduler"].lr_lambdas}
    expected = learning_rate_factor(module.optimizer_config, [2 * 12, 3 * 12])
    assert [factor(step) for step in range(60)] == [expected(step) for step in range(60)]


@pytest.mark.parametrize(("norm", "length"), [(None, 5), (0.0, 5), (1.0, 1), (9.0, 5)])
def test_gradients_are_clipped_to_their_norm(norm, length):
    module = Module()
    weight = module.net.weight
    weight.grad = torch.tensor([[3.0, 4.0]])
    module.configure_gradient_clipping(None, norm)
    assert weight.grad.norm().item() == pytest.approx(length, rel=1e-4)


def test_checkpoints_hold_the_metadata():
    checkpoint = {}
    Module().on_save_checkpoint(checkpoint)
    assert checkpoint == {"blazepose": {"task": "test"}}
