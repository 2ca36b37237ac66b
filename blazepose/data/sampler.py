"""Sampler of an epoch, on one process or several."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


class EpochSampler(Sampler[int]):
    """Sampler of every sample once per epoch; order and randomness depend on seed and epoch only.

    Yields `epoch * length + i`, which passes the epoch to a dataset in a worker process
    (data.dataset.PoseDataset). The epoch is filled up to whole batches on every process with samples from
    its beginning: no sample is dropped, and no batch is so small that its BatchNorm statistics are noise.

    Args:
        length: number of samples in the dataset.
        multiple_of: batch size of one process; 1 in evaluation.
        shuffle: use a new order every epoch.
        seed: seed of the order.
        rank: rank of this process.
        world_size: number of processes.
    """

    def __init__(
        self, length: int, multiple_of: int, shuffle: bool, seed: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self.length = length
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        group = multiple_of * world_size
        self.padded = -(-length // group) * group

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.padded // self.world_size

    def __iter__(self) -> Iterator[int]:
        if self.shuffle:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
            order = torch.randperm(self.length, generator=generator)
        else:
            order = torch.arange(self.length)
        positions = torch.arange(self.rank, self.padded, self.world_size) % self.length
        yield from (order[positions] + self.epoch * self.length).tolist()
