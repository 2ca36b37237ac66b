"""Distillation from the initial weights of a fine-tuning, for outputs without labels.

Users label few of the 33 landmarks. The others, depth, metric coordinates, visibility, mask and pose score
have no label, and would drift as the features under them change. The network as it was before is their
teacher, except on a limb whose labelled joints it misses: a corrected wrist must not get the wrong hand.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import StageName
from blazepose.data.person_mask import IGNORE
from blazepose.data.sample import PoseBatch
from blazepose.losses.landmark_losses import binary_loss, coordinate_loss, heatmap_loss, position_loss
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.pck_metric import torso_across
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.outputs import LandmarkOutputs
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS
from blazepose.topology import (
    INDEX,
    LANDMARKS,
    NUM_HEATMAPS,
    NUM_LANDMARKS,
    NUM_OUTPUTS,
    ROI_CENTER,
    mirror_name,
)

_KINEMATIC_CHAINS = (
    "left_shoulder",
    "left_elbow left_shoulder",
    "left_wrist left_elbow left_shoulder",
    "left_pinky left_wrist left_elbow left_shoulder",
    "left_index left_wrist left_elbow left_shoulder",
    "left_thumb left_wrist left_elbow left_shoulder",
    "left_hip",
    "left_knee left_hip",
    "left_ankle left_knee left_hip",
    "left_heel left_ankle left_knee left_hip",
    "left_foot_index left_ankle left_knee left_hip",
    "left_eye nose left_ear left_shoulder",
    "left_eye_inner left_eye nose left_shoulder",
    "left_eye_outer left_eye nose left_shoulder",
    "left_ear left_eye nose left_shoulder",
    "mouth_left nose left_eye left_shoulder",
    "nose left_eye left_ear left_shoulder",
)
"""A landmark of the left side, then the landmarks whose labels test the teacher there, nearest first."""

_MIN_CORRECT = 0.75
"""Fraction of a person's labelled landmarks at which the teacher counts as right about the whole. Chosen."""


def _reference_landmarks() -> Tensor:
    """Return (33, 4) reference landmarks, nearest first, padded with the last one."""
    rows = {line.split()[0]: line.split() for line in _KINEMATIC_CHAINS}
    rows |= {
        mirror_name(name): [mirror_name(point) for point in row]
        for name, row in rows.items()
        if name != "nose"
    }
    longest = max(map(len, rows.values()))
    padded = [rows[name] + [rows[name][-1]] * (longest - len(rows[name])) for name in LANDMARKS]
    return torch.tensor([[INDEX[point] for point in row] for row in padded])


REFERENCE_LANDMARKS = _reference_landmarks()


def confident_points(
    predicted: Float[Tensor, "batch 39 2"],
    points: Float[Tensor, "batch 39 2"],
    labelled: Bool[Tensor, "batch 39"],
    torso: Float[Tensor, " batch"],
) -> Bool[Tensor, "batch 39"]:
    """Return a mask of the teacher's points that are consistent with the labels, limb by limb.

    A landmark is, if the teacher puts the nearest labelled landmark along its limb within a fifth of the
    torso of its label, or if none of them is labelled; alignment points are, if most landmarks are.

    Args:
        predicted: points of the teacher, in the unit of the labels.
        points: labels.
        labelled: mask of the points with labels.
        torso: size of each person, in the same unit.
    """
    error = torch.linalg.vector_norm(predicted - points, dim=2)[:, :NUM_LANDMARKS]
    correct = error < PCK_THRESHOLD * torso[:, None]
    valid = labelled[:, :NUM_LANDMARKS]
    landmarks = torch.ones_like(valid)
    for reference in REFERENCE_LANDMARKS.to(points.device).T.flip(0):
        landmarks = torch.where(valid[:, reference], correct[:, reference], landmarks)
    person = (correct & valid).sum(1) >= _MIN_CORRECT * valid.sum(1)
    auxiliary = person[:, None].expand(-1, NUM_OUTPUTS - NUM_LANDMARKS)
    return torch.cat([landmarks, auxiliary], dim=1)


class TeacherOutputs(NamedTuple):
    """Outputs of the teacher for a batch.

    Attributes:
        outputs: outputs of its network.
        confident: (batch, 39) bool, points to distill from.
    """

    outputs: LandmarkOutputs
    confident: Tensor

    def supervised_points(self, labelled: Bool[Tensor, "batch 39"]) -> Bool[Tensor, "batch 39"]:
        """Return the mask of labels to train on: alignment points only where the teacher is wrong.

        Apps rely on the teacher's regions of interest, and labels define these slightly differently.
        """
        supervised = labelled.clone()
        supervised[:, NUM_LANDMARKS:] &= ~self.confident[:, NUM_LANDMARKS:]
        return supervised


@torch.no_grad()
def run_teacher(
    teacher: LandmarkNet,
    images: Float[Tensor, "batch 3 size size"],
    masks: int,
    batch: PoseBatch,
    supervised: Bool[Tensor, "39"],
) -> TeacherOutputs:
    """Run the teacher on images; on those without people, no point is confident.

    Args:
        teacher: network in eval mode.
        images: input of the networks.
        masks: number of images to predict a mask for.
        batch: labels of the images.
        supervised: points that the teacher was trained on.
    """
    outputs = teacher(images, masks)
    points = batch["points"][..., :2]
    torso = torso_across(points)
    labelled = batch["labelled"] & (torso > 0)[:, None]
    predicted = outputs.landmarks[..., :2].float() / teacher.input_spec.size
    confident = confident_points(predicted, points, labelled, torso)
    return TeacherOutputs(outputs, confident & supervised & (batch["pose"] > 0)[:, None])


def distillation_losses(
    out: LandmarkOutputs,
    teacher: TeacherOutputs,
    batch: PoseBatch,
    config: LandmarkLossConfig,
    size: int,
    outputs: Collection[str],
    stage: StageName = "joint",
) -> dict[str, Tensor]:
    """Compute losses against the teacher where it is confident and there is no label; names as of the labels.

    Args:
        out: outputs of the student.
        teacher: outputs of the teacher for the same images.
        batch: labels of the images.
        config: parameters of the losses.
        size: side of the crop, pixels.
        outputs: outputs that the teacher was trained on, names of TRAINABLE_OUTPUTS.
        stage: stage of the training.
    """
    terms: dict[str, Tensor] = {}
    if stage != "regression":
        terms |= _heatmap_distillation(out, teacher, batch)
    if stage != "heatmap":
        terms |= _regression_distillation(out, teacher, batch, config, size)
    distilled = {"coordinates", *(TRAINABLE_OUTPUTS[name].loss for name in outputs)}
    return {name: term for name, term in terms.items() if name in distilled}


def _heatmap_distillation(
    out: LandmarkOutputs, teacher: TeacherOutputs, batch: PoseBatch
) -> dict[str, Tensor]:
    """Compute the terms of heatmaps and mask."""
    (target, confident), points = teacher, slice(NUM_HEATMAPS)
    unlabelled = (confident & ~batch["labelled"])[:, points]
    maps = out.heatmaps[:, points].float(), target.heatmaps[:, points].float().sigmoid()
    terms = {"heatmap": heatmap_loss(*maps, unlabelled)}
    if out.segmentation is not None and target.segmentation is not None:
        masks = len(out.segmentation)
        person = confident[:masks, ROI_CENTER, None, None]
        unlabelled = (batch["mask"][:masks] == IGNORE) & person
        probability = target.segmentation[:, 0].float().sigmoid()
        terms["segmentation"] = binary_loss(out.segmentation[:, 0].float(), probability, unlabelled)
    return terms


def _regression_distillation(
    out: LandmarkOutputs, teacher: TeacherOutputs, batch: PoseBatch, config: LandmarkLossConfig, size: int
) -> dict[str, Tensor]:
    """Compute the terms of the regression head."""
    target, confident = teacher
    landmarks, target_landmarks = out.landmarks.float(), target.landmarks.float()
    xyz, target_xyz = landmarks[..., :3] / size, target_landmarks[..., :3] / size
    world, target_world = (x.world.float()[:, :NUM_LANDMARKS] for x in (out, target))
    unlabelled, z_unlabelled = confident & ~batch["labelled"], confident & ~batch["z_labelled"]
    body = confident[:, :NUM_LANDMARKS]
    all_images = torch.ones_like(out.pose_logit, dtype=torch.bool)
    terms = {
        "coordinates": position_loss(xyz[..., :2], target_xyz[..., :2], unlabelled, config.coordinate_scale),
        "z": coordinate_loss(xyz[..., 2:], target_xyz[..., 2:], z_unlabelled, config.huber_beta),
        "world": coordinate_loss(world, target_world, body & ~batch["world_labelled"], config.huber_beta),
        "pose": binary_loss(out.pose_logit.float(), target.pose_logit.float().sigmoid(), all_images),
    }
    for column, name in ((3, "visibility"), (4, "presence")):
        unlabelled = body & (batch[name] < 0)  # type: ignore[literal-required]
        logits, probability = (x[:, :NUM_LANDMARKS, column] for x in (landmarks, target_landmarks.sigmoid()))
        terms[name] = binary_loss(logits, probability, unlabelled)
    return terms
