import numpy as np
import pytest

from blazepose.metrics.swaps import PAIRS, swapped_pairs
from blazepose.topology import INDEX, LANDMARKS, MIRROR, NUM_LANDMARKS

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


def test_a_mirrored_answer_swaps_all_and_the_right_one_none(people):
    swapped, known = swaps(people[:, MIRROR[:NUM_LANDMARKS]], people)
    np.testing.assert_array_equal(swapped, known)
    assert known.mean() > 0.8
    assert not swaps(people, people)[0].any()


def test_one_pair_of_one_person(people):
    left, right = PAIRS[KNEES]
    people[:, [left, right]] = [[10, 10], [40, 10]]
    said = people.copy()
    said[1, [left, right]] = people[1, [right, left]] + 3
    swapped, known = swaps(said, people)
    assert np.argwhere(swapped).tolist() == [[1, KNEES]]
    assert known[1, KNEES]


def test_what_cannot_be_told_does_not_count(people):
    """One side without label; sides nearer than what PCK lets pass; somebody who was not found."""
    left, right = PAIRS[KNEES]
    people[:, [left, right]] = [[10, 10], [30, 10]]
    said = people.copy()
    said[:, [left, right]] = people[:, [right, left]]
    assert swaps(said, people)[1][:, KNEES].all()
    assert not swaps(said, people, torso=101.0)[1][:, KNEES].any()
    counted = np.full(people.shape[:2], True)
    counted[:, right] = False
    assert not swaps(said, people, counted)[1][:, KNEES].any()
    assert not swaps(np.full_like(people, np.nan), people)[1].any()
