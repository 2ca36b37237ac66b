"""Fairness: metrics of groups, their range, and a statistically sound verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blazepose.data.annotation import Annotation
from blazepose.evaluation.groups.group_metrics import GroupIndex, GroupMetrics, sort_groups
from blazepose.evaluation.groups.un_regions import CARD_REGIONS
from blazepose.evaluation.metric_table import PCK, PDJ
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

DEMOGRAPHIC_ATTRIBUTES = ("region", "skin_tone", "gender", "age_group")
"""Attributes of sources that get a verdict; the others go to the breakdown."""

MOST_GROUPS = 100
"""Largest number of groups of an attribute; with more it is rather a number or a name. Chosen."""


@dataclass(frozen=True)
class FairnessConfig:
    """The groups to compare, and the criterion.

    Attributes:
        attributes: names of Annotation.attributes to compare.
        min_group_size: different people a group needs for a verdict; smaller ones are listed in `too_few`.
        criterion: {metric: range above which it is unfair, in percentage points}; else the model card's.
        criterion_from: evaluation of annotators that the criterion comes from.
        all_people: scored and other people, so that a group without a scored person has a count of 0.
    """

    attributes: Sequence[str]
    min_group_size: int = LEAST_PEOPLE
    criterion: Mapping[str, float] = field(default_factory=dict)
    criterion_from: str | None = None
    all_people: Sequence[Annotation] = ()


def fairness(
    scored: ScoredPeople, groups: Mapping[str, GroupIndex], config: FairnessConfig
) -> dict[str, Any]:
    """Compute `fairness` of results.json: groups, average, range, worst and verdict of each attribute.

    The `metric` is PDJ@0.2 if all people in groups have it, else PCK@0.2.

    Args:
        scored: the scored people.
        groups: groups of each attribute.
        config: the groups to compare, and the criterion.
    """
    group_metrics = GroupMetrics(scored)
    names: dict[str, set[str]] = {name: set(groups.get(name, ())) for name in config.attributes}
    for person in config.all_people:
        for name in names.keys() & person.attributes.keys():
            names[name].add(person.attributes[name])
    entries = {}
    for name in config.attributes:
        index = {group: groups.get(name, {}).get(group, _NO_ROWS) for group in sort_groups(names[name])}
        entries[name] = _attribute(group_metrics, index, config)
        if name == "region":
            entries[name]["not_in_card"] = [group for group in index if group not in CARD_REGIONS]
    return entries


_NO_ROWS = np.zeros(0, int)


def _attribute(group_metrics: GroupMetrics, groups: GroupIndex, config: FairnessConfig) -> dict[str, Any]:
    people, subjects = group_metrics.people, group_metrics.subjects
    grouped = np.concatenate([_NO_ROWS, *groups.values()])
    has_pdj = people[PDJ].has_points[grouped] if len(grouped) else people[PDJ].has_points
    metric = PDJ if has_pdj.all() else PCK
    metrics = {group: group_metrics(rows, metric) for group, rows in groups.items()}
    enough = [group for group in groups if metrics[group]["subjects"] >= config.min_group_size]
    counted = {group: rows[people[metric].has_points[rows]] for group, rows in groups.items()}
    shares = {group: (people[metric].shares(rows), subjects[rows]) for group, rows in counted.items()}
    too_few = [group for group in groups if group not in enough]
    criterion = config.criterion.get(metric, CRITERION)
    return {
        "metric": metric,
        "groups": metrics,
        **_verdicts({k: shares[k] for k in enough}, {k: shares[k] for k in too_few}, criterion),
        "criterion": criterion,
        "criterion_from": config.criterion_from if metric in config.criterion else None,
        "min_group": config.min_group_size,
        "too_few": too_few,
        "without": len(subjects) - len(grouped),
    }


Groups = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""{group: (share of correct points of each of its people, 0..1; their identity numbers)}."""


_MIN_UNFAIR_SIZE = 12
"""Smallest group that can make a verdict unfair. Chosen by benchmarks/certainty.py small: in a smaller one,
all people may be wrong by chance, if each is all correct or all wrong."""


def _verdicts(enough: Groups, few: Groups, criterion: float) -> dict[str, Any]:
    """Compute the verdict: small groups can make it unfair, but never fair."""
    result = fairness_verdict(enough, criterion)
    small = {group: people for group, people in few.items() if len(np.unique(people[1])) >= _MIN_UNFAIR_SIZE}
    if small and (with_small := fairness_verdict({**enough, **small}, criterion))["verdict"] == UNFAIR:
        return with_small
    return result | {"verdict": UNDECIDED} if few and result["verdict"] == FAIR else result


def fairness_verdict(groups: Groups, criterion: float) -> dict[str, Any]:
    """Compute the range of group means and the verdict, as in `fairness`.

    Args:
        groups: the groups; fewer than two leave the verdict undecided.
        criterion: range above which it is unfair, in percentage points.
    """
    empty = dict.fromkeys(("average", "range", "range_corrected", "range_ci95", "worst", "apart"))
    if len(groups) < 2:
        return empty | {"verdict": UNDECIDED, "judged": []}
    means = {group: 100 * float(values.mean()) for group, (values, _) in groups.items()}
    # Groups are different people, so each is resampled with a seed of its own.
    resampled = [
        100 * bootstrap_means(values, np.ones(len(values)), seed, subjects, added=2)
        for seed, (values, subjects) in enumerate(groups.values())
    ]
    measured = summarize_groups(means)
    true = true_range(np.array(list(means.values())), np.stack(resampled, axis=1))
    return {
        "average": number(measured.average),
        "range": number(measured.range),
        "range_corrected": number(true.corrected),
        "range_ci95": [number(true.low), number(true.high)],
        "worst": measured.worst,
        "apart": [list(means)[row] for row in true.apart],
        "verdict": verdict(true, criterion),
        "judged": list(groups),
    }
