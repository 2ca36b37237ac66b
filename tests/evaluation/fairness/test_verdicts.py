"""Metrics, range and verdict of groups by hand, and detection of a planted bias."""

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.evaluation.fairness.verdicts import FairnessConfig, fairness
from blazepose.evaluation.groups.group_metrics import group_rows
from blazepose.evaluation.metric_table import PCK, PDJ
from blazepose.evaluation.report.markdown import verdict_sentence
from tests.evaluation.scored_people import labelled_person, people_with_correct, prediction_for, score_people


def by_team(scored, **options):
    return fairness(scored, group_rows(scored.annotations), FairnessConfig(["team"], **options))["team"]


def test_groups_by_hand():
    """Correct points of six: 6 and 3 in red, 6 and 6 in blue, 0 in green."""
    entry = by_team(people_with_correct({"red": [6, 3], "blue": [6, 6], "green": [0]}), min_group_size=2)
    assert entry["metric"] == PCK
    red, blue, green = (entry["groups"][group] for group in ("red", "blue", "green"))
    assert (red["pck@0.2"], red["pdj@0.2"], red["count"]) == (75, None, 2)
    assert red["std"] == pytest.approx(100 * np.std([1, 0.5], ddof=1), abs=1e-3)
    assert (blue["pck@0.2"], blue["std"], blue["ci95"][1]) == (100, 0, 100)
    assert (green["count"], green["std"]) == (1, None)
    assert (entry["average"], entry["range"], entry["worst"]) == (87.5, 25, "red")
    assert (entry["too_few"], entry["without"]) == (["green"], 0)
    assert entry["verdict"] == "undecided"
    assert entry["range_ci95"][0] < 25 < entry["range_ci95"][1]


def test_means_are_over_people_and_not_over_points():
    """One person with one correct point of one, one with none of six: 50, not 1 of 7."""
    few = labelled_person(0, team="a")
    scored = score_people(
        [few, labelled_person(1, team="a")],
        [prediction_for(few, [0.0] * 6), prediction_for(labelled_person(1), [1.0] * 6)],
    )
    scored.counted[0, np.flatnonzero(scored.counted[0])[1:]] = False
    assert by_team(scored)["groups"]["a"]["pck@0.2"] == 50


def test_pdj_where_visibility_is_labelled():
    """Of five points with labelled visibility, one has it wrong and another is half a torso off."""
    label = [VISIBLE, VISIBLE, HIDDEN, VISIBLE, VISIBLE, UNKNOWN]
    people = [labelled_person(k, label, team="red" if k < 2 else "blue") for k in range(4)]
    wrong = prediction_for(people[0], [0, 0, 0, 0, 0.5, 0.5], [1, 1, 1, 1, 1, 0])
    right = [prediction_for(one, [0.0] * 6, [1, 1, 0, 1, 1, 0]) for one in people[1:]]
    entry = by_team(score_people(people, [wrong, *right]), min_group_size=2)
    assert entry["metric"] == PDJ
    assert entry["groups"]["red"]["pdj@0.2"] == pytest.approx((60 + 100) / 2)
    assert entry["groups"]["red"]["pck@0.2"] == pytest.approx((100 * 4 / 6 + 100) / 2, abs=1e-3)
    assert entry["range"] == pytest.approx(20)


def test_people_without_a_group_are_counted_and_an_empty_group_is_shown():
    scored = people_with_correct({"red": [6, 6]})
    scored.annotations[1].attributes.clear()
    entry = by_team(scored, all_people=[*scored.annotations, labelled_person(9, team="blue")])
    assert entry["without"] == 1
    assert entry["groups"]["blue"]["count"] == 0
    assert entry["groups"]["blue"]["pck@0.2"] is entry["groups"]["blue"]["ci95"] is None
    assert entry["too_few"] == ["blue", "red"]
    assert (entry["range"], entry["verdict"]) == (None, "undecided")


def test_an_empty_group_does_not_change_the_metric():
    people = [labelled_person(k, [1] * 6) for k in range(3)]
    scored = score_people(people, [prediction_for(one, [0.0] * 6) for one in people])
    options = FairnessConfig(["team"], all_people=[labelled_person(9, team="red")])
    assert fairness(scored, {}, options)["team"]["metric"] == PDJ


def test_regions_missing_in_the_card_are_named():
    people = [labelled_person(0, region="Europe"), labelled_person(1, region="Eastern Africa")]
    scored = score_people(people, [prediction_for(one, [0.0] * 6) for one in people])
    entry = fairness(scored, group_rows(people), FairnessConfig(["region"]))["region"]
    assert entry["not_in_card"] == ["Eastern Africa"]


def crowd(rng: np.random.Generator, groups: int, people: int, worse: float = 0.0) -> dict[str, list[int]]:
    """Sample groups of people with individual skills; the last group is worse."""
    counts = {}
    for group in range(groups):
        skill = rng.beta(8, 1, people) - (worse if group == groups - 1 else 0)
        counts[f"g{group}"] = rng.binomial(6, skill.clip(0, 1)).tolist()
    return counts


def test_a_planted_bias_is_detected_and_named():
    scored = people_with_correct(crowd(np.random.default_rng(0), 6, 60, worse=0.25))
    entry = by_team(scored)
    assert (entry["verdict"], entry["worst"]) == ("unfair", "g5")
    assert entry["range_ci95"][0] > 7.5


def test_no_bias_gives_no_alarm():
    """2.5 of 100 at most; by the raw range, every other case would be unfair."""
    verdicts, raw = [], 0
    for trial in range(12):
        entry = by_team(people_with_correct(crowd(np.random.default_rng(trial), 14, 30)))
        verdicts.append(entry["verdict"])
        raw += entry["range"] > 7.5
    assert "unfair" not in verdicts
    assert raw >= 6


def test_many_people_without_bias_are_fair():
    assert by_team(people_with_correct(crowd(np.random.default_rng(3), 3, 300)))["verdict"] == "fair"


def test_a_small_group_can_make_a_verdict_unfair_but_not_fair():
    """Nineteen people who are all wrong are no coincidence; nineteen who are all correct may be one."""
    many = {"red": [5, 6, 6] * 40, "blue": [6, 6, 5] * 40}
    unfair = by_team(people_with_correct({**many, "green": [0] * 19}))
    assert (unfair["verdict"], unfair["too_few"]) == ("unfair", ["green"])
    assert unfair["apart"][0] == unfair["worst"] == "green"
    assert unfair["range"] > 90
    assert by_team(people_with_correct(many))["verdict"] == "fair"
    undecided = by_team(people_with_correct({**many, "green": [6] * 19}))
    assert (undecided["verdict"], undecided["judged"]) == ("undecided", ["blue", "red"])
    assert undecided["range_ci95"][1] < 7.5
    assert verdict_sentence(undecided).startswith("**undecided**: 95 % upper bound")
    assert verdict_sentence(undecided).endswith(". Too few people to judge: green (19)")
    several = verdict_sentence(
        by_team(people_with_correct({**many, "c": [6], "d": [6], "e": [6, 6], "f": [6]}))
    )
    assert several.endswith("judge: c (1); d (1); e (2) and 1 more")
    alone = by_team(people_with_correct({**many, "green": [6]}))
    assert alone["verdict"] == "undecided", "one person is too few"


def test_the_criterion_is_of_the_metric_that_was_measured():
    """Annotators without visibility labels give no criterion of PDJ; these people have none either."""
    scored = people_with_correct({"red": [6] * 30, "blue": [6] * 30})
    for criterion, expected in (({PDJ: 3.0}, (7.5, None)), ({PCK: 3.0}, (3.0, "reports/human"))):
        entry = by_team(scored, criterion=criterion, criterion_from="reports/human")
        assert (entry["criterion"], entry["criterion_from"]) == expected


def test_images_of_the_same_people_are_no_more_people():
    """Three people per team in ten images each: too few for a verdict."""
    scored = people_with_correct({"red": [6, 4, 3] * 10, "blue": [4, 1, 0] * 10})
    assert by_team(scored)["verdict"] == "unfair"
    for k, person in enumerate(scored.annotations):
        person.attributes["subject"] = f"{person.attributes['team']}{k % 3}"
    again = score_people(scored.annotations, scored.predictions)
    entry = by_team(again)
    assert (entry["groups"]["red"]["count"], entry["groups"]["red"]["subjects"]) == (30, 3)
    assert (entry["verdict"], entry["too_few"]) == ("undecided", ["blue", "red"])
    assert "subject" not in group_rows(again.annotations)
    low, high = by_team(again, min_group_size=2)["range_ci95"]
    assert high - low > 2 * np.ptp(by_team(scored)["range_ci95"])
