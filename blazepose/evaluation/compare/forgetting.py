"""Measure what a fine-tuning forgot: how far the outputs of two weights differ on the same crops."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from blazepose.decoding import Decoding, default_decoding
from blazepose.evaluation.keypoint_partition import PARTS, indices_by_name
from blazepose.evaluation.numbers import number
from blazepose.evaluation.predict import CropJob, predict
from blazepose.evaluation.predictions import PersonKey, person_key
from blazepose.geometry import image_to_roi, roi_to_image
from blazepose.metrics.binary import YES_FROM
from blazepose.metrics.pck import percent, torso_size
from blazepose.runtime.decode import RawOutputs, decode_outputs, sigmoid
from blazepose.runtime.engines import InferenceEngine
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

RARELY_LABELLED = {name: PARTS[name] for name in ("face", "hands", "feet")}
"""Landmarks that few data sets label."""


class CropOutputs(NamedTuple):
    """The outputs of a network for some crops.

    Attributes:
        points: (crops, outputs, 2) ROI coordinates, as decoded.
        world: (crops, landmarks, 3) meters; NaN from a network without world landmarks.
        visibility: (crops, landmarks), 0..1.
        pose: (crops,), 0..1.
        masks: (crops, size, size) bool.
    """

    points: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    pose: np.ndarray
    masks: np.ndarray

    def select(self, rows: np.ndarray) -> "CropOutputs":
        """Return the outputs for some of the crops."""
        return CropOutputs(*(part[rows] for part in self))


class RecordingEngine:
    """An inference engine that keeps its outputs, so that one run serves the scores and the forgetting.

    Args:
        engine: the engine that runs the network.
        decoding: how to compute x and y; None for what the weights are made for.
    """

    def __init__(self, engine: InferenceEngine, decoding: Decoding | None = None) -> None:
        self.engine = engine
        self.decoding = decoding or default_decoding(engine.metadata)
        self._batches: list[CropOutputs] = []
        self.input_size, self.metadata, self.topology = engine.input_size, engine.metadata, engine.topology

    def __call__(self, images: np.ndarray) -> RawOutputs:
        raw = self.engine(images)
        decoded = decode_outputs(raw, self.input_size, self.decoding)
        assert decoded.segmentation is not None
        visibility = decoded.landmarks[:, : self.topology.num_landmarks, 3]
        no_world = np.full((*visibility.shape, 3), np.nan)
        outputs = CropOutputs(
            points=decoded.landmarks[..., :2],
            world=no_world if decoded.world is None else decoded.world,
            visibility=visibility,
            pose=decoded.pose_presence,
            masks=sigmoid(decoded.segmentation) >= YES_FROM,
        )
        self._batches.append(outputs)
        return raw

    def outputs(self) -> CropOutputs:
        """Return the outputs for all crops so far, in order."""
        return CropOutputs(*map(np.concatenate, zip(*self._batches, strict=True)))

    def run_on_crops(self, jobs: list[CropJob]) -> None:
        """Run the network on the crops of people."""
        for _ in predict(self, jobs, "", decoding=self.decoding):
            pass


SHIFT_PX = 2
"""A negligible shift of the crop, in pixels of the network's input. Chosen."""


def shift_crop(job: CropJob, size: int) -> CropJob:
    """Shift the crop of a person to its right, by SHIFT_PX of its `size` pixels."""
    x, y = roi_to_image(job.roi, np.array([0.5 + SHIFT_PX / size, 0.5]))
    return job._replace(roi=dataclasses.replace(job.roi, center_x=float(x), center_y=float(y)))


def unshift(outputs: CropOutputs, size: int) -> CropOutputs:
    """Convert the outputs for shifted crops of `size` pixels to the coordinates of the original crops."""
    mask_size = outputs.masks.shape[2]
    shift = SHIFT_PX * mask_size // size
    masks = np.pad(outputs.masks, ((0, 0), (0, 0), (shift, 0)), mode="edge")[..., :mask_size]
    return outputs._replace(points=outputs.points + np.array([SHIFT_PX / size, 0]), masks=masks)


class Labels(NamedTuple):
    """The labels of the people in the crops.

    Attributes:
        points: (people, landmarks, 2) ROI coordinates.
        labelled: (people, landmarks) bool.
        torso: (people,) torso size in sides of the crop; NaN where unknown.
        topology: the landmarks.
    """

    points: np.ndarray
    labelled: np.ndarray
    torso: np.ndarray
    topology: Topology = FULL_BODY


def labels_of(jobs: Sequence[CropJob]) -> Labels:
    """Return the labels of people in the coordinates of their crops."""
    labelled = np.stack([job.annotation.labelled for job in jobs])
    points = np.stack([image_to_roi(job.roi, job.annotation.landmarks_px.astype(np.float64)) for job in jobs])
    topology = jobs[0].annotation.topology
    return Labels(points, labelled, torso_size(points, labelled, topology=topology), topology)


class Forgotten(NamedTuple):
    """What was forgotten.

    Attributes:
        data_sets: {data set: {output: {"change": value, "noise": value}}}, values as of measure_forgetting.
            The noise is the change of the first weights' own outputs when the crop is shifted by SHIFT_PX.
        not_measured: why there are none, as the end of a sentence; None if there are.
    """

    data_sets: dict[str, dict[str, dict[str, float | int | None]]]
    not_measured: str | None = None


def forgetting(
    jobs: Sequence[CropJob],
    data_sets: Mapping[PersonKey, str],
    first: RecordingEngine,
    after: CropOutputs,
) -> Forgotten:
    """Measure forgetting for each data set, with the noise for scale.

    Args:
        jobs: people and crops.
        data_sets: name of each person's data set.
        first: the first weights, with their outputs for the crops.
        after: outputs of the second weights for the crops.
    """
    recorder = RecordingEngine(first.engine, first.decoding)
    recorder.run_on_crops([shift_crop(job, first.input_size) for job in jobs])
    before, shifted = first.outputs(), unshift(recorder.outputs(), first.input_size)
    names = np.array([data_sets[person_key(job.reader, job.annotation)] for job in jobs])
    measured = {}
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        labels, original = labels_of([jobs[row] for row in rows.tolist()]), before.select(rows)
        change, noise = (
            measure_forgetting(original, other.select(rows), labels) for other in (after, shifted)
        )
        measured[name] = {
            output: {"change": number(value), "noise": number(noise[output])}
            for output, value in change.items()
        }
    return Forgotten(measured)


def _enlarged(masks: np.ndarray, side: int) -> np.ndarray:
    """Repeat the pixels of masks (people, size, size) to a multiple of their side."""
    return masks.repeat(side // masks.shape[1], axis=1).repeat(side // masks.shape[2], axis=2)


def measure_forgetting(before: CropOutputs, after: CropOutputs, labels: Labels) -> dict[str, float]:
    """Measure how much the outputs changed where the first weights are correct (`confident_points`).

    Returns:
        Median shift of face, hands and feet in percent of the torso, of the alignment points in percent of
        the crop's side, and of world landmarks in cm; percentage of visibilities and of pose scores on the
        same side of 0.5; mean IoU of the masks in percent.
    """
    topology, confident = labels.topology, _confident(before, labels)
    alignment, groups = [topology.roi_center, topology.roi_scale], indices_by_name(RARELY_LABELLED, topology)
    landmarks = confident[:, : topology.num_landmarks]
    moved = np.linalg.norm(after.points - before.points, axis=2)
    of_torso = 100 * moved[:, : topology.num_landmarks] / labels.torso[:, None]
    aligned = confident[:, topology.roi_center]
    world_moved = np.linalg.norm(after.world - before.world, axis=2)
    side = max(before.masks.shape[1], after.masks.shape[1])
    first, second = _enlarged(before.masks, side), _enlarged(after.masks, side)
    intersection, union = (first & second).sum(axis=(1, 2)), (first | second).sum(axis=(1, 2))
    return {
        **{
            f"{name}, % of torso": _median(of_torso[:, group], landmarks[:, group])
            for name, group in groups.items()
        },
        "alignment points, % of the crop": 100 * _median(moved[aligned][:, alignment]),
        "world, cm": 100 * _median(world_moved, landmarks),
        "visibility agrees, %": percent(
            (before.visibility >= YES_FROM) == (after.visibility >= YES_FROM), landmarks
        ),
        "pose score agrees, %": 100 * float(((before.pose > YES_FROM) == (after.pose > YES_FROM)).mean()),
        "mask IoU, %": percent(np.where(union, intersection / union.clip(min=1), 1), aligned),
    }


def _confident(before: CropOutputs, labels: Labels) -> np.ndarray:
    """Return where the first weights are correct, bool (people, outputs); nowhere without a torso size."""
    # Reports of saved evaluations need no torch.
    import torch

    from blazepose.training.teacher_outputs import confident_points

    topology = labels.topology
    predicted = before.points[:, : topology.num_landmarks]
    points, target, torso = (
        torch.from_numpy(values.astype(np.float32)) for values in (predicted, labels.points, labels.torso)
    )
    labelled = torch.from_numpy(labels.labelled)
    confident = confident_points(points, target, labelled, torso, topology).numpy()
    return confident & (labels.torso > 0)[:, None]


def _median(values: np.ndarray, counted: np.ndarray | None = None) -> float:
    selected = values if counted is None else values[counted]
    return float(np.median(selected)) if selected.size else float("nan")
