"""Distillation from a teacher, for outputs without labels.

Users label few of the landmarks. The others, depth, metric coordinates, visibility, mask and pose score
have no label, and would drift as the features under them change. The network as it was before is their
teacher, and of landmarks maybe a larger one.
"""

from collections.abc import Collection

import torch
from jaxtyping import Bool
from torch import Tensor

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import StageName
from blazepose.data.person_mask import IGNORE
from blazepose.data.sample import PoseBatch
from blazepose.losses.landmark_losses import (
    binary_loss,
    coordinate_loss,
    heatmap_cross_entropy,
    mask_loss,
    masked_mean,
    position_loss,
)
from blazepose.models.outputs import LandmarkOutputs
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS
from blazepose.training.teacher_outputs import TeacherOutputs


def distillation_losses(
    out: LandmarkOutputs,
    teacher: TeacherOutputs,
    batch: PoseBatch,
    config: LandmarkLossConfig,
    size: int,
    outputs: Collection[str],
    stage: StageName = "joint",
) -> dict[str, Tensor]:
    """Compute weighted losses against the teacher where it is confident; names as of the labels.

    What the labels of a person lack is distilled with the factor `distill`. With the factor `teacher`, people
    without any labels are, and heatmaps where another network than the initial one agrees with a label.

    Args:
        out: outputs of the student.
        teacher: outputs to learn for the same images.
        batch: labels of the images.
        config: factors and parameters of the losses.
        size: side of the crop, pixels.
        outputs: outputs that can be learned, names of TRAINABLE_OUTPUTS.
        stage: stage of the training.
    """
    terms: dict[str, Tensor] = {}
    if stage != "regression":
        terms |= _heatmap_distillation(out, teacher, batch, config)
    if stage != "heatmap":
        people = batch["labelled"].any(dim=1)
        terms |= _regression_distillation(out, teacher, batch, config, size, people, config.distill)
        if config.teacher:
            others = _regression_distillation(out, teacher, batch, config, size, ~people, config.teacher)
            terms |= {name: terms[name] + term for name, term in others.items()}
    distilled = {"coordinates", *(TRAINABLE_OUTPUTS[name].loss for name in outputs)}
    return {name: term for name, term in terms.items() if name in distilled}


def _heatmap_distillation(
    out: LandmarkOutputs, teacher: TeacherOutputs, batch: PoseBatch, config: LandmarkLossConfig
) -> dict[str, Tensor]:
    """Compute the terms of heatmaps and mask."""
    points = slice(teacher.num_heatmaps)
    people = batch["labelled"].any(dim=1, keepdim=True)
    confident = teacher.confident[:, points]
    lacking = confident & people & ~batch["labelled"][:, points]
    loss = heatmap_cross_entropy(out.heatmaps[:, points].float(), teacher.outputs.heatmaps[:, points])
    others = confident & ~lacking
    if "teacher" not in batch:
        others &= ~people  # the initial network's own heatmaps hold it back where there is a label
    lacking_mean, other_mean = masked_mean(loss, lacking), masked_mean(loss, others)
    terms = {"heatmap": config.distill * lacking_mean + config.teacher * other_mean}
    if out.segmentation is not None and teacher.outputs.mask is not None:
        masks = len(out.segmentation)
        replaced = (batch["mask"][:masks] == IGNORE) & teacher.person[:masks, None, None]
        labelled, logits = people[:masks, :, None], out.segmentation.float()
        lacking, others = (
            mask_loss(logits, torch.where(chosen, teacher.outputs.mask[:masks], IGNORE))
            for chosen in (replaced & labelled, replaced & ~labelled)
        )
        terms["segmentation"] = config.distill * lacking + config.teacher * others
    return terms


def _regression_distillation(
    out: LandmarkOutputs,
    teacher: TeacherOutputs,
    batch: PoseBatch,
    config: LandmarkLossConfig,
    size: int,
    people: Bool[Tensor, " batch"],
    factor: float,
) -> dict[str, Tensor]:
    """Compute the terms of the regression head for some of the people."""
    landmarks, target = out.landmarks.float(), teacher.outputs.points
    confident, body = (points & people[:, None] for points in (teacher.confident, teacher.body))
    xyz, count = landmarks[..., :3] / size, body.shape[1]
    unlabelled, z_unlabelled = confident & ~batch["labelled"], confident & ~batch["z_labelled"]
    scale, beta = config.coordinate_scale, config.huber_beta
    terms = {
        "coordinates": position_loss(xyz[..., :2], target[..., :2], unlabelled, scale),
        "z": coordinate_loss(xyz[..., 2:], target[..., 2:3], z_unlabelled, beta),
        "pose": binary_loss(out.pose_logit.float()[:, 0], teacher.outputs.pose, people),
    }
    if out.world is not None and teacher.outputs.world is not None:
        world = out.world.float()[:, :count]
        terms["world"] = coordinate_loss(world, teacher.outputs.world, body & ~batch["world_labelled"], beta)
    for column, name in ((3, "visibility"), (4, "presence")):
        unlabelled = confident[:, :count] & (batch[name] < 0)  # type: ignore[literal-required]
        logits, probability = (x[:, :count, column] for x in (landmarks, target))
        terms[name] = binary_loss(logits, probability, unlabelled)
    return {name: factor * term for name, term in terms.items()}
