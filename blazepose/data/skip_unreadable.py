"""Training goes on where a picture cannot be read."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from blazepose.image import ImageError

log = logging.getLogger(__name__)

T = TypeVar("T")


class SkipUnreadable:
    """Takes a neighbour for a sample whose picture cannot be read: one file must not end a run of days.

    Args:
        pictures: of the samples.
    """

    def __init__(self, pictures: list[Path]) -> None:
        self.pictures = pictures
        # Shared by the worker processes, so that a damaged picture is reported once and not once a worker.
        self._reported = torch.zeros(len(pictures), dtype=torch.bool).share_memory_()

    def __call__(self, make: Callable[[int], T], index: int) -> T:
        """What `make` makes of the sample at `index`, or of the first one after it that can be read.

        Raises:
            ImageError: if there is none.
        """
        for attempt in range(len(self.pictures)):
            replacement = (index + attempt) % len(self.pictures)
            try:
                return make(replacement)
            except ImageError as error:
                self._report(replacement, error)
                last = error
        raise ImageError(f"none of the {len(self.pictures)} training pictures can be read; {last}")

    def _report(self, index: int, error: ImageError) -> None:
        """Say once that a picture cannot be used, however many people are in it."""
        if self._reported[index]:
            return
        log.warning("%s; left out of training", error)
        unreadable = self.pictures[index]
        self._reported |= torch.tensor([picture == unreadable for picture in self.pictures])
