"""Scores of the outputs other than 2-D landmarks: world landmarks, visibility, presence, mask."""

from typing import Any, NamedTuple

import numpy as np

from blazepose.data.align import presence_labels
from blazepose.data.annotation import UNKNOWN, Annotation
from blazepose.evaluation.numbers import number
from blazepose.evaluation.predictions import Prediction, supervised_landmarks
from blazepose.exceptions import InputError
from blazepose.geometry import images_to_rois
from blazepose.metrics.binary import ClassScore, class_scores
from blazepose.metrics.calibration import calibration_error, reliability
from blazepose.metrics.mask_iou import mask_iou
from blazepose.metrics.pose3d import aligned_joint_errors, bone_asymmetry, joint_errors, stature


class ScoredOutputs(NamedTuple):
    """Errors, labels and predictions of the scored people, only for outputs that were supervised in training.

    Attributes:
        world_errors: (people, landmarks) mm, both sides centered on their mid-hip; NaN where invalid, and for
            networks without world landmarks, like the four that follow.
        aligned_errors: (people, landmarks) mm, after Procrustes alignment of each person; NaN where invalid.
        asymmetry: (people, 4) metrics.pose3d.bone_asymmetry of the predictions, with or without labels.
        height_errors: (people,) predicted minus labelled height, per cent of the label.
        visibility: (people, landmarks) int8 labels, VISIBLE, HIDDEN or UNKNOWN.
        predicted_visibility: (people, landmarks), 0..1.
        presence: (people, landmarks) int8 labels, 1 inside both the image and the network's crop, 0 outside,
            UNKNOWN if unlabelled or if the image size is missing.
        predicted_presence: (people, landmarks), 0..1.
        nonfinite_world: (people, landmarks) bool, labelled world landmarks predicted as NaN or infinity for
            detected people.
        mask_iou: (people,) 0..1, 0 for missed people, NaN without a labelled mask.
        not_trained: labelled outputs that were not supervised in training.
    """

    world_errors: np.ndarray
    aligned_errors: np.ndarray
    asymmetry: np.ndarray
    height_errors: np.ndarray
    visibility: np.ndarray
    predicted_visibility: np.ndarray
    presence: np.ndarray
    predicted_presence: np.ndarray
    nonfinite_world: np.ndarray
    mask_iou: np.ndarray
    not_trained: list[str]


def score_outputs(
    annotations: list[Annotation], predictions: list[Prediction], chosen: np.ndarray
) -> ScoredOutputs:
    """Score the same people's predictions and annotations.

    Args:
        annotations: labels of the people.
        predictions: predictions of the same people.
        chosen: (landmarks,) bool, landmarks to score. Bones, height and mask do not depend on them.

    Raises:
        ValueError: if the masks of a person cannot be compared.
    """
    pairs = list(zip(annotations, predictions, strict=True))
    visibility = np.array([annotation.visibility for annotation in annotations])
    presence = _presence(annotations, predictions)
    labelled = {
        "world": any(
            world is not None and np.isfinite(world).any()
            for world in (annotation.landmarks_world for annotation in annotations)
        ),
        "visibility": (visibility != UNKNOWN).any(),
        "presence": (presence != UNKNOWN).any(),
        "segmentation": any(annotation.mask is not None for annotation in annotations),
    }
    scores = np.array([prediction.landmarks[:, 3:] for prediction in predictions])
    supervised = supervised_landmarks(predictions, "visibility")
    return ScoredOutputs(
        **_world_errors(annotations, predictions, chosen),
        visibility=np.where(supervised & chosen, visibility, UNKNOWN),
        predicted_visibility=scores[..., 0],
        presence=np.where(_supervised(predictions, "presence") & chosen, presence, UNKNOWN),
        predicted_presence=scores[..., 1],
        mask_iou=np.array([_mask_iou(annotation, prediction) for annotation, prediction in pairs]),
        not_trained=[
            output
            for output, is_labelled in labelled.items()
            if is_labelled and not any(output in p.supervised.outputs for p in predictions)
        ],
    )


def _supervised(predictions: list[Prediction], output: str) -> np.ndarray:
    """Return the landmarks for which an output was supervised, bool (people, landmarks)."""
    supervised = np.array([output in prediction.supervised.outputs for prediction in predictions])
    return supervised_landmarks(predictions, "landmarks") & supervised[:, None]


def _world_errors(
    annotations: list[Annotation], predictions: list[Prediction], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the fields of ScoredOutputs for world landmarks."""
    supervised = _supervised(predictions, "world")
    topology = annotations[0].topology
    missing = np.full((topology.num_landmarks, 3), np.nan)
    world = np.array([missing if p.landmarks_world is None else p.landmarks_world for p in predictions])
    has_world = np.array([prediction.landmarks_world is not None for prediction in predictions])
    supervised &= has_world[:, None]
    world[~supervised] = np.nan
    labelled = [row for row, person in enumerate(annotations) if person.landmarks_world is not None]
    errors = {
        "world_errors": np.full(supervised.shape, np.nan),
        "aligned_errors": np.full(supervised.shape, np.nan),
        "height_errors": np.full(len(annotations), np.nan),
        "nonfinite_world": np.zeros(supervised.shape, bool),
    }
    if labelled:
        predicted = world[labelled]
        target = np.array([annotations[row].landmarks_world for row in labelled], np.float64)
        valid = np.isfinite(target + predicted).all(axis=-1)
        detected = np.array([predictions[row].detected for row in labelled])[:, None]
        errors["nonfinite_world"][labelled] = (
            np.isfinite(target).all(axis=-1)
            & supervised[labelled]
            & detected
            & chosen
            & ~np.isfinite(predicted).all(axis=-1)
        )
        centered = joint_errors(predicted, target, valid, topology)
        errors["world_errors"][labelled] = np.where(chosen, centered, np.nan)
        aligned = aligned_joint_errors(predicted, target, valid)
        errors["aligned_errors"][labelled] = np.where(chosen, aligned, np.nan)
        heights = stature(predicted, topology), stature(target, topology)
        errors["height_errors"][labelled] = 100 * (heights[0] / heights[1] - 1)
    return {**errors, "asymmetry": bone_asymmetry(world, topology)}


def _presence(annotations: list[Annotation], predictions: list[Prediction]) -> np.ndarray:
    points_px = np.array([annotation.landmarks_px for annotation in annotations]).astype(np.float64)
    points_roi = images_to_rois([prediction.roi for prediction in predictions], points_px)
    has_size = np.array([annotation.image_size is not None for annotation in annotations])
    labelled = np.array([annotation.labelled for annotation in annotations]) & has_size[:, None]
    frames = np.array([(0, 0, *(annotation.image_size or (0, 0))) for annotation in annotations])
    return presence_labels(points_px, points_roi, labelled, frames)


def _mask_iou(annotation: Annotation, prediction: Prediction) -> float:
    if (
        annotation.mask is not None
        and not prediction.detected
        and "segmentation" in prediction.supervised.outputs
    ):
        return 0.0
    if annotation.mask is None or prediction.mask is None:
        return float("nan")
    try:
        return mask_iou(prediction.mask, annotation.mask)
    except ValueError as error:
        raise InputError(f"{annotation.image}, person {annotation.person}: {error}") from error


def class_table(outputs: ScoredOutputs) -> dict[str, ClassScore]:
    """Compute precision, recall and F1 of each class of visibility and presence."""
    visible, hidden = class_scores(outputs.visibility, outputs.predicted_visibility)
    present, absent = class_scores(outputs.presence, outputs.predicted_presence)
    return {"visible": visible, "hidden": hidden, "present": present, "absent": absent}


def calibration(outputs: ScoredOutputs) -> dict[str, dict[str, Any]]:
    """Compute the calibration of labelled visibility and presence.

    Hard 0 or 1 predictions, as of an annotator, are skipped.
    """
    bins_of = {
        "visibility": reliability(outputs.visibility, outputs.predicted_visibility),
        "presence": reliability(outputs.presence, outputs.predicted_presence),
    }
    return {
        name: {"error": number(calibration_error(bins)), "bins": [list(map(number, entry)) for entry in bins]}
        for name, bins in bins_of.items()
        if any(0 < entry.predicted < 1 for entry in bins)
    }
