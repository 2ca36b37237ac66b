"""Are all groups served alike? Figures of groups, their range, and a verdict that chance does not make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blazepose.data.annotation import Annotation
from blazepose.evaluation.groups.group_metrics import (
    PCK,
    PDJ,
    PersonScores,
    Rows,
    group_metrics,
    in_order,
    person_scores,
)
from blazepose.evaluation.groups.un_regions import CARD_REGIONS
from blazepose.evaluation.numbers import number
from blazepose.evaluation.score import ScoredPeople
from blazepose.metrics.bootstrap import bootstrap_means
from blazepose.metrics.group_range import (
    CRITERION,
    FAIR,
    LEAST_PEOPLE,
    UNDECIDED,
    UNFAIR,
    summarize_groups,
    true_range,
    verdict,
)

OF_PEOPLE = ("region", "skin_tone", "gender", "age_group")
"""Attributes that get a verdict when a source has them; other words of a source say what makes poses hard."""

MOST_GROUPS = 100
"""An attribute of more is no group of people, but a number or a name of each. Chosen."""


@dataclass(frozen=True)
class FairnessConfig:
    """Which groups are to be compared, and how.

    Attributes:
        attributes: of Annotation.attributes.
        least: different people of a group that counts; smaller ones are shown, and listed in `too_few`.
        criterion: {metric: range above which it is unfair, in points of a hundred}, the model card's if not.
        criterion_from: evaluation of annotators that says it.
        everybody: those who do not count, too: a group of whom nobody does is shown, with a count of 0.
    """

    attributes: Sequence[str]
    least: int = LEAST_PEOPLE
    criterion: Mapping[str, float] = field(default_factory=dict)
    criterion_from: str | None = None
    everybody: Sequence[Annotation] = ()


def fairness(scored: ScoredPeople, groups: Mapping[str, Rows], asked: FairnessConfig) -> dict[str, Any]:
    """`fairness` of results.json: of each attribute its groups, average, range, worst, verdict.

    By PDJ@0.2 where everybody in a group has it, else by PCK@0.2; `metric` says which.

    Args:
        scored: the people that count.
        groups: of theirs.
        asked: what to compare.
    """
    people = person_scores(scored)
    known: dict[str, set[str]] = {name: set(groups.get(name, ())) for name in asked.attributes}
    for person in asked.everybody:
        for name in known.keys() & person.attributes.keys():
            known[name].add(person.attributes[name])
    found = {}
    for name in asked.attributes:
        of_one = {group: groups.get(name, {}).get(group, _NOBODY) for group in in_order(known[name])}
        found[name] = _attribute(scored, people, of_one, asked)
        if name == "region":
            found[name]["not_in_card"] = [group for group in of_one if group not in CARD_REGIONS]
    return found


_NOBODY = np.zeros(0, int)


def _attribute(
    scored: ScoredPeople, people: Mapping[str, PersonScores], groups: Rows, asked: FairnessConfig
) -> dict[str, Any]:
    grouped = np.concatenate([_NOBODY, *groups.values()])
    known = people[PDJ].known[grouped] if len(grouped) else people[PDJ].known
    metric = PDJ if known.all() else PCK
    figures = {group: group_metrics(scored, people, rows, metric) for group, rows in groups.items()}
    enough = [group for group in groups if figures[group]["subjects"] >= asked.least]
    counted = {group: rows[people[metric].known[rows]] for group, rows in groups.items()}
    of_group = {group: (people[metric].of(rows), scored.subjects[rows]) for group, rows in counted.items()}
    too_few = [group for group in groups if group not in enough]
    criterion = asked.criterion.get(metric, CRITERION)
    return {
        "metric": metric,
        "groups": figures,
        **_verdicts({k: of_group[k] for k in enough}, {k: of_group[k] for k in too_few}, criterion),
        "criterion": criterion,
        "criterion_from": asked.criterion_from if metric in asked.criterion else None,
        "min_group": asked.least,
        "too_few": too_few,
        "without": len(scored.annotations) - len(grouped),
    }


Groups = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""{group: (share of points that are right, 0..1, of each of its people; who is the same)}."""


_LEAST_UNFAIR = 12
"""People of a small group that can prove to be treated unfairly. Chosen by benchmarks/certainty.py small: of
fewer, if each is all right or all wrong, all may be wrong by chance."""


def _verdicts(enough: Groups, few: Groups, criterion: float) -> dict[str, Any]:
    """A few people can show that they are treated unfairly, but not that they are treated fairly."""
    told = fairness_verdict(enough, criterion)
    some = {group: people for group, people in few.items() if len(np.unique(people[1])) >= _LEAST_UNFAIR}
    if some and (all_told := fairness_verdict({**enough, **some}, criterion))["verdict"] == UNFAIR:
        return all_told
    return told | {"verdict": UNDECIDED} if few and told["verdict"] == FAIR else told


def fairness_verdict(of_group: Groups, criterion: float) -> dict[str, Any]:
    """How far groups are apart, and the verdict, as `fairness` has them.

    Args:
        of_group: of two groups or more, if there is to be a verdict.
        criterion: range above which it is unfair, in points of a hundred.
    """
    unknown = dict.fromkeys(("average", "range", "range_corrected", "range_ci95", "worst", "apart"))
    if len(of_group) < 2:
        return unknown | {"verdict": UNDECIDED, "judged": []}
    means = {group: 100 * float(values.mean()) for group, (values, _) in of_group.items()}
    # Groups are different people, so each is drawn by a seed of its own.
    drawn = [
        100 * bootstrap_means(values, np.ones(len(values)), seed, subjects, added=2)
        for seed, (values, subjects) in enumerate(of_group.values())
    ]
    measured = summarize_groups(means)
    true = true_range(np.array(list(means.values())), np.stack(drawn, axis=1))
    return {
        "average": number(measured.average),
        "range": number(measured.range),
        "range_corrected": number(true.corrected),
        "range_ci95": [number(true.low), number(true.high)],
        "worst": measured.worst,
        "apart": [list(means)[row] for row in true.apart],
        "verdict": verdict(true, criterion),
        "judged": list(of_group),
    }
