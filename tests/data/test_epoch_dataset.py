from pathlib import Path

import pytest

from blazepose.data.epoch_dataset import EpochDataset
from blazepose.image import ImageError
from blazepose.input_spec import LANDMARK_INPUT


class Draws(EpochDataset[tuple[int, float], str]):
    """A sample is its index and a random number; the second image cannot be read."""

    def _make(self, index, rng):
        if index == 1:
            raise ImageError("1.png cannot be read")
        return index, rng.random()


def draws(augmentation: str | None = "any", seed: int = 0) -> Draws:
    return Draws([Path("0.png"), Path("1.png")], LANDMARK_INPUT, augmentation, [Path("2.png")], seed)


def test_a_sample_depends_on_seed_epoch_and_index():
    samples = draws()
    assert len(samples) == 3
    numbers = [samples[item][1] for item in (0, 2, 3, 5)] + [draws(seed=1)[0][1]]
    assert len(set(numbers)) == 5
    again = draws()
    assert [again[item][1] for item in (5, 3, 2, 0)] == numbers[3::-1]
    assert [samples[item][0] for item in (0, 2, 3, 5)] == [0, 2, 0, 2]


def test_unreadable_images_are_replaced_in_training_only():
    assert draws()[1][0] == 2
    with pytest.raises(ImageError, match=r"1\.png"):
        draws(augmentation=None)[1]
