"""Prediction variance over label variance."""

import pytest
import torch

from blazepose.metrics.spread import VarianceRatio

VALID = torch.ones(50, 4, dtype=torch.bool)


def ratio(predicted, target, labelled=VALID, index=None) -> float:
    metric = VarianceRatio()
    index = torch.arange(len(predicted)) if index is None else index
    for part in (slice(0, 20), slice(20, 40), slice(40, None)):
        metric.update(index[part], predicted[part], target[part], labelled[part])
    return metric.compute().item()


def test_collapse_is_zero_and_truth_is_one():
    target = torch.rand(50, 4, 2)
    assert ratio(torch.full((50, 4, 2), 0.4), target) == pytest.approx(0, abs=1e-6)
    assert ratio(target, target) == pytest.approx(1)
    assert ratio(0.5 * target + 0.2, target) == pytest.approx(0.25)


def test_unlabelled_points_do_not_count():
    target, labelled = torch.rand(50, 4, 2), VALID.clone()
    labelled[:, 3] = False
    predicted = target.clone()
    predicted[:, 3] = 1e6 * torch.rand(50, 2)
    assert ratio(predicted, target, labelled) == pytest.approx(1)


def test_a_repeated_sample_counts_once():
    target = torch.rand(50, 4, 2)
    predicted = 0.3 * target + 0.1 * torch.rand(50, 4, 2)
    twice = torch.arange(60) % 50
    valid = torch.ones(60, 4, dtype=torch.bool)
    assert ratio(predicted[twice], target[twice], valid, twice) == pytest.approx(ratio(predicted, target))
