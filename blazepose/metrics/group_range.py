"""Range of group means, corrected for chance.

The range of measured group means overestimates that of the true ones, since it takes the two means with the
most extreme errors. This bias grows with the number of groups and shrinks with their size.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

FAIR, UNFAIR, UNDECIDED = "fair", "unfair", "undecided"

CRITERION = 7.5
"""Range of PDJ above which MediaPipe's model card calls a model unfair, in points, as it states."""

LEAST_PEOPLE = 20
"""Smallest group with a verdict. Chosen: MediaPipe's model card has a hundred people per group."""

DISCREPANCIES = 3
"""The criterion over human disagreement (100 minus the annotators' PDJ). Source: the model card."""

_HALVINGS = 30


class GroupSummary(NamedTuple):
    """Summary of groups, as below the tables of MediaPipe's model card.

    Attributes:
        average: unweighted mean of the group means.
        range: the largest mean minus the smallest.
        worst: name of the group with the smallest mean.
    """

    average: float
    range: float
    worst: str


def summarize_groups(means: Mapping[str, float]) -> GroupSummary:
    """Summarize the means of one or more groups, by name."""
    values = list(means.values())
    return GroupSummary(
        sum(values) / len(values), max(values) - min(values), min(means, key=means.__getitem__)
    )


class TrueRange(NamedTuple):
    """Estimate of the true range of group means.

    Attributes:
        low: lower 97.5 % confidence bound.
        corrected: bias-corrected range: that of true means, spread as the measured ones, whose measured range
            is on average as observed; 0 if chance alone gives a larger one.
        high: upper 97.5 % confidence bound.
        apart: rows of the two groups that differ by at least `low`, the worse one first.
    """

    low: float
    corrected: float
    high: float
    apart: tuple[int, int]


def true_range(means: np.ndarray, resampled: np.ndarray) -> TrueRange:
    """Estimate the range of the true means of two or more groups of different people.

    `low` is a simultaneous bound on all pairwise differences, by the bootstrap distribution of the largest
    studentized one (Tukey 1953), since groups differ in size and spread. `high` is an intersection-union
    bound (Berger 1982): if the true range is above it, so is the difference of one pair, and the bound of
    that pair fails in 2.5 of 100 cases. It is the larger of two: around the resampled differences, which the
    pseudo-people of every group shrink, and around the measured difference.

    Args:
        means: (groups,).
        resampled: (draws, groups) bootstrap means (metrics.bootstrap) with `added=2`: with 1, `high` is too
            low too often where a few in a hundred people fail.
    """
    shift = resampled.mean(axis=0)
    noise = resampled - shift
    first, second = np.triu_indices(len(means), 1)
    largest, errors, high = np.zeros(len(noise)), [], 0.0
    for k in range(len(means) - 1):
        difference, chance = means[k] - means[k + 1 :], noise[:, k, None] - noise[:, k + 1 :]
        errors.append(np.maximum(chance.std(axis=0), np.finfo(float).tiny))
        largest = np.maximum(largest, (np.abs(chance) / errors[-1]).max(axis=1))
        below, above = np.percentile(chance, (2.5, 97.5), axis=0)
        for middle in (difference, shift[k] - shift[k + 1 :]):
            high = max(high, (middle + above).max(), (-middle - below).max())
    lows = np.abs(means[first] - means[second]) - np.percentile(largest, 97.5) * np.concatenate(errors)
    pair = int(lows.argmax())
    worse, better = sorted((int(first[pair]), int(second[pair])), key=lambda row: means[row])
    return TrueRange(max(0.0, float(lows[pair])), _corrected(means, noise), float(high), (worse, better))


def _corrected(means: np.ndarray, noise: np.ndarray) -> float:
    measured, shape = np.ptp(means), means - means.mean()
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.ptp(middle * shape + noise, axis=1).mean() < measured:
            low = middle
        else:
            high = middle
    return float(low * measured)


def verdict(true: TrueRange, criterion: float) -> str:
    """Return unfair if the lower bound is above the criterion, fair if the upper is below, else undecided."""
    return UNFAIR if true.low > criterion else FAIR if true.high < criterion else UNDECIDED
