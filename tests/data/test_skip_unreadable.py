"""Neighbors of samples whose image cannot be read."""

import logging
from pathlib import Path

import pytest

from blazepose.data.skip_unreadable import SkipUnreadable
from blazepose.image import ImageError

IMAGES = [Path(name) for name in ("a.jpg", "b.jpg", "b.jpg", "c.jpg")]


def reader(*damaged: str):
    """Return a loader that returns the index of a sample, unless its image is damaged."""

    def load(index: int) -> int:
        if IMAGES[index].name in damaged:
            raise ImageError(f"{IMAGES[index]} is cut off")
        return index

    return load


@pytest.mark.parametrize(
    ("damaged", "index", "replacement"),
    [((), 1, 1), (("b.jpg",), 1, 3), (("b.jpg",), 0, 0), (("c.jpg",), 3, 0), (("c.jpg", "a.jpg"), 3, 1)],
)
def test_the_next_readable_sample_is_used(damaged, index, replacement):
    assert SkipUnreadable(IMAGES)(reader(*damaged), index) == replacement


def test_an_image_is_reported_once_however_many_samples_it_has(caplog):
    skip = SkipUnreadable(IMAGES)
    with caplog.at_level(logging.WARNING, "blazepose"):
        for index in (1, 2, 1):
            skip(reader("b.jpg"), index)
        assert [record.getMessage() for record in caplog.records] == [
            "b.jpg is cut off; left out of training"
        ]
        skip(reader("a.jpg"), 0)
    assert len(caplog.records) == 2


def test_no_readable_image_is_an_error():
    with pytest.raises(ImageError, match=r"none of the 4 training images can be read; \S\.jpg is cut off"):
        SkipUnreadable(IMAGES)(reader("a.jpg", "b.jpg", "c.jpg"), 2)


def test_other_errors_are_not_hidden():
    def fail(index: int) -> int:
        raise ValueError("wrong labels")

    with pytest.raises(ValueError, match="wrong labels"):
        SkipUnreadable(IMAGES)(fail, 0)
