"""Replace samples whose image cannot be read, so that training continues."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from blazepose.image import ImageError

log = logging.getLogger(__name__)

T = TypeVar("T")


class SkipUnreadable:
    """Replacement of samples with an unreadable image by a neighbor: one file must not end a run of days.

    Args:
        images: image path of each sample.
    """

    def __init__(self, images: list[Path]) -> None:
        self.images = images
        # Shared by the worker processes, so that a damaged image is reported once and not once per worker.
        self._reported = torch.zeros(len(images), dtype=torch.bool).share_memory_()

    def __call__(self, load: Callable[[int], T], index: int) -> T:
        """Return the sample at `index`, or the first one after it that `load` can read.

        Raises:
            ImageError: if no image can be read.
        """
        for attempt in range(len(self.images)):
            replacement = (index + attempt) % len(self.images)
            try:
                return load(replacement)
            except ImageError as error:
                self._report(replacement, error)
                last = error
        raise ImageError(f"none of the {len(self.images)} training images can be read; {last}")

    def _report(self, index: int, error: ImageError) -> None:
        """Log an unreadable image once, however many people are in it."""
        if self._reported[index]:
            return
        log.warning("%s; left out of training", error)
        unreadable = self.images[index]
        self._reported |= torch.tensor([path == unreadable for path in self.images])
