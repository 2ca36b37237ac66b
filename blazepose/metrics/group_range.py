"""How far apart groups of people are, and whether that is more than chance.

The range of measured group means is larger than that of the true ones: each mean is off by chance, and the
range takes the two that are off most. It grows with the number of groups and shrinks with their size.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

FAIR, UNFAIR, UNDECIDED = "fair", "unfair", "undecided"

CRITERION = 7.5
"""Range of PDJ above which MediaPipe's model card calls a model unfair, in points. Source: evaluation.md."""

LEAST_PEOPLE = 20
"""Of a group of which anything is said for sure. Chosen: MediaPipe's model card has a hundred."""

DISCREPANCIES = 3
"""The criterion in discrepancies of human annotators (100 less their PDJ). Source: evaluation.md."""

_HALVINGS = 30


class GroupSummary(NamedTuple):
    """Groups in three words, as the tables of MediaPipe's model card end.

    Attributes:
        average: mean of the groups' means, each group counting alike.
        range: the largest mean less the smallest.
        worst: name of the group with the smallest mean.
    """

    average: float
    range: float
    worst: str


def summarize_groups(means: Mapping[str, float]) -> GroupSummary:
    """Average, range and worst of the means of one group or more, by name."""
    values = list(means.values())
    return GroupSummary(
        sum(values) / len(values), max(values) - min(values), min(means, key=means.__getitem__)
    )


class TrueRange(NamedTuple):
    """What the measured range of group means says of the true one.

    Attributes:
        low: the true range is above it in at least 97.5 of 100 cases.
        corrected: the range of true means, spread as the measured ones are, that would be measured as large
            as this one on average; 0 if chance alone makes a larger one.
        high: the true range is below it in at least 97.5 of 100 cases.
        apart: rows of the two groups that are surely apart by `low`, the worse one first.
    """

    low: float
    corrected: float
    high: float
    apart: tuple[int, int]


def true_range(means: np.ndarray, drawn: np.ndarray) -> TrueRange:
    """Estimate the range of the true means of two or more groups of different people.

    `low` is that of the differences of all pairs at once, by the distribution of the largest studentised
    one (Tukey 1953; of the drawn means, since groups differ in size and spread). For `high` each pair stands
    for itself: were the true range above it, so were the difference of one pair, and the bound of that pair
    fails in 2.5 of 100 cases (Berger 1982). It is the larger one of the drawn differences themselves, which
    the people added to every group bring nearer to a half, and of these around the measured difference.

    Args:
        means: (groups,).
        drawn: (draws, groups), the means in sets of people drawn anew (metrics.bootstrap), two of each kind
            added: with one, `high` is too low too often where a few in a hundred people fail.
    """
    shift = drawn.mean(axis=0)
    noise = drawn - shift
    first, second = np.triu_indices(len(means), 1)
    largest, errors, high = np.zeros(len(noise)), [], 0.0
    for k in range(len(means) - 1):
        apart, by_chance = means[k] - means[k + 1 :], noise[:, k, None] - noise[:, k + 1 :]
        errors.append(np.maximum(by_chance.std(axis=0), np.finfo(float).tiny))
        largest = np.maximum(largest, (np.abs(by_chance) / errors[-1]).max(axis=1))
        below, above = np.percentile(by_chance, (2.5, 97.5), axis=0)
        for middle in (apart, shift[k] - shift[k + 1 :]):
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
    """Unfair if the true range is surely above the criterion, fair if surely not, else undecided."""
    return UNFAIR if true.low > criterion else FAIR if true.high < criterion else UNDECIDED
