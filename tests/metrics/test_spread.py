"""Prediction variance over label variance."""

import pytest
import torch

from blazepose.metrics.spread import VarianceRatio

KNOWN = torch.ones(50, 4, dtype=torch.bool)


def ratio(predicted, target, labelled=KNOWN) -> float:
    metric = VarianceRatio(4)
    for part in range(0, 50, 20):
        metric.update(predicted[part : part + 20], target[part : part + 20], labelled[part : part + 20])
    return metric.compute().item()


def test_collapse_is_zero_and_truth_is_one():
    target = torch.rand(50, 4)
    assert ratio(torch.full((50, 4), 0.4), target) == pytest.approx(0, abs=1e-9)
    assert ratio(target, target) == pytest.approx(1)
    assert ratio(0.5 * target + 0.2, target) == pytest.approx(0.25)


def test_unlabelled_points_do_not_count():
    target, labelled = torch.rand(50, 4), KNOWN.clone()
    labelled[:, 3] = False
    predicted = target.clone()
    predicted[:, 3] = 1e6 * torch.rand(50)
    assert ratio(predicted, target, labelled) == pytest.approx(1)
