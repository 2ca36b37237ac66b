"""Groups by hand: their figures, the range, the verdict; and whether a planted bias is found."""

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.evaluation.fairness.verdicts import FairnessConfig, fairness
from blazepose.evaluation.groups.group_metrics import PCK, PDJ, group_rows
from blazepose.evaluation.report.markdown import verdict_sentence
from tests.evaluation.judged import answer, judged, somebody, with_right


def by_team(scored, **asked):
    return fairness(scored, group_rows(scored.annotations), FairnessConfig(["team"], **asked))["team"]


def test_groups_by_hand():
    """Of six points: 6 and 3 right in red, 6 and 6 in blue, 0 in green."""
    found = by_team(with_right({"red": [6, 3], "blue": [6, 6], "green": [0]}), least=2)
    assert found["metric"] == PCK
    red, blue, green = (found["groups"][group] for group in ("red", "blue", "green"))
    assert (red["pck@0.2"], red["pdj@0.2"], red["count"]) == (75, None, 2)
    assert red["std"] == pytest.approx(100 * np.std([1, 0.5], ddof=1), abs=1e-3)
    assert (blue["pck@0.2"], blue["std"], blue["ci95"][1]) == (100, 0, 100)
    assert (green["count"], green["std"]) == (1, None)
    assert (found["average"], found["range"], found["worst"]) == (87.5, 25, "red")
    assert (found["too_few"], found["without"]) == (["green"], 0)
    assert found["verdict"] == "undecided"
    assert found["range_ci95"][0] < 25 < found["range_ci95"][1]


def test_means_are_over_people_and_not_over_points():
    """A person with all points right and one point, one with none right of six: 50, not 1 of 7."""
    few = somebody(0, team="a")
    scored = judged([few, somebody(1, team="a")], [answer(few, [0.0] * 6), answer(somebody(1), [1.0] * 6)])
    scored.counted[0, np.flatnonzero(scored.counted[0])[1:]] = False
    assert by_team(scored)["groups"]["a"]["pck@0.2"] == 50


def test_pdj_where_visibility_is_labelled():
    """Of five labelled visibilities, one is said wrongly and another point is half a torso off."""
    label = [VISIBLE, VISIBLE, HIDDEN, VISIBLE, VISIBLE, UNKNOWN]
    people = [somebody(k, label, team="red" if k < 2 else "blue") for k in range(4)]
    wrong = answer(people[0], [0, 0, 0, 0, 0.5, 0.5], [1, 1, 1, 1, 1, 0])
    right = [answer(one, [0.0] * 6, [1, 1, 0, 1, 1, 0]) for one in people[1:]]
    found = by_team(judged(people, [wrong, *right]), least=2)
    assert found["metric"] == PDJ
    assert found["groups"]["red"]["pdj@0.2"] == pytest.approx((60 + 100) / 2)
    assert found["groups"]["red"]["pck@0.2"] == pytest.approx((100 * 4 / 6 + 100) / 2, abs=1e-3)
    assert found["range"] == pytest.approx(20)


def test_who_has_no_group_is_counted_and_an_empty_group_is_shown():
    scored = with_right({"red": [6, 6]})
    scored.annotations[1].attributes.clear()
    found = by_team(scored, everybody=[*scored.annotations, somebody(9, team="blue")])
    assert found["without"] == 1
    assert found["groups"]["blue"]["count"] == 0
    assert found["groups"]["blue"]["pck@0.2"] is found["groups"]["blue"]["ci95"] is None
    assert found["too_few"] == ["blue", "red"]
    assert (found["range"], found["verdict"]) == (None, "undecided")


def test_a_group_of_nobody_says_nothing_of_visibility():
    people = [somebody(k, [1] * 6) for k in range(3)]
    scored = judged(people, [answer(one, [0.0] * 6) for one in people])
    asked = FairnessConfig(["team"], everybody=[somebody(9, team="red")])
    assert fairness(scored, {}, asked)["team"]["metric"] == PDJ


def test_regions_that_the_card_does_not_have_are_named():
    people = [somebody(0, region="Europe"), somebody(1, region="Eastern Africa")]
    scored = judged(people, [answer(one, [0.0] * 6) for one in people])
    found = fairness(scored, group_rows(people), FairnessConfig(["region"]))["region"]
    assert found["not_in_card"] == ["Eastern Africa"]


def crowd(rng: np.random.Generator, groups: int, people: int, worse: float = 0.0) -> dict[str, list[int]]:
    """Groups of people of whom each point is right by their own skill; the last group is worse."""
    made = {}
    for group in range(groups):
        skill = rng.beta(8, 1, people) - (worse if group == groups - 1 else 0)
        made[f"g{group}"] = rng.binomial(6, skill.clip(0, 1)).tolist()
    return made


def test_a_planted_bias_is_found_and_named():
    scored = with_right(crowd(np.random.default_rng(0), 6, 60, worse=0.25))
    found = by_team(scored)
    assert (found["verdict"], found["worst"]) == ("unfair", "g5")
    assert found["range_ci95"][0] > 7.5


def test_no_bias_gives_no_alarm():
    """2.5 of 100 at most; that of the raw range would be called unfair every other time."""
    verdicts, raw = [], 0
    for trial in range(12):
        found = by_team(with_right(crowd(np.random.default_rng(trial), 14, 30)))
        verdicts.append(found["verdict"])
        raw += found["range"] > 7.5
    assert "unfair" not in verdicts
    assert raw >= 6


def test_many_people_without_bias_are_fair():
    assert by_team(with_right(crowd(np.random.default_rng(3), 3, 300)))["verdict"] == "fair"


def test_a_few_people_can_be_treated_unfairly_but_not_proven_to_be_fairly():
    """Nineteen of whom nothing is right are no chance; nineteen of whom all is right might be one."""
    many = {"red": [5, 6, 6] * 40, "blue": [6, 6, 5] * 40}
    unfair = by_team(with_right({**many, "green": [0] * 19}))
    assert (unfair["verdict"], unfair["too_few"]) == ("unfair", ["green"])
    assert unfair["apart"][0] == unfair["worst"] == "green"
    assert unfair["range"] > 90
    assert by_team(with_right(many))["verdict"] == "fair"
    unsure = by_team(with_right({**many, "green": [6] * 19}))
    assert (unsure["verdict"], unsure["judged"]) == ("undecided", ["blue", "red"])
    assert unsure["range_ci95"][1] < 7.5
    assert verdict_sentence(unsure).startswith("**undecided**: 95 % upper bound")
    assert verdict_sentence(unsure).endswith(". Too few people to judge: green (19)")
    several = verdict_sentence(by_team(with_right({**many, "c": [6], "d": [6], "e": [6, 6], "f": [6]})))
    assert several.endswith("judge: c (1); d (1); e (2) and 1 more")
    alone = by_team(with_right({**many, "green": [6]}))
    assert alone["verdict"] == "undecided", "who is alone has no chance at all"


def test_the_criterion_is_of_the_metric_that_was_measured():
    """Annotators who told no visibility say nothing of PDJ; these people have none either."""
    scored = with_right({"red": [6] * 30, "blue": [6] * 30})
    for criterion, known in (({PDJ: 3.0}, (7.5, None)), ({PCK: 3.0}, (3.0, "reports/human"))):
        found = by_team(scored, criterion=criterion, criterion_from="reports/human")
        assert (found["criterion"], found["criterion_from"]) == known


def test_pictures_of_the_same_people_are_no_more_people():
    """Three people a team in ten pictures each: too few for a verdict, and nobody's group."""
    scored = with_right({"red": [6, 4, 3] * 10, "blue": [4, 1, 0] * 10})
    assert by_team(scored)["verdict"] == "unfair"
    for k, person in enumerate(scored.annotations):
        person.attributes["subject"] = f"{person.attributes['team']}{k % 3}"
    again = judged(scored.annotations, scored.predictions)
    found = by_team(again)
    assert (found["groups"]["red"]["count"], found["groups"]["red"]["subjects"]) == (30, 3)
    assert (found["verdict"], found["too_few"]) == ("undecided", ["blue", "red"])
    assert "subject" not in group_rows(again.annotations)
    low, high = by_team(again, least=2)["range_ci95"]
    assert high - low > 2 * np.ptp(by_team(scored)["range_ci95"])
