"""Sources to loaders."""

import gc
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from blazepose.data.annotation import VISIBLE, Source
from blazepose.data.dataset import PoseDataset
from blazepose.data.detector_dataset import DetectorDataset
from blazepose.data.filters import PersonFilter, filter_annotations
from blazepose.data.readers import as_list, read_source
from blazepose.data.sampler import EpochSampler
from blazepose.image import find_images
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

Samples = PoseDataset | DetectorDataset


@dataclass(frozen=True)
class LoaderConfig:
    """How samples reach the training loop.

    Attributes:
        batch_size: of one process.
        num_workers: processes that make samples; 0 makes them in the training process.
    """

    batch_size: int
    num_workers: int

    def __post_init__(self) -> None:
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ValueError(f"loader.batch_size={self.batch_size}: a number from 1 up")


def read_filtered(specs: str | Sequence[str] | None, person_filter: PersonFilter) -> list[Source]:
    """Read sources and keep the people that pass; the others are counted by reason.

    Args:
        specs: `reader:path[:split]`, one or several.
        person_filter: who passes.

    Raises:
        ValueError: if a source has nobody left.
    """
    sources = []
    for spec in as_list(specs):
        source = read_source(spec)
        kept, dropped = filter_annotations(source.annotations, person_filter)
        dropped.update(source.left_out)
        source = replace(source, annotations=kept, left_out=dict(dropped))
        if not kept:
            raise ValueError(f"nobody left to use: {describe_people(source)}")
        sources.append(source)
    return sources


def describe_people(source: Source) -> str:
    """How many people of a source are used, and why others are not, in a line."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in source.left_out.items())
    left_out = f"{sum(source.left_out.values())} left out" + f" ({reasons})" * bool(reasons)
    return f"{source.name}: {len(source.annotations)} people, {left_out}"


def shared_people(train: list[Source], val: list[Source]) -> set[tuple[str, str]]:
    """(picture, person) of everybody who is in both."""
    both = [
        {(os.path.abspath(one.image), one.person) for source in split for one in source.annotations}  # noqa: PTH100
        for split in (train, val)
    ]
    return both[0] & both[1]


def shared_images(train: list[Source], val: list[Source]) -> set[str]:
    """Find the pictures of people who are in both."""
    both = [
        {os.path.abspath(one.image) for source in split for one in source.annotations}  # noqa: PTH100
        for split in (train, val)
    ]
    return both[0] & both[1]


def describe_sources(train: list[Source], val: list[Source]) -> list[str]:
    """Who is trained and validated on, a line a source, and what to know of it."""
    lines = [line for source in (*train, *val) for line in (describe_people(source), *source.notes)]
    if count := len(shared_people(train, val)):
        lines.append(f"WARNING: {count} people of data.val are in data.train, too: their figures say nothing")
    elif count := len(shared_images(train, val)):
        lines.append(
            f"WARNING: {count} pictures of data.val are in data.train, too, with people of other ids: "
            "validate on other pictures"
        )
    if not val:
        lines.append("no validation: data.val=[...] names its people; best.ckpt is the last epoch's")
    return lines


def find_image_files(folders: str | Sequence[str] | None, option: str) -> list[Path]:
    """Every picture below the folders, sorted.

    Args:
        folders: to search.
        option: what the folders were given with, for messages.

    Raises:
        FileNotFoundError: names the folder that is missing or holds no picture.
    """
    pictures = []
    for folder in as_list(folders):
        root = Path(folder).expanduser()
        if not root.is_dir():
            raise FileNotFoundError(f"{option}: {root} is no folder; name a folder of pictures")
        found = find_images(root)
        if not found:
            raise FileNotFoundError(f"{option}: {root} holds no picture")
        pictures += found
    return pictures


def trained_outputs(sources: list[Source], negatives: list[Path]) -> dict[str, list[str]]:
    """What these labels can teach.

    Returns:
        "landmarks": names labelled for at least one person; "visibility": names said to be seen in at least
        one; "outputs": heatmaps and presence (known of every labelled point), and of visibility, z, world,
        segmentation and pose those that the labels tell.
    """
    people = [annotation for source in sources for annotation in source.annotations]
    labelled, seen = np.zeros(NUM_LANDMARKS, bool), np.zeros(NUM_LANDMARKS, bool)
    for annotation in people:
        labelled |= annotation.labelled
        seen |= annotation.visibility == VISIBLE
    told = {
        "visibility": seen.any(),
        "z": any(annotation.z_px is not None for annotation in people),
        "world": any(annotation.landmarks_world is not None for annotation in people),
        "segmentation": any(annotation.mask is not None for annotation in people),
        "pose": bool(negatives),
    }
    outputs = ["heatmaps", "presence", *(name for name, known in told.items() if known)]
    return {"landmarks": _names(labelled), "visibility": _names(seen), "outputs": outputs}


def _names(chosen: np.ndarray) -> list[str]:
    return [LANDMARKS[index] for index in np.flatnonzero(chosen)]


class PoseDataModule(LightningDataModule):
    """Loaders of training and validation samples.

    Args:
        train_set: training samples, of the epoch that their index says (data.sampler).
        val_set: validation samples; may be empty.
        loading: batch size and workers.
        seed: of the order.
    """

    def __init__(self, train_set: Samples, val_set: Samples, loading: LoaderConfig, seed: int = 0) -> None:
        super().__init__()
        self.train_set, self.val_set = train_set, val_set
        self.loading = loading
        self.seed = seed
        self.first_epoch = 0

    def state_dict(self) -> dict[str, int]:
        """Where the order of the samples goes on.

        When a run goes on, Lightning's loaders fetch their first batches before it knows the epoch.
        """
        return {"first_epoch": self.trainer.current_epoch + 1 if self.trainer else 0}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.first_epoch = state_dict["first_epoch"]

    def _loader(self, dataset: Samples, training: bool) -> DataLoader:
        workers, batch_size = self.loading.num_workers, self.loading.batch_size
        sampler = EpochSampler(
            len(dataset),
            multiple_of=batch_size if training else 1,
            shuffle=training,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )
        sampler.set_epoch(self.first_epoch)
        gc.collect()  # before processes are forked: see prepare_worker
        return DataLoader(
            dataset,
            batch_size,
            sampler=sampler,
            num_workers=workers,
            worker_init_fn=prepare_worker if workers else None,
            persistent_workers=workers > 0 and training,
            pin_memory=torch.cuda.is_available(),
            prefetch_factor=4 if workers else None,
        )

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.train_set, training=True)

    def val_dataloader(self) -> DataLoader | list:
        return self._loader(self.val_set, training=False) if len(self.val_set) else []


def prepare_worker(_: int) -> None:
    """Make a process that was forked for data loading independent of the one it comes from."""
    # Freeing a decoder of FFmpeg that was garbage there waits for threads that do not exist here.
    gc.freeze()
    # Ctrl-C and `timeout` signal a whole group of processes; the training process ends its workers itself.
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    # Workers are the parallelism; OpenCV's own threads would fight the training process for the cores.
    cv2.setNumThreads(0)
