"""The teachers of a training, and the outputs of one for every person, computed once and kept on disk.

runs/teacher/KEY/ holds the outputs of one teacher for one list of people; another run with both reuses them.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from blazepose.atomic import atomic_path, file_sha256
from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.datamodule import prepare_worker
from blazepose.data.teacher_targets import (
    TeacherStore,
    TeacherTargets,
    no_targets,
    quantize_heatmaps,
    write_store,
)
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import ImageError, read_image
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.runs import RUNS, resolve_weights
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology
from blazepose.training.checkpoint import require_unchanged
from blazepose.training.teacher_outputs import run_network
from blazepose.training.weights import open_landmark_net

log = logging.getLogger(__name__)

_BATCH = 8
_VERSION = "5"
"""Changes whenever the content of a store would."""

_LANDMARK_OUTPUTS = ("heatmaps", "presence", "visibility", "z")
"""Trainable outputs of the landmarks. Of world landmarks and masks, a larger teacher made none better:
docs/benchmarks/fine-tuning.md, "Why a larger teacher gives landmarks only"."""


class Teacher(NamedTuple):
    """A trained network whose outputs another one learns.

    Attributes:
        path: file of its weights.
        net: the network, in eval mode. Its x and y are those of its heatmaps, which are right more often than
            its regression, if these were trained.
        metadata: metadata of the weights.
        sha256: checksum of the file.
    """

    path: Path
    net: LandmarkNet
    metadata: Mapping[str, Any]
    sha256: str

    @property
    def supervised(self) -> SupervisedOutputs:
        """Outputs that it was trained on."""
        return SupervisedOutputs.from_metadata(self.metadata["trained"], self.net.topology)


class Teachers(NamedTuple):
    """The teachers of a training, at least one.

    Attributes:
        initial: the network before the training. It runs on every disturbed crop: a network on another crop
            is nearly another network, and learning its outputs there changes masks and world landmarks.
        other: another network, maybe a larger one, which runs once per person. It gives the landmarks, and
            all else, too, if there is no initial network.
    """

    initial: Teacher | None
    other: Teacher | None

    @property
    def of_landmarks(self) -> Teacher:
        """The network whose landmarks are learned."""
        teacher = self.other or self.initial
        assert teacher is not None
        return teacher

    @property
    def of_other_outputs(self) -> Teacher:
        """The network whose auxiliary points, world landmarks, mask and pose score are learned."""
        return self.initial or self.of_landmarks

    @property
    def supervised(self) -> SupervisedOutputs:
        """Outputs that can be learned."""
        own = self.of_landmarks.supervised
        if not (self.initial and self.other):
            return own
        landmarks = tuple(name for name in own.outputs if name in _LANDMARK_OUTPUTS)
        return self.initial.supervised.merge(replace(own, outputs=landmarks))

    def describe(self) -> str:
        """Return a line for the log."""
        path = self.of_landmarks.path
        if self.initial and self.other:
            return f"unlabelled landmarks are distilled from {path}, other outputs from {self.initial.path}"
        return f"unlabelled outputs are distilled from {path}"

    def as_metadata(self) -> dict[str, Any]:
        """Return what checkpoints keep: all outputs that are learned, and of the network of the landmarks
        name, checksum and data, with the licenses.
        """
        path, _, metadata, sha256 = self.of_landmarks
        about = {key: metadata[key] for key in ("model", "data", "init")}
        return {"name": path.name, "sha256": sha256, "trained": self.supervised.as_metadata(), **about}


def load_teachers(teacher: str | None, init: str | None, topology: Topology = FULL_BODY) -> Teachers:
    """Load the teachers of a training.

    Args:
        teacher: file or run folder, for the landmarks; None for the initial weights.
        init: file or run folder of the initial weights.
        topology: landmarks of the network that learns.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if one holds no landmark network, or one of other landmarks, if no landmarks can be
            learned, or if there are neither.
    """
    if teacher is None and init is None:
        raise InputError(
            "loss.distill and loss.teacher need a teacher: the initial weights, init=FILE, or another "
            "network, teacher=FILE. Set one of them, or both factors to 0."
        )
    initial = _open(resolve_weights(init, "init=")) if init is not None else None
    other = _open(resolve_weights(teacher, "teacher=")) if teacher is not None else None
    if initial and other and initial.sha256 == other.sha256:
        other = None
    for file in filter(None, (initial, other)):
        if file.net.topology != topology:
            raise InputError(
                f"{file.path} has the {file.net.topology.num_landmarks} landmarks of "
                f"{file.net.topology.name}, this network the {topology.num_landmarks} of {topology.name}: "
                f"name {'other weights' if file is initial else 'another teacher'}, or set "
                f"model.topology={file.net.topology.name}"
            )
    teachers = Teachers(initial, other)
    if not teachers.supervised.landmarks:
        raise InputError(
            f"{teachers.of_landmarks.path} was trained with heatmaps only, so it cannot be a teacher of "
            "landmarks. Continue its training with stages.regression or stages.joint, or set loss.distill=0 "
            "and loss.teacher=0."
        )
    return teachers


def _open(path: Path) -> Teacher:
    net, metadata = open_landmark_net(path)
    teacher = Teacher(path, net.requires_grad_(False), metadata, file_sha256(path))
    if teacher.supervised.has_heatmaps:
        net.decode_by_heatmaps()
    return teacher


def check_unchanged(teachers: Teachers, metadata: Mapping[str, Any]) -> None:
    """Check that a resumed run, with the metadata of its checkpoint, has the teachers that it began with.

    Raises:
        ValueError: if a file has changed.
    """
    pairs = (teachers.initial, metadata.get("init")), (teachers.of_landmarks, metadata.get("teacher"))
    for file, before in pairs:
        if file and before:
            require_unchanged(file.path, file.sha256, before, "a teacher")


def provide_targets(
    teacher: Teacher, people: list[Annotation], num_workers: int, device: torch.device, masks: bool = True
) -> TeacherStore:
    """Return the teacher's outputs for people, computed unless an earlier run has done so.

    Args:
        teacher: the teacher.
        people: people with labels or an ROI.
        num_workers: data-loading processes.
        device: device of the network.
        masks: compute masks, too; not needed if they are learned from an initial network.
    """
    folder = RUNS / "teacher" / _key(teacher, people, masks)
    with lock(folder):
        if not folder.is_dir():
            log.info("computing outputs of %s for %d people, kept in %s", teacher.path, len(people), folder)
            with atomic_path(folder) as part:
                part.mkdir()
                write_store(part, _run(teacher, people, num_workers, device, masks))
    return TeacherStore(folder)


def lock(path: Path) -> AcquireReturnProxy:
    """Lock a result until the end of a `with`, so that one of several processes computes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        return file.acquire(timeout=0)
    except Timeout:
        log.info("another process computes %s; waiting for it", path)
        return file.acquire()


def _key(teacher: Teacher, people: list[Annotation], masks: bool) -> str:
    """Return a name for the outputs, with masks or without: of the weights, and of every person's crop."""
    content = hashlib.sha256(f"{_VERSION} {masks} {teacher.sha256}\n".encode())
    for person in people:
        file = person.image.stat() if person.image.is_file() else None
        change = (file.st_size, file.st_mtime_ns) if file else None
        content.update(f"{person.image.absolute()} {change} {aligned_roi(person)}\n".encode())
    return content.hexdigest()[:16]


class _Crops(Dataset[Any]):
    """Undisturbed crops of people; None for an unreadable image, which training replaces by another."""

    def __init__(self, people: list[Annotation], size: int) -> None:
        self._people, self._size = people, size

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, index: int) -> np.ndarray | None:
        person = self._people[index]
        try:
            image = read_image(person.image, person.image_size)
        except ImageError:
            return None
        return crop_image(image, roi_to_image_matrix(aligned_roi(person)), self._size)


def _run(
    teacher: Teacher, people: list[Annotation], num_workers: int, device: torch.device, masks: bool
) -> Iterator[TeacherTargets]:
    """Yield the outputs for each person."""
    size = teacher.net.input_spec.size
    net = teacher.net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    loader = DataLoader(
        _Crops(people, size),
        _BATCH,
        num_workers=num_workers,
        collate_fn=list,
        worker_init_fn=prepare_worker if num_workers else None,
    )
    for crops in tqdm(loader, desc="teacher", unit=" batches", disable=None):
        readable = [crop for crop in crops if crop is not None]
        outputs = iter(_predict(net, np.stack(readable), device, masks) if readable else ())
        for crop in crops:
            yield no_targets(size, masks, teacher.net.topology) if crop is None else next(outputs)


def _predict(
    net: LandmarkNet, crops: np.ndarray, device: torch.device, masks: bool
) -> Iterator[TeacherTargets]:
    images = network_input(torch.from_numpy(crops).to(device))
    outputs = run_network(net, images, None if masks else 0)._asdict()
    columns = {name: values.cpu().numpy() for name, values in outputs.items() if values is not None}
    columns["heatmaps"] = quantize_heatmaps(columns["heatmaps"])
    # Without a head for them: no loss reads them, since the teacher was not trained on them.
    columns.setdefault("world", np.zeros((len(crops), net.topology.num_landmarks, 3), np.float32))
    for k in range(len(crops)):
        yield cast(TeacherTargets, {name: values[k] for name, values in columns.items()})
