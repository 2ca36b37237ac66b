"""Confidence intervals by bootstrapping people.

People are resampled, not points, since the points of a person are correlated. A person in several images is
resampled with all of them, given `subjects`, (people,) identity numbers.

Pseudo-people are added to those measured, some all correct and some all wrong: no failure among thirty people
does not mean that none occurs. Without them, intervals are too narrow where few people fail or change: if 15
of 1,000 fail completely, the interval of 100 people covers the truth in 77 of 100 cases instead of 95; with
one of each kind in 98 (benchmarks/certainty.py intervals). Source: Agresti and Coull 1998, Agresti and Caffo
2000, for binomial proportions.
"""

from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
_CELLS = 4_000_000
"""Random numbers per chunk, 32 MB. Chosen: larger chunks are no faster."""


class Interval(NamedTuple):
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def bootstrap_means(
    correct: np.ndarray,
    counted: np.ndarray,
    seed: int = 0,
    subjects: np.ndarray | None = None,
    added: int = 1,
) -> np.ndarray:
    """Resample the share of correct points.

    Args:
        correct: (people,) number of correct points, or any sum of values of 0..1.
        counted: (people,) number of scored points, above 0.
        seed: random seed.
        subjects: (people,) identity numbers; None if all are different people.
        added: number of all-correct, and of all-wrong, pseudo-people.

    Returns:
        (RESAMPLES,) shares, 0..1.
    """
    rows = _sum_by_subject(np.stack([correct, counted], axis=1).astype(np.float64), subjects)
    mean_points = rows[:, 1].mean()
    extra = np.tile([[mean_points, mean_points], [0, mean_points]], (added, 1))
    sums = _resampled_sums(np.append(rows, extra, axis=0), seed)
    return sums[:, 0] / sums[:, 1]


def accuracy_interval(
    correct: np.ndarray, counted: np.ndarray, seed: int = 0, subjects: np.ndarray | None = None
) -> Interval:
    """Compute the share of correct points and its interval, in per cent. Arguments as bootstrap_means."""
    low, high = np.percentile(bootstrap_means(correct, counted, seed, subjects), (2.5, 97.5)).tolist()
    share = float(correct.sum() / counted.sum())
    return Interval(100 * share, min(100 * low, 100 * share), max(100 * high, 100 * share))


def paired_difference(
    before: np.ndarray,
    after: np.ndarray,
    counted: np.ndarray,
    seed: int = 0,
    subjects: np.ndarray | None = None,
    unit: float = 100.0,
    of_people: bool = False,
) -> Interval:
    """Compute the change of a mean over points or people, and its interval, for paired measurements.

    Two pseudo-people are added, one who improves and one who worsens, by the largest observed change but at
    least half of their points and one point.

    Args:
        before: (people, points), for PCK whether each is correct.
        after: (people, points) of the other weights.
        counted: (people, points) bool, scored points.
        seed: random seed.
        subjects: (people,) identity numbers; None if all are different people.
        unit: factor of the results; 100 converts shares to per cent.
        of_people: weight people equally, whatever their number of points.

    Examples:
        >>> import numpy as np
        >>> from blazepose.metrics.bootstrap import paired_difference
        >>> before = np.tile([True, True, False, False], (100, 1))  # 100 people, 4 points: half are correct
        >>> after = before.copy()
        >>> after[::2, 2] = True  # one point more of every second person
        >>> gain = paired_difference(before, after, counted=np.full((100, 4), True))
        >>> gain.value, gain.low > 0  # points of PCK; the interval does not contain 0
        (12.5, True)
    """
    gain = np.where(counted, after.astype(np.float64) - before, 0).sum(axis=1)
    valid = counted.any(axis=1)
    people = np.stack([gain, counted.sum(axis=1)], axis=1)[valid]
    if of_people:
        people *= people[:, 1:].mean() / people[:, 1:]
    people = _sum_by_subject(people, None if subjects is None else subjects[valid])
    mean_points = people[:, 1].mean()
    largest = max(np.abs(people[:, 0] / people[:, 1]).max(), 0.5, 1 / mean_points) * mean_points
    sums = _resampled_sums(np.append(people, [[largest, mean_points], [-largest, mean_points]], axis=0), seed)
    value = unit * float(people[:, 0].sum() / people[:, 1].sum())
    low, high = (unit * np.percentile(sums[:, 0] / sums[:, 1], (2.5, 97.5))).tolist()
    return Interval(value, min(low, value), max(high, value))


def _sum_by_subject(rows: np.ndarray, subjects: np.ndarray | None) -> np.ndarray:
    """Sum rows (people, columns) by subject, (subjects, columns)."""
    if subjects is None:
        return rows
    number = np.unique(subjects, return_inverse=True)[1]
    return np.stack([np.bincount(number, column) for column in rows.T], axis=1)


def _resampled_sums(rows: np.ndarray, seed: int) -> np.ndarray:
    """Sum RESAMPLES bootstrap samples of rows (people, 2), (RESAMPLES, 2).

    Equal rows are interchangeable, so it draws the count of each distinct row: 100,000 people have a few
    hundred.
    """
    pairs, counts = np.unique(np.ascontiguousarray(rows).view(np.complex128), return_counts=True)
    distinct = pairs.view(np.float64).reshape(-1, 2)  # np.unique is slow along an axis
    rng = np.random.default_rng(seed)
    sums = []
    for start in range(0, RESAMPLES, step := max(1, _CELLS // len(distinct))):
        size = min(step, RESAMPLES - start)
        sums.append(rng.multinomial(len(rows), counts / len(rows), size) @ distinct)
    return np.concatenate(sums)
