"""What the weights that a fine-tuning starts from say, kept where nobody labelled anything.

Users label few of the 33 landmarks. The others, depth, metres, visibility, mask and pose score have no label,
and would drift as the features under them change. The network as it was before is their teacher, but not on
a limb whose labelled joints it plainly misses: a wrist that is put right must not get the wrong hand.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blazepose.data.person_mask import IGNORE
from blazepose.data.sample import PoseBatch
from blazepose.losses.landmark_losses import binary_loss, coordinate_loss, heatmap_loss, position_loss
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.pck_metric import torso_across
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.outputs import LandmarkOutputs
from blazepose.topology import (
    INDEX,
    LANDMARKS,
    NUM_HEATMAPS,
    NUM_LANDMARKS,
    NUM_OUTPUTS,
    ROI_CENTER,
    mirror_name,
)
from blazepose.training.loss_config import LandmarkLossConfig
from blazepose.training.stages import StageName

_LIMBS = (
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
"""A landmark of the left side, and whom to ask whether the teacher sees it, nearest first."""

_MOSTLY = 0.75
"""Share of the labelled landmarks that the teacher finds on somebody whom it sees as a whole. Chosen."""


def _witnesses() -> Tensor:
    """(33, 4) landmarks to ask, nearest first; the last one again where there are fewer."""
    rows = {line.split()[0]: line.split() for line in _LIMBS}
    rows |= {
        mirror_name(name): [mirror_name(point) for point in row]
        for name, row in rows.items()
        if name != "nose"
    }
    longest = max(map(len, rows.values()))
    padded = [rows[name] + [rows[name][-1]] * (longest - len(rows[name])) for name in LANDMARKS]
    return torch.tensor([[INDEX[point] for point in row] for row in padded])


REFERENCE_LANDMARKS = _witnesses()


def confident_points(
    said: Float[Tensor, "batch 39 2"],
    points: Float[Tensor, "batch 39 2"],
    labelled: Bool[Tensor, "batch 39"],
    torso: Float[Tensor, " batch"],
) -> Bool[Tensor, "batch 39"]:
    """Where the teacher may be believed.

    A landmark is, if the nearest labelled one along its limb is within a fifth of the torso of its label, or
    if none of them is labelled; alignment points are, if most of the labelled ones are.

    Args:
        said: by the teacher, in the unit of the labels.
        points: labels.
        labelled: which of them are.
        torso: size of each person, in the same unit.
    """
    error = torch.linalg.vector_norm(said - points, dim=2)[:, :NUM_LANDMARKS]
    right = error < PCK_THRESHOLD * torso[:, None]
    known = labelled[:, :NUM_LANDMARKS]
    verdict = torch.ones_like(known)
    for witness in REFERENCE_LANDMARKS.to(points.device).T.flip(0):
        verdict = torch.where(known[:, witness], right[:, witness], verdict)
    whole = (right & known).sum(1) >= _MOSTLY * known.sum(1)
    rest = whole[:, None].expand(-1, NUM_OUTPUTS - NUM_LANDMARKS)
    return torch.cat([verdict, rest], dim=1)


class TeacherOutputs(NamedTuple):
    """What the teacher says of a batch.

    Attributes:
        said: its outputs.
        sure: (batch, 39) bool, where it may be believed.
    """

    said: LandmarkOutputs
    sure: Tensor

    def labels(self, labelled: Bool[Tensor, "batch 39"]) -> Bool[Tensor, "batch 39"]:
        """The labels that are learned: alignment points only where the teacher is wrong.

        Apps have been built on its regions of interest, and labels define them a little otherwise.
        """
        learned = labelled.clone()
        learned[:, NUM_LANDMARKS:] &= ~self.sure[:, NUM_LANDMARKS:]
        return learned


@torch.no_grad()
def run_teacher(
    teacher: LandmarkNet,
    images: Float[Tensor, "batch 3 size size"],
    masks: int,
    batch: PoseBatch,
    knows: Bool[Tensor, "39"],
) -> TeacherOutputs:
    """What the teacher says of pictures; of those without people it is not believed.

    Args:
        teacher: in eval mode.
        images: as networks take them.
        masks: of how many of them the mask is asked.
        batch: their labels.
        knows: points that it has learned.
    """
    said = teacher(images, masks)
    points = batch["points"][..., :2]
    torso = torso_across(points)
    known = batch["labelled"] & (torso > 0)[:, None]
    sure = confident_points(said.landmarks[..., :2].float() / teacher.input_spec.size, points, known, torso)
    return TeacherOutputs(said, sure & knows & (batch["pose"] > 0)[:, None])


def distillation_losses(
    out: LandmarkOutputs,
    lesson: TeacherOutputs,
    batch: PoseBatch,
    weights: LandmarkLossConfig,
    size: int,
    outputs: Collection[str],
    stage: StageName = "joint",
) -> dict[str, Tensor]:
    """Losses against the teacher wherever there is no label and it may be believed; named as those of labels.

    Args:
        out: of the network that learns.
        lesson: of the same pictures.
        batch: with the labels that are learned.
        weights: for the scales of the losses.
        size: side of the crop, pixels.
        outputs: that the teacher has learned (training.learned.HEADS, and heatmaps).
        stage: of the training.
    """
    terms: dict[str, Tensor] = {}
    if stage != "regression":
        terms |= _kept_maps(out, lesson, batch)
    if stage != "heatmap":
        terms |= _kept_regression(out, lesson, batch, weights, size)
    known = {"coordinates", *outputs}
    return {name: term for name, term in terms.items() if {"heatmap": "heatmaps"}.get(name, name) in known}


def _kept_maps(out: LandmarkOutputs, lesson: TeacherOutputs, batch: PoseBatch) -> dict[str, Tensor]:
    """Terms of heatmaps and mask."""
    (said, sure), points = lesson, slice(NUM_HEATMAPS)
    free = (sure & ~batch["labelled"])[:, points]
    maps = out.heatmaps[:, points].float(), said.heatmaps[:, points].float().sigmoid()
    terms = {"heatmap": heatmap_loss(*maps, free)}
    if out.segmentation is not None and said.segmentation is not None:
        masks = len(out.segmentation)
        whole = sure[:masks, ROI_CENTER, None, None]
        unknown = (batch["mask"][:masks] == IGNORE) & whole
        probable = said.segmentation[:, 0].float().sigmoid()
        terms["segmentation"] = binary_loss(out.segmentation[:, 0].float(), probable, unknown)
    return terms


def _kept_regression(
    out: LandmarkOutputs, lesson: TeacherOutputs, batch: PoseBatch, weights: LandmarkLossConfig, size: int
) -> dict[str, Tensor]:
    """Terms of the tower."""
    said, sure = lesson
    landmarks, taught = out.landmarks.float(), said.landmarks.float()
    here, there = landmarks[..., :3] / size, taught[..., :3] / size
    people = sure[:, :NUM_LANDMARKS]
    world, taught_world = (x.world.float()[:, :NUM_LANDMARKS] for x in (out, said))
    everybody = torch.ones_like(out.pose_logit, dtype=torch.bool)
    terms = {
        "coordinates": position_loss(
            here[..., :2], there[..., :2], sure & ~batch["labelled"], weights.coordinate_scale
        ),
        "z": coordinate_loss(here[..., 2:], there[..., 2:], sure & ~batch["z_labelled"], weights.huber_beta),
        "world": coordinate_loss(world, taught_world, people & ~batch["world_labelled"], weights.huber_beta),
        "pose": binary_loss(out.pose_logit.float(), said.pose_logit.float().sigmoid(), everybody),
    }
    for column, name in ((3, "visibility"), (4, "presence")):
        unknown = people & (batch[name] < 0)  # type: ignore[literal-required]
        logits, probable = (x[:, :NUM_LANDMARKS, column] for x in (landmarks, taught.sigmoid()))
        terms[name] = binary_loss(logits, probable, unknown)
    return terms
