"""Data module: sources to loaders."""

import gc
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from blazepose.config.landmark import PersonFilter
from blazepose.config.train import LoaderConfig
from blazepose.data.annotation import VISIBLE, Source
from blazepose.data.dataset import PoseDataset
from blazepose.data.detector_dataset import DetectorDataset
from blazepose.data.filters import EVALUATION_FILTER, filter_annotations
from blazepose.data.readers import as_list, read_source
from blazepose.data.sampler import EpochSampler
from blazepose.exceptions import InputError
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

Samples = PoseDataset | DetectorDataset


def read_filtered(
    specs: str | Sequence[str] | None, person_filter: PersonFilter, topology: Topology = FULL_BODY
) -> list[Source]:
    """Read sources and keep the people that pass; the others are counted by reason.

    Args:
        specs: `reader:path[:split]`, one or several.
        person_filter: criteria for people.
        topology: landmarks of the network that they are for.

    Raises:
        ValueError: if a source has no people left.
    """
    sources = []
    for spec in as_list(specs):
        source = read_source(spec, topology)
        kept, dropped = filter_annotations(source.annotations, person_filter)
        dropped.update(source.left_out)
        source = replace(source, annotations=kept, left_out=dict(dropped))
        if not kept:
            needed = "shoulders, and hips or a face" if topology.roi.upward_by_head else "hips and shoulders"
            lower = "" if person_filter == EVALUATION_FILTER else ", or lower the limits of filter.*"
            raise InputError(f"no people left to use: {describe_people(source)}; label {needed}{lower}")
        sources.append(source)
    return sources


def describe_people(source: Source) -> str:
    """Describe in a line the number of people of a source that are used, and those left out by reason."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in source.left_out.items())
    left_out = f"{sum(source.left_out.values())} left out" + f" ({reasons})" * bool(reasons)
    return f"{source.name}: {len(source.annotations)} people, {left_out}"


def shared_people(train: list[Source], val: list[Source]) -> set[tuple[str, str]]:
    """Return (image, person) of all people that are in both."""
    keys = [
        {(os.path.abspath(person.image), person.person) for source in split for person in source.annotations}  # noqa: PTH100
        for split in (train, val)
    ]
    return keys[0] & keys[1]


def shared_images(train: list[Source], val: list[Source]) -> set[str]:
    """Return the images that are in both."""
    keys = [
        {os.path.abspath(person.image) for source in split for person in source.annotations}  # noqa: PTH100
        for split in (train, val)
    ]
    return keys[0] & keys[1]


def describe_sources(train: list[Source], val: list[Source]) -> list[str]:
    """Describe the training and validation sources: a line each, their notes, and warnings."""
    lines = [line for source in (*train, *val) for line in (describe_people(source), *source.notes)]
    if count := len(shared_people(train, val)):
        lines.append(
            f"WARNING: {count} people of data.val are also in data.train: their metrics mean nothing"
        )
    elif count := len(shared_images(train, val)):
        lines.append(
            f"WARNING: {count} images of data.val are also in data.train, with people of other ids: "
            "validate on other images"
        )
    if not val:
        lines.append("no validation: data.val=[...] names its people; best.ckpt is the last epoch's")
    return lines


def labelled_outputs(
    sources: list[Source], negatives: list[Path], topology: Topology = FULL_BODY
) -> SupervisedOutputs:
    """Return the outputs that these labels can supervise.

    Returns:
        Landmarks and heatmaps labelled for at least one person; visibility of landmarks labelled visible for
        at least one; heatmaps and presence (defined for every labelled point), and those of visibility, z,
        world, segmentation and pose that have labels.
    """
    people = [annotation for source in sources for annotation in source.annotations]
    labelled, visible = np.zeros((2, topology.num_landmarks), bool)
    for annotation in people:
        labelled |= annotation.labelled
        visible |= annotation.visibility == VISIBLE
    has_labels = {
        "visibility": visible.any(),
        "z": any(annotation.z_px is not None for annotation in people),
        "world": any(annotation.landmarks_world is not None for annotation in people),
        "segmentation": any(annotation.mask is not None for annotation in people),
        "pose": bool(negatives),
    }
    outputs = ("heatmaps", "presence", *(name for name, present in has_labels.items() if present))
    points, seen = (
        tuple(topology.landmarks[index] for index in np.flatnonzero(chosen)) for chosen in (labelled, visible)
    )
    return SupervisedOutputs(points, seen, points, outputs, topology=topology)


class PoseDataModule(LightningDataModule):
    """Data module of training and validation samples.

    Args:
        train_set: training samples, whose index encodes the epoch (data.sampler).
        val_set: validation samples; may be empty.
        config: batch size and workers.
        seed: seed of the order.
    """

    def __init__(self, train_set: Samples, val_set: Samples, config: LoaderConfig, seed: int = 0) -> None:
        super().__init__()
        self.train_set, self.val_set = train_set, val_set
        self.config = config
        self.seed = seed
        self.first_epoch = 0

    def state_dict(self) -> dict[str, int]:
        """Return the epoch at which a resumed run continues.

        On resume, Lightning's loaders fetch their first batches before it has set the epoch.
        """
        return {"first_epoch": self.trainer.current_epoch + 1 if self.trainer else 0}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.first_epoch = state_dict["first_epoch"]

    def _loader(self, dataset: Samples, training: bool) -> DataLoader:
        workers, batch_size = self.config.num_workers, self.config.batch_size
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
    """Make a process forked for data loading independent of its parent."""
    # Freeing a garbage FFmpeg decoder of the parent waits for threads that do not exist here.
    gc.freeze()
    # Ctrl-C and `timeout` signal a whole group of processes; the training process ends its workers itself.
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    # Workers are the parallelism; OpenCV's own threads would fight the training process for the cores.
    cv2.setNumThreads(0)
