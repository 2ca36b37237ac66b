"""The teacher of a training: its outputs for every person, computed once and kept on disk.

runs/teacher/KEY/ holds the outputs of one teacher for one list of people; another run with both reuses them.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock
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
    quantize_mask,
    write_store,
)
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import ImageError, read_image
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.runs import RUNS, resolve_weights
from blazepose.runtime.decode import decode_by_heatmap
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topology import NUM_LANDMARKS, NUM_OUTPUTS
from blazepose.training.weights import open_landmark_net

log = logging.getLogger(__name__)

_BATCH = 8
_VERSION = "3"
"""Changes whenever the content of a store would."""

_LANDMARK_OUTPUTS = ("heatmaps", "presence", "visibility", "z")
"""Trainable outputs of the landmarks. Of world landmarks and masks, a larger teacher made none better:
docs/benchmarks/fine-tuning.md, "A larger teacher"."""


class Teacher(NamedTuple):
    """A trained network whose outputs another one learns.

    Attributes:
        path: file of its weights.
        net: the network, in eval mode.
        metadata: metadata of the weights.
        sha256: checksum of the file.
        initial: the initial network of the training, if it is another one. The teacher then gives the
            landmarks, and this the auxiliary points, world landmarks, mask and pose score.
    """

    path: Path
    net: LandmarkNet
    metadata: Mapping[str, Any]
    sha256: str
    initial: "Teacher | None" = None

    @property
    def supervised(self) -> SupervisedOutputs:
        """Outputs that it was trained on, or the initial network."""
        own = SupervisedOutputs.from_metadata(self.metadata["trained"])
        if self.initial is None:
            return own
        landmarks = tuple(name for name in own.outputs if name in _LANDMARK_OUTPUTS)
        return self.initial.supervised.merge(replace(own, outputs=landmarks))

    def describe(self) -> str:
        """Return a line for the log."""
        if self.initial is None:
            return f"unlabelled outputs are distilled from {self.path}"
        return f"unlabelled landmarks are distilled from {self.path}, other outputs from {self.initial.path}"

    def as_metadata(self) -> dict[str, Any]:
        """Return what checkpoints keep of it: name, checksum, trained outputs and data, with the licenses."""
        about = {key: self.metadata[key] for key in ("model", "data", "init")}
        trained = self.supervised.as_metadata()
        return {"name": self.path.name, "sha256": self.sha256, "trained": trained, **about}


def load_teacher(teacher: str | None, init: str | None) -> Teacher:
    """Load the teacher of a training.

    Args:
        teacher: file or run folder, for the landmarks; None for the initial weights.
        init: file or run folder of the initial weights.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it holds no landmark network, or if there are neither.
    """
    if teacher is None and init is None:
        raise InputError(
            "loss.distill and loss.teacher need a teacher: the initial weights, init=FILE, or another "
            "network, teacher=FILE. Set one of them, or both factors to 0."
        )
    initial = _open(resolve_weights(init, "init=")) if init is not None else None
    if teacher is None:
        assert initial is not None
        return initial
    other = _open(resolve_weights(teacher, "teacher="))
    return other._replace(initial=initial) if initial and initial.sha256 != other.sha256 else other


def _open(path: Path) -> Teacher:
    net, metadata = open_landmark_net(path)
    return Teacher(path, net, metadata, file_sha256(path))


def check_unchanged(teacher: Teacher, metadata: Mapping[str, Any]) -> None:
    """Check that a resumed run, with the metadata of its checkpoint, has the teacher that it began with.

    Raises:
        ValueError: if a file has changed.
    """
    first = metadata.get("teacher") or metadata["init"]  # earlier versions had no other teacher
    for file, before in ((teacher, first), (teacher.initial, metadata.get("init"))):
        if file and before and file.sha256 != before["sha256"]:
            raise InputError(
                f"{file.path}, a teacher of this run, has changed since the run started (sha256 differs). "
                "Restore it, or start a new run."
            )


def provide_targets(
    teacher: Teacher, people: list[Annotation], num_workers: int, device: torch.device
) -> TeacherStore:
    """Return the teacher's outputs for people, computed unless an earlier run has done so.

    Args:
        teacher: the teacher.
        people: people with labels or an ROI.
        num_workers: data-loading processes.
        device: device of the networks.
    """
    folder = RUNS / "teacher" / _key(teacher, people)
    with lock(folder):
        if not folder.is_dir():
            log.info("outputs of %s for %d people are kept in %s", teacher.path, len(people), folder)
            with atomic_path(folder) as part:
                part.mkdir()
                write_store(part, _run(teacher, people, num_workers, device))
    return TeacherStore(folder)


def lock(path: Path) -> FileLock:
    """Return a lock on a result, so that of several processes of a training one computes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f".{path.name}.lock"))


def _key(teacher: Teacher, people: list[Annotation]) -> str:
    """Return a name for the outputs: of the weights, and of the crop of every person."""
    initial = teacher.initial.sha256 if teacher.initial else None
    content = hashlib.sha256(f"{_VERSION} {teacher.sha256} {initial}\n".encode())
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
    teacher: Teacher, people: list[Annotation], num_workers: int, device: torch.device
) -> Iterator[TeacherTargets]:
    """Yield the outputs for each person."""
    size = teacher.net.input_spec.size
    loader = DataLoader(
        _Crops(people, size),
        _BATCH,
        num_workers=num_workers,
        collate_fn=list,
        worker_init_fn=prepare_worker if num_workers else None,
    )
    for crops in tqdm(loader, desc="teacher", unit=" batches", disable=None):
        readable = [crop for crop in crops if crop is not None]
        outputs = iter(_predict(teacher, np.stack(readable), device) if readable else ())
        for crop in crops:
            yield no_targets(size) if crop is None else next(outputs)


def _predict(teacher: Teacher, crops: np.ndarray, device: torch.device) -> Iterator[TeacherTargets]:
    net = teacher.net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    # TF32 would move landmarks by tenths of a pixel.
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        out = net(network_input(torch.from_numpy(crops).to(device)))
    targets = _to_targets(out, net.input_spec.size)
    if teacher.initial is None:
        yield from targets
        return
    own = SupervisedOutputs.from_metadata(teacher.metadata["trained"])
    for landmarks, others in zip(targets, _predict(teacher.initial, crops, device), strict=True):
        yield _combine(landmarks, others, own)


def _combine(landmarks: TeacherTargets, others: TeacherTargets, trained: SupervisedOutputs) -> TeacherTargets:
    """Return the landmarks of one network, as far as it was trained on them, and all else of another."""
    chosen = np.zeros((NUM_OUTPUTS, 5), bool)
    chosen[:NUM_LANDMARKS] = trained.mask("landmarks")[:, None]
    chosen[:, [2, 4]] &= np.isin(["z", "presence"], trained.outputs)
    chosen[:NUM_LANDMARKS, 3] = trained.mask("visibility")
    heatmaps = np.zeros((NUM_OUTPUTS, 1, 1), bool)
    heatmaps[:NUM_LANDMARKS, 0, 0] = trained.mask("heatmaps")
    return {
        **others,
        "heatmaps": np.where(heatmaps, landmarks["heatmaps"], others["heatmaps"]),
        "points": np.where(chosen, landmarks["points"], others["points"]),
    }


def _to_targets(out: LandmarkOutputs, size: int) -> Iterator[TeacherTargets]:
    """Convert outputs on the CPU. x and y come from the heatmaps, which are right more often."""
    assert out.segmentation is not None
    points = out.landmarks.float()
    xyz = points[..., :3].cpu().numpy() / size
    heatmaps = out.heatmaps.float().permute(0, 2, 3, 1).cpu().numpy()
    xyz[..., :2] = decode_by_heatmap(xyz[..., :2], heatmaps)
    probabilities, masks = (x.float().sigmoid().cpu().numpy() for x in (out.heatmaps, out.segmentation[:, 0]))
    scores, pose = (x.sigmoid().cpu().numpy() for x in (points[..., 3:], out.pose_logit.float()[:, 0]))
    world = out.world.float()[:, :NUM_LANDMARKS].cpu().numpy()
    for k in range(len(points)):
        yield TeacherTargets(
            heatmaps=quantize_heatmaps(probabilities[k]),
            points=np.concatenate([xyz[k], scores[k]], axis=1),
            world=world[k],
            mask=quantize_mask(masks[k]),
            pose=np.float32(pose[k]),
            body=xyz[k, :NUM_LANDMARKS, :2],
        )
