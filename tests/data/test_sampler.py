"""Epoch sampler."""

from blazepose.data.sampler import EpochSampler


def epoch(length=10, multiple_of=1, shuffle=True, number=0, **kwargs) -> list[int]:
    sampler = EpochSampler(length, multiple_of, shuffle, **kwargs)
    sampler.set_epoch(number)
    return list(sampler)


def test_every_sample_once():
    assert sorted(epoch()) == list(range(10))


def test_a_new_order_every_epoch_and_indices_encode_the_epoch():
    first, second = epoch(number=1), epoch(number=2)
    assert sorted(second) == list(range(20, 30))
    assert [i - 10 for i in first] != [i - 20 for i in second]
    assert epoch(number=2) == second


def test_filled_up_to_whole_batches_without_dropping_samples():
    visited = epoch(multiple_of=4)
    assert len(visited) == 12
    assert set(visited) == set(range(10))


def test_processes_share_the_work():
    ranks = [epoch(length=7, shuffle=False, rank=rank, world_size=2) for rank in (0, 1)]
    assert ranks == [[0, 2, 4, 6], [1, 3, 5, 0]]  # the last one repeats; metrics count an index once


def test_smaller_than_a_batch():
    assert len(epoch(length=3, multiple_of=8)) == 8
