"""Loss functions."""

import pytest
import torch

from blazepose.losses.landmark_losses import (
    binary_loss,
    coordinate_loss,
    heatmap_loss,
    mask_loss,
    masked_mean,
    offset_loss,
    position_loss,
)
from blazepose.targets.heatmaps import encode_heatmaps, encode_offsets

LABELLED = torch.tensor([[True, False]])


def test_masked_mean_ignores_nan_outside_the_mask():
    values = torch.tensor([[2.0, float("nan")]], requires_grad=True)
    mean = masked_mean(values, LABELLED)
    mean.backward()
    assert mean.item() == 2
    assert values.grad.tolist() == [[1, 0]]


def test_each_sample_counts_the_same_however_much_of_it_is_labelled():
    values = torch.tensor([[1.0, 3.0, 5.0], [9.0, 7.0, 7.0], [4.0, 4.0, 4.0]])
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    assert masked_mean(values, mask).item() == 4  # (3 + 9 + 0) / 3
    assert masked_mean(values[:, 0], mask[:, 0]).item() == pytest.approx(10 / 3)


def test_nothing_labelled_is_zero_with_a_gradient():
    values = torch.ones(1, 2, requires_grad=True)
    masked_mean(values, torch.zeros(1, 2, dtype=torch.bool)).backward()
    assert values.grad.tolist() == [[0, 0]]


def test_coordinate_loss_hand_worked():
    predicted = torch.tensor([[[0.3, 0.5], [9.0, 9.0]]])
    target = torch.tensor([[[0.1, 0.5], [0.0, 0.0]]])
    # Huber with beta 0.1: |0.2| - 0.05 = 0.15 in x, 0 in y, mean over the two axes.
    assert coordinate_loss(predicted, target, LABELLED, 0.1).item() == pytest.approx(0.075)


def test_position_loss_hand_worked():
    predicted = torch.tensor([[[0.34, 0.53], [9.0, 9.0]]])
    target = torch.tensor([[[0.30, 0.50], [0.0, 0.0]]])
    # Distance 0.05 at scale 0.05: log(1 + 1).
    assert position_loss(predicted, target, LABELLED, 0.05).item() == pytest.approx(0.693147)


def test_position_loss_chooses_one_of_two_places():
    """Three labels are at 0.2 and one at 0.8: the minimum is at the majority, a squared error's at 0.35."""
    x = torch.linspace(0, 1, 101)
    labels = torch.tensor([0.2, 0.2, 0.2, 0.8])
    costs = [
        position_loss(
            torch.tensor([[[float(v), 0.5]] * 4]),
            torch.stack([labels, torch.full((4,), 0.5)], dim=1)[None],
            torch.ones(1, 4, dtype=torch.bool),
            0.03,
        )
        for v in x
    ]
    assert x[torch.stack(costs).argmin()] == pytest.approx(0.2)


def test_nan_targets_of_unlabelled_points_leave_the_gradient_alone():
    predicted = torch.zeros(1, 2, 3, requires_grad=True)
    target = torch.tensor([[[1.0, 1.0, 1.0], [float("nan")] * 3]])
    coordinate_loss(predicted, target, LABELLED, 0.1).backward()
    position_loss(predicted[..., :2], target[..., :2], LABELLED, 0.1).backward()
    assert torch.isfinite(predicted.grad).all()


def test_binary_loss_counts_labelled_values_only():
    logits, labels = torch.tensor([[0.0, 50.0]]), torch.tensor([[1.0, 0.0]])
    assert binary_loss(logits, labels, LABELLED).item() == pytest.approx(0.693147)


def test_heatmap_loss_prefers_the_right_place():
    targets = encode_heatmaps(torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]), 64)
    wrong = encode_heatmaps(torch.tensor([[[0.6, 0.5], [0.5, 0.5]]]), 64)
    perfect, empty, misplaced = (
        heatmap_loss(logits, targets, LABELLED).item()
        for logits in (
            torch.logit(targets.clamp(1e-6, 1 - 1e-6)),
            torch.full_like(targets, -4.6),
            torch.logit(wrong.clamp(1e-6, 1 - 1e-6)),
        )
    )
    assert perfect == pytest.approx(1.64, abs=0.05)
    assert perfect < empty < misplaced


@pytest.mark.parametrize("peak", [1.0, 5.0])
def test_heatmaps_of_certain_points_become_the_gaussian(peak):
    targets = encode_heatmaps(torch.tensor([[[0.5, 0.5]]]), 64)
    logits = torch.logit(targets.double().clamp(1e-9, 1 - 1e-9)).requires_grad_()
    heatmap_loss(logits.float(), targets, torch.ones(1, 1, dtype=torch.bool), peak).backward()
    assert logits.grad.abs().max() < 1e-6


def test_heatmaps_of_uncertain_points_rise_with_the_peak_weight():
    """Three identical images, one of them with the point at this cell: 5 / (5 + 3 - 1)."""
    targets = torch.tensor([1.0, 0.0, 0.0])[:, None, None, None]
    logits = torch.full((1,), 5 / 7).logit().requires_grad_()
    labelled = torch.ones(3, 1, dtype=torch.bool)
    heatmap_loss(logits.expand(3, 1, 1, 1), targets, labelled, peak_weight=5.0).backward()
    assert logits.grad.item() == pytest.approx(0, abs=1e-6)


def test_offset_loss_uses_cells_near_labelled_points_only():
    points = torch.tensor([[[0.5, 0.5], [0.2, 0.2]]])
    targets, near = encode_offsets(points, 64)
    assert offset_loss(targets, targets, near, LABELLED).item() == 0
    off = targets + 1
    off[:, 0, :, :16] += 100  # far from the labelled point
    off[:, 1] += 100  # not labelled
    assert offset_loss(off, targets, near, LABELLED).item() == pytest.approx(1, abs=1e-5)


def test_mask_loss_hand_worked():
    logits = torch.tensor([[[[0.0, 0.0], [2.0, -2.0]]]])
    mask = torch.tensor([[[255, 128], [255, 0]]], dtype=torch.uint8)
    # log 2 twice, log(1 + e^-2) once; the last pixel is ignored.
    assert mask_loss(logits, mask).item() == pytest.approx((2 * 0.693147 + 0.126928) / 3, abs=1e-6)


def test_mask_loss_of_a_pixel_half_covered_is_lowest_halfway():
    logits = torch.full((1, 1, 1, 1), 63 / 127).logit().requires_grad_()
    mask_loss(logits, torch.full((1, 1, 1), 128 + 63, dtype=torch.uint8)).backward()
    assert logits.grad.item() == pytest.approx(0, abs=1e-6)


def test_ignored_pixels_have_no_mask_loss():
    mask = torch.randint(128, 256, (2, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mask[0, :3], mask[1] = 0, 0
    logits = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    loss = mask_loss(logits, mask)
    loss.backward()
    assert ((logits.grad[:, 0] != 0) == (mask != 0)).all()
    torch.testing.assert_close(mask_loss(logits + 9 * (mask == 0)[:, None], mask), loss)
    nothing = mask_loss(logits, torch.zeros_like(mask))
    nothing.backward()
    assert nothing == 0
