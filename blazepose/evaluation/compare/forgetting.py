"""Measure what a fine-tuning gained and what it forgot: two weights on the same crops."""

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
from blazepose.runtime.decode import decode_outputs, sigmoid
from blazepose.runtime.engines import InferenceEngine
from blazepose.topology import INDEX, NUM_LANDMARKS, NUM_OUTPUTS, ROI_CENTER, ROI_SCALE
from blazepose.training.distillation import confident_points

RARELY_LABELLED: Mapping[str, range] = {
    "face": range(INDEX["mouth_right"] + 1),
    "hands": range(INDEX["left_pinky"], INDEX["right_thumb"] + 1),
    "feet": range(INDEX["left_heel"], INDEX["right_foot_index"] + 1),
}
"""Landmarks that few data sets label."""


class CropOutputs(NamedTuple):
    """The outputs of a network for some crops.

    Attributes:
        points: (crops, 39, 2) ROI coordinates, refined by the heatmap.
        world: (crops, 33, 3) meters.
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
    """Run a network on crops, uint8 (size, size, 3) each."""
    outputs = [_run(engine, crop) for crop in tqdm(crops, total=total, unit=" images", disable=None)]
    return CropOutputs(*(np.stack(part) for part in zip(*outputs, strict=True)))


def _run(engine: InferenceEngine, crop: np.ndarray) -> CropOutputs:
    decoded = decode_outputs(engine(crop[None]), engine.input_size)
    assert decoded.segmentation is not None
    return CropOutputs(
        points=decoded.landmarks[0, :, :2],
        world=decoded.world[0],
        visibility=decoded.landmarks[0, :NUM_LANDMARKS, 3],
        pose=decoded.pose_presence[0],
        masks=sigmoid(decoded.segmentation[0]) >= YES_FROM,
    )


SHIFT_PX = 2
"""A negligible shift of the crop, in pixels of the network's input. Chosen."""


def shift_crop(job: CropJob, size: int) -> CropJob:
    """Shift the crop of a person to its right, by SHIFT_PX of its `size` pixels."""
    x, y = roi_to_image(job.roi, np.array([0.5 + SHIFT_PX / size, 0.5]))
    return job._replace(roi=dataclasses.replace(job.roi, center_x=float(x), center_y=float(y)))


def unshift(outputs: CropOutputs) -> CropOutputs:
    """Convert the outputs for shifted crops to the coordinates of the original crops."""
    size = outputs.masks.shape[2]
    masks = np.pad(outputs.masks, ((0, 0), (0, 0), (SHIFT_PX, 0)), mode="edge")[..., :size]
    return outputs._replace(points=outputs.points + np.array([SHIFT_PX / size, 0]), masks=masks)


class Labels(NamedTuple):
    """The labels of the people in the crops.

    Attributes:
        points: (people, 33, 2) ROI coordinates.
        labelled: (people, 33) bool.
        torso: (people,) torso size in sides of the crop; NaN where unknown.
    """

    points: np.ndarray
    labelled: np.ndarray
    torso: np.ndarray


def labels_of(jobs: list[CropJob]) -> Labels:
    """Return the labels of people in the coordinates of their crops."""
    people = [job.annotation for job in jobs]
    labelled = np.stack([person.labelled for person in people])
    points = [image_to_roi(job.roi, job.annotation.landmarks_px.astype(np.float64)) for job in jobs]
    return Labels(np.stack(points), labelled, torso_size(np.stack(points), labelled))


def correct_points(
    before: CropOutputs, after: CropOutputs, labels: Labels
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the points correct by PCK@0.2 before and after, and the counted points; bool (people, 33)."""
    correct_before, correct_after = (
        normalized_errors(outputs.points[:, :NUM_LANDMARKS], labels.points, labels.torso) < PCK_THRESHOLD
        for outputs in (before, after)
    )
    counted = labels.labelled & (labels.torso > 0)[:, None]
    return correct_before & counted, correct_after & counted, counted


def person_changes(
    jobs: list[CropJob], before: CropOutputs, after: CropOutputs, labels: Labels
) -> list[PersonChange]:
    """Return the changes of all people, for a before/after sheet."""
    correct_before, correct_after, counted = correct_points(before, after, labels)
    result = []
    for k, job in enumerate(jobs):
        first, second = (
            roi_to_image(job.roi, outputs.points[k, :NUM_LANDMARKS]) for outputs in (before, after)
        )
        result.append(
            PersonChange(
                job.annotation,
                job.roi,
                first,
                second,
                np.full(NUM_LANDMARKS, True),
                correct_before[k],
                correct_after[k],
                int(counted[k].sum()),
            )
        )
    return result


def changed_pck(before: CropOutputs, after: CropOutputs, labels: Labels) -> tuple[float, float, Interval]:
    """Compute PCK@0.2 before and after, percent, and its change with a paired 95 % interval over people."""
    correct_before, correct_after, counted = correct_points(before, after, labels)
    gain = paired_difference(correct_before, correct_after, counted)
    return percent(correct_before, counted), percent(correct_after, counted), gain


def measure_forgetting(before: CropOutputs, after: CropOutputs, labels: Labels) -> dict[str, float]:
    """Measure how much the outputs changed where the first weights are correct (`confident_points`).

    Returns:
        Median shift of face, hands and feet in percent of the torso, of the alignment points in percent of
        the crop's side, and of world landmarks in cm; percentage of visibilities and of pose scores on the
        same side of 0.5; mean IoU of the masks in percent.
    """
    confident = _confident(before, labels)
    landmarks = confident[:, :NUM_LANDMARKS]
    moved = np.linalg.norm(after.points - before.points, axis=2)
    of_torso = 100 * moved[:, :NUM_LANDMARKS] / labels.torso[:, None]
    aligned = confident[:, ROI_CENTER]
    intersection = (before.masks & after.masks).sum(axis=(1, 2))
    union = (before.masks | after.masks).sum(axis=(1, 2))
    return {
        **{
            f"{name}, % of torso": _median(of_torso[:, list(group)], landmarks[:, list(group)])
            for name, group in RARELY_LABELLED.items()
        },
        "alignment points, % of the crop": 100 * _median(moved[aligned][:, [ROI_CENTER, ROI_SCALE]]),
        "world, cm": 100 * _median(np.linalg.norm(after.world - before.world, axis=2), landmarks),
        "visibility agrees, %": percent(
            (before.visibility >= YES_FROM) == (after.visibility >= YES_FROM), landmarks
        ),
        "pose score agrees, %": 100 * float(((before.pose > YES_FROM) == (after.pose > YES_FROM)).mean()),
        "mask IoU, %": percent(np.where(union, intersection / union.clip(min=1), 1), aligned),
    }


def _confident(before: CropOutputs, labels: Labels) -> np.ndarray:
    """Return where the first weights are correct, bool (people, 39); nowhere without a torso size."""
    pad = NUM_OUTPUTS - NUM_LANDMARKS
    points = np.pad(labels.points, ((0, 0), (0, pad), (0, 0))).astype(np.float32)
    labelled = np.pad(labels.labelled, ((0, 0), (0, pad)))
    arrays = (before.points.astype(np.float32), points, labelled, labels.torso.astype(np.float32))
    confident = confident_points(*map(torch.from_numpy, arrays)).numpy()
    return confident & (labels.torso > 0)[:, None]


def _median(values: np.ndarray, counted: np.ndarray | None = None) -> float:
    selected = values if counted is None else values[counted]
    return float(np.median(selected)) if selected.size else float("nan")
