import numpy as np
import pytest

from blazepose.metrics.swaps import left_right_pairs, swapped_pairs
from blazepose.topologies.full_body import INDEX, LANDMARKS, MIRROR, NUM_LANDMARKS

PAIRS = left_right_pairs()
KNEES = [tuple(pair) for pair in PAIRS.tolist()].index((INDEX["left_knee"], INDEX["right_knee"]))


@pytest.fixture
def people() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 100, (3, NUM_LANDMARKS, 2))


def swaps(predicted, target, counted=None, torso=50.0):
    everything = np.full(target.shape[:2], True)
    return swapped_pairs(predicted, target, everything if counted is None else counted, np.full(3, torso))


def test_every_pair_once():
    assert len(PAIRS) == 16
    assert all(LANDMARKS[a].replace("left", "right") == LANDMARKS[b] for a, b in PAIRS)


def test_a_mirrored_prediction_swaps_all_and_a_correct_one_none(people):
    swapped, scored = swaps(people[:, MIRROR[:NUM_LANDMARKS]], people)
    np.testing.assert_array_equal(swapped, scored)
    assert scored.mean() > 0.8
    assert not swaps(people, people)[0].any()


def test_one_pair_of_one_person(people):
    left, right = PAIRS[KNEES]
    people[:, [left, right]] = [[10, 10], [40, 10]]
    predicted = people.copy()
    predicted[1, [left, right]] = people[1, [right, left]] + 3
    swapped, scored = swaps(predicted, people)
    assert np.argwhere(swapped).tolist() == [[1, KNEES]]
    assert scored[1, KNEES]


def test_ambiguous_pairs_are_not_scored(people):
    """Sides nearer than the PCK threshold; one side without a label; a missed person."""
    left, right = PAIRS[KNEES]
    people[:, [left, right]] = [[10, 10], [30, 10]]
    predicted = people.copy()
    predicted[:, [left, right]] = people[:, [right, left]]
    assert swaps(predicted, people)[1][:, KNEES].all()
    assert not swaps(predicted, people, torso=101.0)[1][:, KNEES].any()
    counted = np.full(people.shape[:2], True)
    counted[:, right] = False
    assert not swaps(predicted, people, counted)[1][:, KNEES].any()
    assert not swaps(np.full_like(people, np.nan), people)[1].any()
