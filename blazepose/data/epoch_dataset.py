"""Dataset with samples that differ from epoch to epoch, but not from run to run."""

from abc import abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from torch.utils.data import Dataset

from blazepose.data.skip_unreadable import SkipUnreadable
from blazepose.input_spec import InputSpec

Sample = TypeVar("Sample")
Augmentations = TypeVar("Augmentations")


class EpochDataset(Dataset[Sample], Generic[Sample, Augmentations]):
    """Samples of labelled images, then of negative images.

    Item `epoch * len(dataset) + i` is sample i as augmented in that epoch: the randomness depends on seed,
    epoch and sample only, so a run is the same with any number of workers, and after a resume.

    Args:
        images: labelled images, a sample of each unless a subclass chooses.
        input_spec: input size of the network.
        augmentation: None for evaluation.
        negatives: images without people, a sample of each.
        seed: seed of the augmentation.
    """

    def __init__(
        self,
        images: list[Path],
        input_spec: InputSpec,
        augmentation: Augmentations | None,
        negatives: list[Path] | None,
        seed: int,
    ) -> None:
        self.input_spec = input_spec
        self.augmentation = augmentation
        self.negatives = negatives or []
        self.seed = seed
        self._skip_unreadable = SkipUnreadable([*images, *self.negatives])

    def __len__(self) -> int:
        return len(self._skip_unreadable.images)

    def __getitem__(self, item: int) -> Sample:
        """Return the sample; raise ImageError in evaluation, replace an unreadable image in training."""
        epoch, index = divmod(int(item), len(self))
        rng, chosen = np.random.default_rng((self.seed, epoch, index)), self._choose(epoch, index)
        if self.augmentation is None:
            return self._make(chosen, rng)
        return self._skip_unreadable(lambda valid: self._make(valid, rng), chosen)

    def _choose(self, epoch: int, index: int) -> int:
        """Return the position of a sample's image among images and negatives."""
        return index

    @abstractmethod
    def _make(self, index: int, rng: np.random.Generator) -> Sample:
        """Read and augment the image at a position among images and negatives."""
