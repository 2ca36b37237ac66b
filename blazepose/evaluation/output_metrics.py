"""What a network says beside 2-D landmarks, against annotations: world, visibility, presence, mask."""

from typing import Any, NamedTuple

import numpy as np

from blazepose.data.align import presence_labels
from blazepose.data.annotation import UNKNOWN, VISIBLE, Annotation
from blazepose.evaluation.numbers import number
from blazepose.evaluation.predictions import Prediction, learned_landmarks, learned_output
from blazepose.geometry import images_to_rois
from blazepose.metrics.binary import ClassScore, agrees, balanced_accuracy, class_scores
from blazepose.metrics.calibration import calibration_error, reliability
from blazepose.metrics.mask_iou import mask_iou, mean_iou
from blazepose.metrics.pck import percent
from blazepose.metrics.pose3d import aligned_joint_errors, bone_asymmetry, joint_errors, mpjpe, stature


class ScoredOutputs(NamedTuple):
    """Errors, labels and answers of the people that count; nothing counts that the weights never learned.

    Attributes:
        world_errors: (people, 33) mm, both sides centred on their mid-hip; NaN where not known.
        aligned_errors: (people, 33) mm, after an alignment of each person; NaN where not known.
        asymmetry: (people, 4) metrics.pose3d.bone_asymmetry of what is predicted, whatever is labelled.
        height_errors: (people,) how much taller than the label somebody is said to be, per cent of it.
        visibility: (people, 33) int8 labels, VISIBLE, HIDDEN or UNKNOWN.
        visibility_said: (people, 33), 0..1.
        presence: (people, 33) int8 labels, 1 inside both the picture and the crop the network saw, 0 outside,
            or UNKNOWN, as where the source does not say how large its pictures are.
        presence_said: (people, 33), 0..1.
        world_unsaid: (people, 33) bool, points labelled in metres that are predicted as NaN or infinity of
            somebody who was found.
        mask_iou: (people,) 0..1, 0 of somebody who was not found, NaN where there is no mask.
        not_trained: outputs that are labelled, but that no weights have learned.
    """

    world_errors: np.ndarray
    aligned_errors: np.ndarray
    asymmetry: np.ndarray
    height_errors: np.ndarray
    visibility: np.ndarray
    visibility_said: np.ndarray
    presence: np.ndarray
    presence_said: np.ndarray
    world_unsaid: np.ndarray
    mask_iou: np.ndarray
    not_trained: list[str]


def score_outputs(annotations: list[Annotation], predictions: list[Prediction]) -> ScoredOutputs:
    """Score the same people's predictions and annotations.

    Raises:
        ValueError: names the person whose masks cannot be compared.
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
    said = np.array([prediction.landmarks[:, 3:] for prediction in predictions])
    seen = learned_landmarks(predictions, "visibility")
    return ScoredOutputs(
        **_world_errors(annotations, predictions),
        visibility=np.where(seen, visibility, UNKNOWN),
        visibility_said=said[..., 0],
        presence=np.where(_learned(predictions, "presence"), presence, UNKNOWN),
        presence_said=said[..., 1],
        mask_iou=np.array([_mask_iou(annotation, prediction) for annotation, prediction in pairs]),
        not_trained=[
            output
            for output, is_labelled in labelled.items()
            if is_labelled and not any(learned_output(p.trained, output) for p in predictions)
        ],
    )


def _learned(predictions: list[Prediction], output: str) -> np.ndarray:
    """Landmarks for which the weights learned an output, bool (people, 33)."""
    told = np.array([learned_output(prediction.trained, output) for prediction in predictions])
    return learned_landmarks(predictions, "landmarks") & told[:, None]


def _world_errors(annotations: list[Annotation], predictions: list[Prediction]) -> dict[str, np.ndarray]:
    """The fields of ScoredOutputs that world landmarks have."""
    learned = _learned(predictions, "world")
    world = np.array([prediction.landmarks_world for prediction in predictions])
    world[~learned] = np.nan
    labelled = [row for row, person in enumerate(annotations) if person.landmarks_world is not None]
    errors = {
        "world_errors": np.full(learned.shape, np.nan),
        "aligned_errors": np.full(learned.shape, np.nan),
        "height_errors": np.full(len(annotations), np.nan),
        "world_unsaid": np.zeros(learned.shape, bool),
    }
    if labelled:
        said = world[labelled]
        target = np.array([annotations[row].landmarks_world for row in labelled], np.float64)
        known = np.isfinite(target + said).all(axis=-1)
        found = np.array([predictions[row].found for row in labelled])[:, None]
        errors["world_unsaid"][labelled] = (
            np.isfinite(target).all(axis=-1) & learned[labelled] & found & ~np.isfinite(said).all(axis=-1)
        )
        errors["world_errors"][labelled] = joint_errors(said, target, known)
        errors["aligned_errors"][labelled] = aligned_joint_errors(said, target, known)
        errors["height_errors"][labelled] = 100 * (stature(said) / stature(target) - 1)
    return {**errors, "asymmetry": bone_asymmetry(world)}


def _presence(annotations: list[Annotation], predictions: list[Prediction]) -> np.ndarray:
    points_px = np.array([annotation.landmarks_px for annotation in annotations]).astype(np.float64)
    points_roi = images_to_rois([prediction.roi for prediction in predictions], points_px)
    sized = np.array([annotation.image_size is not None for annotation in annotations])
    labelled = np.array([annotation.labelled for annotation in annotations]) & sized[:, None]
    frames = np.array([(0, 0, *(annotation.image_size or (0, 0))) for annotation in annotations])
    return presence_labels(points_px, points_roi, labelled, frames)


def _mask_iou(annotation: Annotation, prediction: Prediction) -> float:
    if (
        annotation.mask is not None
        and not prediction.found
        and learned_output(prediction.trained, "segmentation")
    ):
        return 0.0
    if annotation.mask is None or prediction.mask is None:
        return float("nan")
    try:
        return mask_iou(prediction.mask, annotation.mask)
    except ValueError as error:
        raise ValueError(f"{annotation.image}, person {annotation.person}: {error}") from error


def class_table(heads: ScoredOutputs) -> dict[str, ClassScore]:
    """Agreement about each class of visibility and of presence."""
    visible, hidden = class_scores(heads.visibility, heads.visibility_said)
    present, absent = class_scores(heads.presence, heads.presence_said)
    return {"visible": visible, "hidden": hidden, "present": present, "absent": absent}


def output_metrics(heads: ScoredOutputs) -> dict[str, float]:
    """The figures of everybody, NaN where nothing counts: mm, and per cent.

    `height_bias` is signed: above 0, people are said to be taller than they are.
    """
    classes = class_table(heads)
    return {
        "mpjpe_mm": mpjpe(heads.world_errors),
        "pa_mpjpe_mm": mpjpe(heads.aligned_errors),
        "bone_asymmetry": _known_mean(heads.asymmetry),
        "height_error": _known_mean(np.abs(heads.height_errors)),
        "height_bias": _known_mean(heads.height_errors),
        "visibility_f1": classes["visible"].f1,
        "hidden_f1": classes["hidden"].f1,
        "visibility_balanced_accuracy": balanced_accuracy(classes["visible"], classes["hidden"]),
        "presence_f1": classes["present"].f1,
        "absent_f1": classes["absent"].f1,
        "presence_balanced_accuracy": balanced_accuracy(classes["present"], classes["absent"]),
        "mask_iou": mean_iou(heads.mask_iou),
    }


def _known_mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def calibration(heads: ScoredOutputs) -> dict[str, dict[str, Any]]:
    """How far visibility and presence can be taken as probabilities, of those that are labelled.

    Not of an annotator, who says yes or no.
    """
    told = {
        "visibility": reliability(heads.visibility, heads.visibility_said),
        "presence": reliability(heads.presence, heads.presence_said),
    }
    return {
        name: {"error": number(calibration_error(bins)), "bins": [list(map(number, one)) for one in bins]}
        for name, bins in told.items()
        if any(0 < one.said < 1 for one in bins)
    }


def landmark_output_metrics(heads: ScoredOutputs, landmark: int) -> dict[str, float]:
    """The figures of one landmark, NaN where nothing counts.

    Of the points whose visibility is labelled, `visible_share` is the share labelled visible, and
    `visibility_accuracy` the share whose visibility is said rightly, in per cent.
    """
    label, said = heads.visibility[:, landmark], heads.visibility_said[:, landmark]
    return {
        "mpjpe_mm": mpjpe(heads.world_errors[:, landmark]),
        "visible_share": percent(label == VISIBLE, label != UNKNOWN),
        "visibility_accuracy": percent(agrees(label, said), label != UNKNOWN),
    }
