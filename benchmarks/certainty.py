"""How often intervals and verdicts are right, on simulated people whose true rates are known. Prints tables.

    python benchmarks/certainty.py intervals       # how often the 95 % interval covers the truth
    python benchmarks/certainty.py verdicts        # how often groups are called unfair, fair or neither

Kinds of people: `hard` have 12 points of which two thirds are right, as on lspet_val; `easy` 33 points, and
six in a hundred fail badly, as with the model card's; `rare` 33 points, and 15 in 1,000 fail wholly; `coin`
are all right or all wrong.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
from tqdm import tqdm

from blazepose.evaluation.fairness import judge
from blazepose.metrics.bootstrap import paired_difference, share_interval
from blazepose.metrics.fairness import CRITERION

_EVERYBODY = 200_000


def _people(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Shares of points that are right, of a population."""
    if kind == "hard":
        return np.round(12 * rng.beta(1.6, 0.75, _EVERYBODY)) / 12
    if kind == "easy":
        fails = rng.random(_EVERYBODY) < 0.06
        return np.round(33 * np.where(fails, rng.beta(1, 1, _EVERYBODY), rng.beta(30, 0.6, _EVERYBODY))) / 33
    if kind == "rare":
        fails = rng.random(_EVERYBODY) < 0.015
        return np.where(fails, 0, np.round(33 * rng.beta(60, 0.8, _EVERYBODY)) / 33)
    return (rng.random(_EVERYBODY) < 0.7).astype(float)


KINDS = ("hard", "easy", "rare", "coin")
INTERVALS: Mapping[str, Callable[[np.ndarray, int], tuple[float, float]]] = {
    "as reported": lambda shares, seed: share_interval(shares, np.ones(len(shares)), seed)[1:],
    "without added people": lambda shares, seed: _without_added(shares, seed),
}


def _without_added(shares: np.ndarray, seed: int) -> tuple[float, float]:
    drawn = np.random.default_rng(seed).choice(shares, (2000, len(shares))).mean(axis=1)
    low, high = 100 * np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def intervals(trials: int = 2000) -> None:
    """Coverage of the interval of a group's mean, and of a change of the same people."""
    rng = np.random.default_rng(0)
    print(f"95 % intervals that cover the truth, per cent of {trials} sets of people\n")
    print("| people of a kind | " + " | ".join(INTERVALS) + " |\n|---|" + "---|" * len(INTERVALS))
    for kind in KINDS:
        everybody = _people(kind, rng)
        truth = 100 * everybody.mean()
        for people in (20, 30, 100, 300):
            held = Counter[str]()
            for seed in _progress(trials):
                shares = rng.choice(everybody, people)
                for name, interval in INTERVALS.items():
                    low, high = interval(shares, seed)
                    held[name] += low <= truth <= high
            print(
                f"| {people} {kind} | "
                + " | ".join(f"{100 * held[n] / trials:.1f}" for n in INTERVALS)
                + " |"
            )
    print("\n| change of paired people | covers |\n|---|---|")
    for people, changed in ((30, 0.05), (100, 0.03), (100, 0.5), (600, 0.1)):
        held_pairs = 0
        for seed in _progress(trials):
            before, after = _changed(people, changed, rng)
            low, high = paired_difference(before, after, np.ones_like(before, bool), seed)[1:]
            held_pairs += low <= 100 * changed / 6 <= high
        print(f"| {people}, of whom {changed:.0%} change | {100 * held_pairs / trials:.1f} |")


def _changed(people: int, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (people, 12) before and after: some people gain half of them; one in three of these loses."""
    gains = (rng.random(people) < rate) * np.where(rng.random(people) < 2 / 3, 1, -1)
    points = np.arange(12) < 6
    return (gains[:, None] < 0) & points, (gains[:, None] > 0) & points


def verdicts(trials: int = 400) -> None:
    """Verdicts about groups whose true range is known, and how often the bare range is over the criterion."""
    rng = np.random.default_rng(0)
    print(f"of {trials} sets of people, per cent; criterion {CRITERION} points\n")
    print("| groups | true range | bare range over it | unfair | fair | the worst is named |")
    print("|---|---|---|---|---|---|")
    for kind in ("hard", "easy"):
        everybody = _people(kind, rng)
        for groups, people in ((2, 100), (6, 100), (6, 500), (14, 30), (14, 100), (14, 500)):
            for apart in (0.0, CRITERION, 15.0, 25.0):
                said, over, named = Counter[str](), 0, 0
                for _ in _progress(trials):
                    found = judge(_groups(everybody, groups, people, apart, rng), CRITERION)
                    said[found["verdict"]] += 1
                    over += found["range"] > CRITERION
                    named += found["worst"] == "0"
                cells = [
                    f"{100 * count / trials:.1f}" for count in (over, said["unfair"], said["fair"], named)
                ]
                if not apart:
                    cells[-1] = "-"
                print(f"| {groups} of {people} {kind} people | {apart:g} | " + " | ".join(cells) + " |")


def _groups(
    everybody: np.ndarray, groups: int, people: int, apart: float, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Groups of people who are alike, but for the first: its mean is lower, as some of its people fail."""
    made = {}
    for group in range(groups):
        shares = rng.choice(everybody, people)
        if group == 0:
            shares = np.where(rng.random(people) < apart / 100 / everybody.mean(), 0, shares)
        made[str(group)] = (shares, np.arange(people))
    return made


def _progress(trials: int) -> "tqdm[int]":
    return tqdm(range(trials), leave=False, disable=None)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what not in ("intervals", "verdicts"):
        sys.exit(__doc__)
    {"intervals": intervals, "verdicts": verdicts}[what](*map(int, rest))
