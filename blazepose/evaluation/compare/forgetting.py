"""What a fine-tuning changed, of what it was taught and of what it was not: two weights on the same crops."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from blazepose.evaluation.compare.before_after import PersonChange
from blazepose.evaluation.predict import CropJob
from blazepose.geometry import image_to_roi, roi_to_image
from blazepose.metrics.binary import YES_FROM
from blazepose.metrics.bootstrap import Interval, paired_difference
from blazepose.metrics.pck import PCK_THRESHOLD, normalized_errors, percent, torso_size
from blazepose.runtime.decode import decode_landmarks, refine_by_heatmap, sigmoid
from blazepose.runtime.engines import InferenceEngine
from blazepose.topology import INDEX, NUM_LANDMARKS, NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training.distillation import confident_points

GROUPS: Mapping[str, range] = {
    "face": range(INDEX["mouth_right"] + 1),
    "hands": range(INDEX["left_pinky"], INDEX["right_thumb"] + 1),
    "feet": range(INDEX["left_heel"], INDEX["right_foot_index"] + 1),
}
"""Landmarks that few labels have."""


class CropOutputs(NamedTuple):
    """What a network says of some crops.

    Attributes:
        points: (crops, 39, 2) ROI coordinates, refined by the heatmap.
        world: (crops, 33, 3) metres.
        visibility: (crops, 33), 0..1.
        pose: (crops,), 0..1.
        masks: (crops, size, size) bool.
    """

    points: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    pose: np.ndarray
    masks: np.ndarray


def run_on_crops(engine: InferenceEngine, crops: Iterable[np.ndarray], total: int) -> CropOutputs:
    """Run a network over crops, uint8 (size, size, 3) each."""
    said = [_say(engine, crop) for crop in tqdm(crops, total=total, unit=" images", disable=None)]
    return CropOutputs(*(np.stack(part) for part in zip(*said, strict=True)))


def _say(engine: InferenceEngine, crop: np.ndarray) -> CropOutputs:
    raw = engine(crop[None])
    assert raw.segmentation is not None
    landmarks = decode_landmarks(raw.landmarks, engine.input_size)
    points = refine_by_heatmap(landmarks[..., :2], raw.heatmaps)
    return CropOutputs(
        points=points[0],
        world=raw.world.reshape(NUM_OUTPUTS, 3)[:NUM_LANDMARKS],
        visibility=landmarks[0, :NUM_LANDMARKS, 3],
        pose=raw.pose_presence[0, 0],
        masks=sigmoid(raw.segmentation[0, ..., 0]) >= YES_FROM,
    )


SHIFT_PX = 2
"""A movement of the crop that nobody sees, pixels of the network's input. Chosen."""


def shift_crop(job: CropJob, size: int) -> CropJob:
    """The same person through a crop that is SHIFT_PX of `size` further to its right."""
    x, y = roi_to_image(job.roi, np.array([0.5 + SHIFT_PX / size, 0.5]))
    return job._replace(roi=dataclasses.replace(job.roi, center_x=float(x), center_y=float(y)))


def unshift(said: CropOutputs) -> CropOutputs:
    """What a network says of nudged crops, in the coordinates of those that were not."""
    size = said.masks.shape[2]
    masks = np.pad(said.masks, ((0, 0), (0, 0), (SHIFT_PX, 0)), mode="edge")[..., :size]
    return said._replace(points=said.points + np.array([SHIFT_PX / size, 0]), masks=masks)


class Labels(NamedTuple):
    """What is known of the people in the crops.

    Attributes:
        points: (people, 33, 2) ROI coordinates.
        labelled: (people, 33) bool.
        torso: (people,) in sides of the crop; NaN where it is not known.
    """

    points: np.ndarray
    labelled: np.ndarray
    torso: np.ndarray


def labels_of(jobs: list[CropJob]) -> Labels:
    """Labels of the people of an evaluation, in their crops."""
    people = [job.annotation for job in jobs]
    labelled = np.stack([person.labelled for person in people])
    points = [image_to_roi(job.roi, job.annotation.landmarks_px.astype(np.float64)) for job in jobs]
    return Labels(np.stack(points), labelled, torso_size(np.stack(points), labelled))


def right_points(
    before: CropOutputs, after: CropOutputs, labels: Labels
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which points count as right in PCK@0.2 before and after, and which count at all; bool (people, 33)."""
    was, now = (
        normalized_errors(said.points[:, :NUM_LANDMARKS], labels.points, labels.torso) < PCK_THRESHOLD
        for said in (before, after)
    )
    counted = labels.labelled & (labels.torso > 0)[:, None]
    return was & counted, now & counted, counted


def changes(
    jobs: list[CropJob], before: CropOutputs, after: CropOutputs, labels: Labels
) -> list[PersonChange]:
    """The people as evaluation.change_sheet shows them."""
    was, now, counted = right_points(before, after, labels)
    found = []
    for k, job in enumerate(jobs):
        first, second = (roi_to_image(job.roi, said.points[k, :NUM_LANDMARKS]) for said in (before, after))
        shown = np.full(NUM_LANDMARKS, True)
        found.append(
            PersonChange(job.annotation, job.roi, first, second, shown, was[k], now[k], int(counted[k].sum()))
        )
    return found


def changed_pck(before: CropOutputs, after: CropOutputs, labels: Labels) -> tuple[float, float, Interval]:
    """PCK@0.2 before and after, per cent, and its change with a paired 95 % interval over people."""
    was, now, counted = right_points(before, after, labels)
    return percent(was, counted), percent(now, counted), paired_difference(was, now, counted)


def measure_forgetting(before: CropOutputs, after: CropOutputs, labels: Labels) -> dict[str, float]:
    """How much the second weights differ from the first, where those were right (training.teacher.trusted).

    Returns:
        Median movement of face, hands and feet in per cent of the torso, of the alignment points in per cent
        of the crop's side, of world landmarks in cm; share of visibilities and of pose scores on the same
        side of a half, in per cent; and the mean overlap of the masks, in per cent.
    """
    sure = _sure(before, labels)
    people = sure[:, :NUM_LANDMARKS]
    moved = np.linalg.norm(after.points - before.points, axis=2)
    of_torso = 100 * moved[:, :NUM_LANDMARKS] / labels.torso[:, None]
    whole = sure[:, ROI_CENTER]
    shared = (before.masks & after.masks).sum(axis=(1, 2))
    either = (before.masks | after.masks).sum(axis=(1, 2))
    return {
        **{
            f"{name}, % of torso": _median(of_torso[:, list(group)], people[:, list(group)])
            for name, group in GROUPS.items()
        },
        "alignment points, % of the crop": 100 * _median(moved[whole][:, [ROI_CENTER, ROI_SCALE]]),
        "world, cm": 100 * _median(np.linalg.norm(after.world - before.world, axis=2), people),
        "visibility agrees, %": percent(
            (before.visibility >= YES_FROM) == (after.visibility >= YES_FROM), people
        ),
        "pose score agrees, %": 100 * float(((before.pose > YES_FROM) == (after.pose > YES_FROM)).mean()),
        "mask overlap, %": percent(np.where(either, shared / either.clip(min=1), 1), whole),
    }


def _sure(before: CropOutputs, labels: Labels) -> np.ndarray:
    """Where the first weights are right, bool (people, 39); nowhere on somebody without a torso size."""
    pad = NUM_OUTPUTS - NUM_LANDMARKS
    points = np.pad(labels.points, ((0, 0), (0, pad), (0, 0))).astype(np.float32)
    labelled = np.pad(labels.labelled, ((0, 0), (0, pad)))
    arrays = (before.points.astype(np.float32), points, labelled, labels.torso.astype(np.float32))
    sure = confident_points(*map(torch.from_numpy, arrays)).numpy()
    return sure & (labels.torso > 0)[:, None]


def _median(values: np.ndarray, counted: np.ndarray | None = None) -> float:
    kept = values if counted is None else values[counted]
    return float(np.median(kept)) if kept.size else float("nan")
