"""How sure a figure is: intervals by drawing the people anew.

People are drawn, not points: those of one person are right or wrong together. Who is in several pictures is
drawn with all of them, if it is known who is the same: `subjects`, (people,) numbers that are equal for one.

More people are among those drawn than were measured, some all right and some all wrong: that nobody of thirty
has failed does not mean that nobody would. Without them, intervals are too narrow where few people fail, or
few change: if 15 of 1,000 fail wholly, that of 100 people covers the truth in 77 of 100 cases, not 95, with
one of each kind in 98 (benchmarks/certainty.py intervals). Source: Agresti and Coull 1998, Agresti and Caffo
2000, for shares of yes and no.
"""

from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
_CELLS = 4_000_000
"""Numbers drawn at a time, 32 MB. Chosen: more are no faster."""


class Interval(NamedTuple):
    """A figure and the bounds that it lies within in 95 of 100 such sets of people."""

    value: float
    low: float
    high: float


def bootstrap_means(
    right: np.ndarray,
    counted: np.ndarray,
    seed: int = 0,
    subjects: np.ndarray | None = None,
    added: int = 1,
) -> np.ndarray:
    """Share of what is right, in sets of as many people as these.

    Args:
        right: (people,) points that are right, or any sum of values of 0..1.
        counted: (people,) points that count, above 0.
        seed: of the draws.
        subjects: who is the same; None is nobody.
        added: people who are all right, and as many who are all wrong, among those drawn.

    Returns:
        (RESAMPLES,) of 0..1.
    """
    rows = _of_subjects(np.stack([right, counted], axis=1).astype(np.float64), subjects)
    usual = rows[:, 1].mean()
    extra = np.tile([[usual, usual], [0, usual]], (added, 1))
    sums = _drawn_sums(np.append(rows, extra, axis=0), seed)
    return sums[:, 0] / sums[:, 1]


def accuracy_interval(
    right: np.ndarray, counted: np.ndarray, seed: int = 0, subjects: np.ndarray | None = None
) -> Interval:
    """Share of what is right and its 95 % interval, in per cent. Arguments as bootstrap_means has them."""
    low, high = np.percentile(bootstrap_means(right, counted, seed, subjects), (2.5, 97.5)).tolist()
    share = float(right.sum() / counted.sum())
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
    """Change of a mean over all counted points, or over people, when the same people are measured twice.

    Two more people are among those drawn, one who changes for the better and one for the worse: as much as
    anybody did, or in half of their points, one at least, if nobody did as much.

    Args:
        before: (people, points), for PCK whether each is right.
        after: the same of the other weights.
        counted: (people, points) bool.
        seed: of the draws.
        subjects: who is the same; None is nobody.
        unit: of what is measured; 100 gives per cent of shares.
        of_people: each person counts alike, however many of their points do.
    """
    gain = np.where(counted, after.astype(np.float64) - before, 0).sum(axis=1)
    known = counted.any(axis=1)
    people = np.stack([gain, counted.sum(axis=1)], axis=1)[known]
    if of_people:
        people *= people[:, 1:].mean() / people[:, 1:]
    people = _of_subjects(people, None if subjects is None else subjects[known])
    usual = people[:, 1].mean()
    most = max(np.abs(people[:, 0] / people[:, 1]).max(), 0.5, 1 / usual)
    sums = _drawn_sums(np.append(people, [[most * usual, usual], [-most * usual, usual]], axis=0), seed)
    value = unit * float(people[:, 0].sum() / people[:, 1].sum())
    low, high = (unit * np.percentile(sums[:, 0] / sums[:, 1], (2.5, 97.5))).tolist()
    return Interval(value, min(low, value), max(high, value))


def _of_subjects(rows: np.ndarray, subjects: np.ndarray | None) -> np.ndarray:
    """Rows (people, columns) summed over those of one subject, (subjects, columns)."""
    if subjects is None:
        return rows
    number = np.unique(subjects, return_inverse=True)[1]
    return np.stack([np.bincount(number, column) for column in rows.T], axis=1)


def _drawn_sums(rows: np.ndarray, seed: int) -> np.ndarray:
    """Sums of rows (people, 2) over as many people, drawn RESAMPLES times, (RESAMPLES, 2).

    People whose rows are equal are the same to a sum, so how often each kind of row is drawn will do: of
    100,000 people, a few hundred kinds.
    """
    pairs, times = np.unique(np.ascontiguousarray(rows).view(np.complex128), return_counts=True)
    kinds = pairs.view(np.float64).reshape(-1, 2)  # np.unique is slow along an axis
    draws = np.random.default_rng(seed)
    sums = []
    for start in range(0, RESAMPLES, step := max(1, _CELLS // len(kinds))):
        size = min(step, RESAMPLES - start)
        sums.append(draws.multinomial(len(rows), times / len(rows), size) @ kinds)
    return np.concatenate(sums)
