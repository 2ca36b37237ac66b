"""How often intervals and verdicts are right, where the truth is known. Prints tables.

    python benchmarks/certainty.py intervals       # how often the 95 % interval covers the truth
    python benchmarks/certainty.py verdicts        # how often groups are called unfair, fair or neither
    python benchmarks/certainty.py small           # how often a few people raise an alarm by chance
    python benchmarks/certainty.py planted pose_landmark_full.tflite lsp:data/lspet_val

The last one shows real people to a network, and puts them into six groups at random, again and again; as
they are, and with the pictures of one group darkened. The others simulate people: `hard` have 12 points of
which two thirds are right, as on lspet_val; `easy` 33 points, and six in a hundred fail badly, as with the
model card's; `rare` 33 points, and 15 in 1,000 fail wholly; `coin` are all right or all wrong.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.data.annotation import Source
from blazepose.data.readers import read_source
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.fairness.verdicts import Groups, fairness_verdict
from blazepose.evaluation.metric_table import METRICS, PCK
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import person_key
from blazepose.evaluation.score import score
from blazepose.metrics.bootstrap import accuracy_interval, bootstrap_means, paired_difference
from blazepose.metrics.group_range import CRITERION, FAIR, UNFAIR
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.engines import InferenceEngine

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


def _without_added(person_scores: np.ndarray, seed: int) -> tuple[float, float]:
    low, high = np.percentile(
        bootstrap_means(person_scores, np.ones(len(person_scores)), seed, added=0), (2.5, 97.5)
    )
    return float(100 * low), float(100 * high)


INTERVALS: Mapping[str, Callable[[np.ndarray, int], tuple[float, float]]] = {
    "as reported": lambda people, seed: accuracy_interval(people, np.ones(len(people)), seed)[1:],
    "without added people": _without_added,
}


def intervals(trials: int = 2000) -> None:
    """Coverage of the interval of a group's mean, and of a change of the same people."""
    rng = np.random.default_rng(0)
    print(f"95 % intervals that cover the truth, per cent of {trials} sets of people\n")
    print("| people of a kind | " + " | ".join(INTERVALS) + " |\n|---|" + "---|" * len(INTERVALS))
    for kind in KINDS:
        all_people = _people(kind, rng)
        truth = 100 * all_people.mean()
        for people in (20, 30, 100, 300):
            held = Counter[str]()
            for seed in _progress(trials):
                person_scores = rng.choice(all_people, people)
                for name, interval in INTERVALS.items():
                    low, high = interval(person_scores, seed)
                    held[name] += low <= truth <= high
            cells = [f"{100 * held[name] / trials:.1f}" for name in INTERVALS]
            print(f"| {people} {kind} | {' | '.join(cells)} |")
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
    print("| groups | true range | bare range over it | unfair | fair | unfair to the worse one |")
    print("|---|---|---|---|---|---|")
    for kind in ("hard", "easy"):
        all_people = _people(kind, rng)
        for groups, people in ((2, 100), (6, 100), (6, 500), (14, 30), (14, 100), (14, 500)):
            for apart in (0.0, CRITERION, 15.0, 25.0):
                drawn = (_groups(all_people, groups, people, apart, rng) for _ in _progress(trials))
                print(f"| {groups} of {people} {kind} people | {apart:g} | {_judged(drawn, trials)} |")


def small(trials: int = 400) -> None:
    """Alarms about groups that are served alike: three of 200 people, and one or four of a few people."""
    rng = np.random.default_rng(0)
    print(f"of {trials} sets of people who are served alike, called unfair, per cent\n")
    print("| people of a small group | one small group | four |\n|---|---|---|")
    for kind in KINDS:
        all_people = _people(kind, rng)
        for people in (3, 5, 8, 12, 19):
            cells = []
            for groups in (1, 4):
                alarms = 0
                for _ in _progress(trials):
                    sizes = [200] * 3 + [people] * groups
                    of_group = {
                        str(k): (rng.choice(all_people, n), np.arange(n)) for k, n in enumerate(sizes)
                    }
                    alarms += fairness_verdict(of_group, CRITERION)["verdict"] == UNFAIR
                cells.append(f"{100 * alarms / trials:.1f}")
            print(f"| {people} {kind} | {' | '.join(cells)} |")


def _judged(drawn: Iterable[Groups], trials: int) -> str:
    """Count large bare ranges, and the verdicts unfair, fair, and unfair to group 0, in percent."""
    counts = Counter[str]()
    for of_group in drawn:
        found = fairness_verdict(of_group, CRITERION)
        counts[found["verdict"]] += 1
        counts["over"] += found["range"] > CRITERION
        counts["named"] += found["verdict"] == UNFAIR and found["apart"][0] == "0"
    return " | ".join(f"{100 * counts[name] / trials:.1f}" for name in ("over", UNFAIR, FAIR, "named"))


def _groups(
    all_people: np.ndarray, groups: int, people: int, apart: float, rng: np.random.Generator
) -> Groups:
    """Groups of people who are alike, but for the first: its mean is lower, as some of its people fail."""
    made = {}
    for group in range(groups):
        person_scores = rng.choice(all_people, people)
        if group == 0:
            person_scores = np.where(rng.random(people) < apart / 100 / all_people.mean(), 0, person_scores)
        made[str(group)] = (person_scores, np.arange(people))
    return made


def planted(weights: Path, spec: str, groups: int = 6, trials: int = 400) -> None:
    """Verdicts about real people in random groups, one of which is seen in the dark."""
    engine, source, rng = open_weights(weights), read_source(spec), np.random.default_rng(0)
    seen = {light: _seen(engine, source, light) for light in (1.0, 0.1, 0.05, 0.03)}
    all_people = seen[1.0]
    print(f"{weights} on {len(all_people)} people of {spec}, {trials} times in {groups} groups; PCK@0.2\n")
    print("| light of one group | all in it | bare range over it | unfair | fair | unfair to that group |")
    print("|---|---|---|---|---|---|")
    for light, darkened in seen.items():
        drawn = (_divided(all_people, darkened, groups, rng) for _ in _progress(trials))
        print(f"| {light:g} | {100 * darkened.mean():.1f} | {_judged(drawn, trials)} |")


def _divided(all_people: np.ndarray, darkened: np.ndarray, groups: int, rng: np.random.Generator) -> Groups:
    """People in groups at random, the first of them in the dark."""
    people = np.array_split(rng.permutation(len(all_people)), groups)
    person_scores = [darkened, *[all_people] * (groups - 1)]
    return {
        str(k): (of_one[rows], rows)
        for k, (of_one, rows) in enumerate(zip(person_scores, people, strict=True))
    }


def _seen(engine: InferenceEngine, source: Source, light: float) -> np.ndarray:
    """Shares of points that are right, of each person."""
    jobs = plan_label_crops([source], "annotation", 0)
    predicted = predict(_InTheDark(engine, light), jobs, "annotation")
    predictions = {
        person_key(job.reader, job.annotation): one for job, one in zip(jobs, predicted, strict=True)
    }
    of_people = METRICS[PCK].points_of(score(predictions, [source])).per_person()
    return of_people.shares(np.flatnonzero(of_people.has_points))


class _InTheDark:
    """An engine that sees pictures darker than they are."""

    def __init__(self, engine: InferenceEngine, light: float) -> None:
        self.input_size, self.metadata = engine.input_size, engine.metadata
        self._engine, self._light = engine, light

    def __call__(self, images: np.ndarray) -> RawOutputs:
        return self._engine((images * self._light).astype(np.uint8))


def _progress(trials: int) -> "tqdm[int]":
    return tqdm(range(trials), leave=False, disable=None)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what in ("intervals", "verdicts", "small"):
        {"intervals": intervals, "verdicts": verdicts, "small": small}[what](*map(int, rest))
    elif what == "planted" and len(rest) == 2:
        planted(Path(rest[0]), rest[1])
    else:
        sys.exit(__doc__)
