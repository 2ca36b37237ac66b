"""Neighbours for pictures that cannot be read."""

import logging
from pathlib import Path

import pytest

from blazepose.data.skip_unreadable import SkipUnreadable
from blazepose.image import ImageError

PICTURES = [Path(name) for name in ("a.jpg", "b.jpg", "b.jpg", "c.jpg")]


def reader(*damaged: str):
    """Gives the index of a sample, unless its picture is damaged."""

    def make(index: int) -> int:
        if PICTURES[index].name in damaged:
            raise ImageError(f"{PICTURES[index]} is cut off")
        return index

    return make


@pytest.mark.parametrize(
    ("damaged", "index", "taken"),
    [((), 1, 1), (("b.jpg",), 1, 3), (("b.jpg",), 0, 0), (("c.jpg",), 3, 0), (("c.jpg", "a.jpg"), 3, 1)],
)
def test_the_next_one_that_can_be_read_is_taken(damaged, index, taken):
    assert SkipUnreadable(PICTURES)(reader(*damaged), index) == taken


def test_a_picture_is_reported_once_however_many_samples_it_has(caplog):
    replacement = SkipUnreadable(PICTURES)
    with caplog.at_level(logging.WARNING, "blazepose"):
        for index in (1, 2, 1):
            replacement(reader("b.jpg"), index)
        assert [record.getMessage() for record in caplog.records] == [
            "b.jpg is cut off; left out of training"
        ]
        replacement(reader("a.jpg"), 0)
    assert len(caplog.records) == 2


def test_no_picture_that_can_be_read_is_an_error():
    with pytest.raises(ImageError, match=r"none of the 4 training pictures can be read; \S\.jpg is cut off"):
        SkipUnreadable(PICTURES)(reader("a.jpg", "b.jpg", "c.jpg"), 2)


def test_other_errors_are_not_hidden():
    def stumble(index: int) -> int:
        raise ValueError("wrong labels")

    with pytest.raises(ValueError, match="wrong labels"):
        SkipUnreadable(PICTURES)(stumble, 0)
