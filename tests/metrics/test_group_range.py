"""Ranges of groups, by hand and by their error rates."""

import numpy as np
import pytest

from blazepose.metrics.bootstrap import bootstrap_means
from blazepose.metrics.group_range import TrueRange, summarize_groups, true_range, verdict


def resample(means: np.ndarray, errors: np.ndarray | float, rng: np.random.Generator) -> np.ndarray:
    return means + errors * rng.standard_normal((2000, len(means)))


def test_a_summary_by_hand():
    assert summarize_groups({"a": 90.0, "b": 96.0, "c": 93.0}) == (93.0, 6.0, "a")
    assert summarize_groups({"only": 90.0}) == (90.0, 0.0, "only")


CARD = {
    "region": {"lite": (93.8, 5.1), "full": (96.6, 3.2), "heavy": (98.3, 2.0)},
    "skin_tone": {"lite": (94.4, 4.9), "full": (96.3, 2.5), "heavy": (98.4, 1.1)},
    "gender": {"lite": (93.9, 1.6), "full": (96.7, 1.3), "heavy": (98.4, 1.0)},
}
"""Average and range of PDJ@0.2 in points, as below the tables of MediaPipe's model card, except for two
averages (see test_two_averages_of_the_card_are_not_the_means_of_its_rows)."""


def card_means(rows: list[dict[str, str]], attribute: str, model: str) -> dict[str, float]:
    return {row["group"]: float(row[f"{model}_pdj"]) for row in rows if row["attribute"] == attribute}


@pytest.mark.parametrize("attribute", CARD)
@pytest.mark.parametrize("model", ["lite", "full", "heavy"])
def test_the_model_cards_tables_from_its_rows(card_rows, attribute, model):
    means = card_means(card_rows, attribute, model)
    assert len(means) == {"region": 14, "skin_tone": 6, "gender": 2}[attribute]
    measured = summarize_groups(means)
    average, expected_range = CARD[attribute][model]
    assert measured.average == pytest.approx(average, abs=0.0501)  # both rounded to a tenth
    assert measured.range == pytest.approx(expected_range)
    assert means[measured.worst] == min(means.values())


@pytest.mark.parametrize(("model", "printed", "weighted"), [("lite", 94.2, 94.0), ("heavy", 98.2, 98.4)])
def test_two_averages_of_the_card_are_not_the_means_of_its_rows(card_rows, model, printed, weighted):
    """The card prints 94.2 and 98.2 for skin tones; the rows average 94.4 and 98.4, weighted by the share of
    people 94.0 and 98.4."""
    means = card_means(card_rows, "skin_tone", model)
    shares = [float(row["share_percent"]) for row in card_rows if row["attribute"] == "skin_tone"]
    by_share = float(np.average(list(means.values()), weights=shares))
    assert by_share == pytest.approx(weighted, abs=0.0501)
    for ours in (summarize_groups(means).average, by_share):
        assert 0.1 < abs(ours - printed) < 0.25


def test_two_groups_by_hand():
    """The bounds of two means are those of their difference: 1.96 and 2.24 of its standard errors."""
    rng = np.random.default_rng(0)
    means, error = np.array([90.0, 80.0]), np.array([1.0, 1.0])
    low, corrected, high, apart = true_range(means, resample(means, error, rng))
    both = np.sqrt(2)
    assert apart == (1, 0)
    assert high == pytest.approx(10 + 1.96 * both, abs=0.2)
    assert low == pytest.approx(10 - 2.24 * both, abs=0.2)
    assert corrected == pytest.approx(10, abs=0.2)


def test_certain_means_have_their_own_range():
    means = np.array([90.0, 84.0, 87.0])
    low, corrected, high, _ = true_range(means, np.tile(means, (10, 1)))
    assert (low, high) == (6, 6)
    assert corrected == pytest.approx(6, abs=1e-6)


def test_the_bias_of_chance_is_corrected():
    """Fourteen groups of about the same mean differ by three and a half standard errors."""
    rng, estimates = np.random.default_rng(1), []
    for _ in range(60):
        means = 90 + rng.standard_normal(14)
        estimates.append((np.ptp(means), *true_range(means, resample(means, 1.0, rng))[:3]))
    measured, low, corrected, _ = np.array(estimates).T
    assert measured.mean() > 3
    assert corrected.mean() < 0.9
    assert low.max() == 0 or (low > 0).mean() < 0.1


@pytest.mark.parametrize(
    ("groups", "shape"), [(2, "one"), (6, "half"), (14, "one"), (14, "half"), (14, "steps")]
)
def test_the_bounds_have_their_nominal_coverage(groups, shape):
    """97.5 of 100 each, whatever the true means are; small groups have larger errors."""
    shapes = {
        "one": np.r_[0.0, np.ones(groups - 1)],
        "half": (np.arange(groups) % 2).astype(float),
        "steps": np.linspace(0, 1, groups),
    }
    rng = np.random.default_rng(groups)
    truth, errors, trials = 90 + 6 * shapes[shape], rng.uniform(1, 3, groups), 200
    below = above = 0
    for _ in range(trials):
        means = truth + errors * rng.standard_normal(groups)
        low, _, high, _ = true_range(means, resample(means, errors, rng))
        below, above = below + (high < 6), above + (low > 6)
    allowed = 0.025 * trials + 3 * np.sqrt(0.025 * trials)
    assert below <= allowed
    assert above <= allowed


def test_the_groups_that_differ_need_not_be_the_extremes():
    """The worst mean may be that of a small group with a large error."""
    rng = np.random.default_rng(0)
    means, errors = np.array([95.0, 82.0, 80.0]), np.array([0.7, 1.2, 9.0])
    estimate = true_range(means, resample(means, errors, rng))
    assert estimate.apart == (1, 0)
    assert estimate.low > 7.5


@pytest.mark.parametrize("people", [30, 60, 100])
def test_fair_is_proven_where_few_people_fail(people):
    """At the criterion, with 7.5 of 100 people failing completely, fair is wrong in at most 2.5 %."""
    rng, trials, fair = np.random.default_rng(people), 400, 0
    others = bootstrap_means(np.ones(300), np.ones(300), 1, added=2)
    for trial in range(trials):
        correct = (rng.random(people) >= 0.075).astype(float)
        both = np.stack([bootstrap_means(correct, np.ones(people), trial, added=2), others], axis=1)
        means = 100 * np.array([correct.mean(), 1.0])
        fair += verdict(true_range(means, 100 * both), 7.5) == "fair"
    assert fair <= 0.025 * trials + 2 * np.sqrt(0.025 * trials)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(8.0, 12.0, "unfair"), (0.0, 7.0, "fair"), (7.0, 8.0, "undecided")]
)
def test_verdicts(low, high, expected):
    assert verdict(TrueRange(low, 7.5, high, (0, 1)), 7.5) == expected
