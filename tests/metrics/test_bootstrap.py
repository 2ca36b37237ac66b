"""Intervals, by hand and by their coverage."""

import numpy as np
import pytest

from blazepose.metrics.bootstrap import RESAMPLES, accuracy_interval, bootstrap_means, paired_difference


def test_a_share_by_hand():
    interval = accuracy_interval(np.array([3, 1, 0]), np.array([4, 1, 3]))
    assert interval.value == pytest.approx(100 * 4 / 8)
    assert 0 < interval.low < 50 < interval.high < 100


def test_the_value_is_in_its_interval_even_if_all_are_correct():
    """Thirty people without a failure do not exclude failures of 3 in 30 (rule of three)."""
    interval = accuracy_interval(np.ones(30), np.ones(30))
    assert interval.value == interval.high == 100
    assert 85 < interval.low < 92


def test_people_are_resampled_and_not_points():
    """Ten people with a hundred points each, all correct or all wrong, are ten samples, not a thousand."""
    correct = np.repeat([0, 100], 5)
    low, high = np.percentile(bootstrap_means(correct, np.full(10, 100)), (2.5, 97.5))
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 10), rel=0.2)


def test_many_different_people_are_resampled_in_chunks():
    """Their number may exceed the chunk size."""
    values = np.random.default_rng(0).uniform(0, 1, 30_000)
    resampled = bootstrap_means(values, np.ones(30_000))
    assert len(resampled) == RESAMPLES
    assert resampled.mean() == pytest.approx(values.mean(), abs=2e-4)
    assert resampled.std() == pytest.approx(values.std() / np.sqrt(30_000), rel=0.1)


def test_a_seed_repeats_the_draws():
    correct, counted = np.arange(9), np.full(9, 10)
    np.testing.assert_array_equal(bootstrap_means(correct, counted, 3), bootstrap_means(correct, counted, 3))
    assert (bootstrap_means(correct, counted, 3) != bootstrap_means(correct, counted, 4)).any()


def test_one_person_in_many_images_is_one_sample():
    """Ten people, each in twenty equal images, have the interval of ten."""
    correct, counted, subjects = np.arange(10), np.full(10, 9), np.arange(10)
    once = accuracy_interval(correct, counted)
    repeated = accuracy_interval(
        *(np.repeat(part, 20) for part in (correct, counted)), subjects=np.repeat(subjects, 20)
    )
    assert repeated == pytest.approx(once)
    strangers = accuracy_interval(*(np.repeat(part, 20) for part in (correct, counted)))
    assert strangers.high - strangers.low < (once.high - once.low) / 3
    before, after = np.zeros((10, 9), bool), np.tri(10, 9, dtype=bool)
    whole = np.ones_like(before)
    once = paired_difference(before, after, whole)
    repeated = (np.repeat(part, 20, axis=0) for part in (before, after, whole))
    assert paired_difference(*repeated, subjects=np.repeat(subjects, 20)) == pytest.approx(once)


def population(kind: str) -> np.ndarray:
    """Return the share of correct points of many people."""
    rng = np.random.default_rng(7)
    if kind == "hard":  # as on lspet_val: 12 points, two thirds correct
        return np.round(12 * rng.beta(1.6, 0.75, 50_000)) / 12
    if kind == "easy":  # as on the model card's: 33 points, few people fail, and then badly
        fails = rng.random(50_000) < 0.06
        return np.round(33 * np.where(fails, rng.beta(1, 1, 50_000), rng.beta(30, 0.6, 50_000))) / 33
    return (rng.random(50_000) < 0.7).astype(float)


@pytest.mark.parametrize("kind", ["hard", "easy", "all or nothing"])
@pytest.mark.parametrize("people", [30, 100])
def test_the_interval_has_its_nominal_coverage(kind, people):
    """93 to 97 of 100, or more where few people fail: without the two pseudo-people it would be 82."""
    scores, rng = population(kind), np.random.default_rng(people)
    truth, covered, trials = 100 * scores.mean(), 0, 600
    for trial in range(trials):
        interval = accuracy_interval(rng.choice(scores, people), np.ones(people), trial)
        covered += interval.low <= truth <= interval.high
    share = 100 * covered / trials
    noise = 3 * np.sqrt(95 * 5 / trials)
    assert 95 - noise < share
    assert share < 95 + noise or kind == "easy"


def test_the_change_is_that_of_all_points_pooled():
    before = np.array([[True, False, False], [True, True, True]])
    after = np.array([[True, True, True], [True, False, True]])
    counted = np.array([[True, True, False], [True, True, True]])
    # Five points count: four were correct before and four are after; one was gained, one lost.
    assert paired_difference(before, after, counted).value == 0
    counted[1, 1] = False
    assert paired_difference(before, after, counted).value == pytest.approx(25)


def test_the_change_over_people_weights_each_equally():
    """A person with one point gains it, a person with three loses one of them."""
    before = np.array([[False, False, False], [True, True, True]])
    after = np.array([[True, False, False], [True, True, False]])
    counted = np.array([[True, False, False], [True, True, True]])
    assert paired_difference(before, after, counted).value == 0
    assert paired_difference(before, after, counted, of_people=True).value == pytest.approx(50 * (1 - 1 / 3))
    twice = np.array([0, 0])
    assert paired_difference(before, after, counted, subjects=twice, of_people=True).value == pytest.approx(
        50 * (1 - 1 / 3)
    )


def test_no_observed_change_still_has_an_interval():
    """None of fifty people changed, so few others will: one or two of fifty, in half of their points."""
    correct = np.random.default_rng(0).random((50, 12)) < 0.6
    low, high = paired_difference(correct, correct, np.ones_like(correct))[1:]
    assert -3 < low < -1
    assert 1 < high < 3


def test_an_equal_gain_of_all_people_is_nearly_certain():
    before = np.zeros((300, 4), bool)
    after = before.copy()
    after[:, 0] = True
    assert paired_difference(before, after, np.ones_like(before)) == pytest.approx((25, 25, 25), abs=0.8)


@pytest.mark.parametrize(("people", "changed"), [(30, 0.05), (60, 0.03), (150, 0.2)])
def test_the_interval_holds_where_few_people_change(people, changed):
    """Without the two pseudo-people, in 78 of 100 cases for the first two."""
    rng, held, trials = np.random.default_rng(people), 0, 300
    for trial in range(trials):
        gained = rng.random((people, 1)) < changed
        interval = paired_difference(np.zeros((people, 1)), gained, np.ones((people, 1), bool), trial)
        held += interval.low <= 100 * changed <= interval.high
    assert held / trials > 0.91


def test_the_interval_holds_the_true_change_in_95_of_100_sets():
    """Points of a person are correlated, so people must be resampled, not points."""
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(300):
        ability = rng.normal(0, 0.5, (150, 1))
        before = rng.random((150, 12)) < 0.5 + 0.2 * np.tanh(ability)
        after = rng.random((150, 12)) < 0.6 + 0.2 * np.tanh(ability + rng.normal(0, 1, (150, 1)))
        interval = paired_difference(before, after, np.ones_like(before), trial)
        held += interval.low <= 10 <= interval.high
    assert 0.91 < held / 300 < 0.985


def test_people_without_a_point_do_not_count():
    correct, counted = np.ones((3, 2), bool), np.array([[True, True], [False, False], [True, False]])
    assert paired_difference(~correct, correct, counted).value == 100
    more = [np.concatenate([values, np.zeros((30, 2), bool)]) for values in (~correct, correct, counted)]
    for of_people in (False, True):
        alone = paired_difference(~correct, correct, counted, of_people=of_people)
        assert paired_difference(*more, of_people=of_people) == alone
