"""Losses of the detector, worked by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from blazepose.losses.detector_losses import box_regression_loss, focal_loss


def flags(*values: int) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.bool)


def test_focal_loss_hand_worked():
    """Scores of 0.5 for the positive anchor and 0.25 for the negative one: errors of 0.5 and 0.25."""
    logits = torch.tensor([[0.0, -math.log(3)]])
    loss = focal_loss(logits, flags(1, 0), flags(0, 1), gamma=2.0, alpha=0.3)
    expected = 0.3 * 0.25 * math.log(2) + 0.7 * 0.0625 * math.log(4 / 3)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_with_gamma_0_it_is_half_of_cross_entropy():
    logits = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    positive = torch.arange(100).reshape(2, 50) % 9 == 0  # 12 of them
    loss = focal_loss(logits, positive, ~positive, gamma=0.0, alpha=0.5)
    total = F.binary_cross_entropy_with_logits(logits, positive.float(), reduction="sum")
    torch.testing.assert_close(loss, total / 2 / 12)


def test_anchors_that_are_neither_are_ignored():
    logits = torch.tensor([[0.5, -0.5, 7.0]], requires_grad=True)
    loss = focal_loss(logits, flags(1, 0, 0), flags(0, 1, 0), gamma=2.0, alpha=0.5)
    loss.backward()
    assert logits.grad[0, 2] == 0
    assert (logits.grad[0, :2] != 0).all()
    without = focal_loss(logits[:, :2], flags(1, 0), flags(0, 1), gamma=2.0, alpha=0.5)
    torch.testing.assert_close(loss, without)


def test_without_people_the_loss_is_that_of_the_negatives():
    loss = focal_loss(torch.zeros(1, 3), flags(0, 0, 0), flags(1, 1, 1), gamma=1.0, alpha=0.4)
    assert loss.item() == pytest.approx(3 * 0.6 * 0.5 * math.log(2))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_confident_anchors_have_a_finite_gradient(gamma):
    logits = torch.tensor([[100.0, -100.0, 100.0, -100.0]], requires_grad=True)
    focal_loss(logits, flags(1, 0, 0, 1), flags(0, 1, 1, 0), gamma, alpha=0.5).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0].sign().tolist() == [0, 0, 1, -1]


def test_box_regression_loss_hand_worked():
    """Huber with beta 0.1: of 0.2 and 0.4 sides 0.15 and 0.35, of 0.05 sides 0.0125."""
    predicted = torch.tensor([[0.1, -0.2], [0.05, 9.0]])
    labelled = torch.tensor([[True, True], [True, False]])
    loss = box_regression_loss(predicted, torch.zeros(2, 2), labelled, torch.tensor([0.5, 1.0]), beta=0.1)
    assert loss.item() == pytest.approx((0.15 + 0.35 + 0.0125) / 3)


def test_nan_in_unlabelled_values_is_ignored():
    predicted = torch.zeros(1, 3, requires_grad=True)
    target = torch.tensor([[1.0, float("nan"), 5.0]])
    loss = box_regression_loss(
        predicted, target, torch.tensor([[True, False, False]]), torch.tensor([1.0]), beta=0.1
    )
    loss.backward()
    assert loss.item() == pytest.approx(0.95)
    assert predicted.grad.tolist() == [[-1, 0, 0]]


@pytest.mark.parametrize("anchors", [0, 2])
def test_nothing_labelled_is_zero_with_a_gradient(anchors):
    predicted = torch.ones(5, 4, requires_grad=True)
    rows, nothing = predicted[:anchors], torch.zeros(anchors, 4, dtype=torch.bool)
    loss = box_regression_loss(rows, torch.zeros(anchors, 4), nothing, torch.ones(anchors), beta=0.1)
    loss.backward()
    assert loss == 0
    assert predicted.grad.tolist() == [[0] * 4] * 5
