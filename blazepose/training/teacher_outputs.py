"""Outputs of the teachers for a batch, and which of them to learn.

The teacher is not believed on a limb whose labelled joints it misses: a corrected wrist must not get the
wrong hand.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from blazepose.data.person_mask import BACKGROUND, PERSON
from blazepose.data.sample import PoseBatch
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.pck_metric import torso_across
from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import INDEX, LANDMARKS, NUM_LANDMARKS, NUM_OUTPUTS, ROI_CENTER
from blazepose.topology import mirror_name

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
    predicted: Float[Tensor, "batch 33 2"],
    points: Float[Tensor, "batch 33 2"],
    labelled: Bool[Tensor, "batch 33"],
    torso: Float[Tensor, " batch"],
) -> Bool[Tensor, "batch 39"]:
    """Return a mask of the teacher's points that are consistent with the labels, limb by limb.

    A landmark is, if the teacher puts the nearest labelled landmark along its limb within a fifth of the
    torso of its label, or if none of them is labelled; alignment points are, if most landmarks are.

    Args:
        predicted: landmarks of the teacher, in the unit of the labels.
        points: labels.
        labelled: mask of the landmarks with labels.
        torso: size of each person, in the same unit.
    """
    error = torch.linalg.vector_norm(predicted - points, dim=2)
    correct = error < PCK_THRESHOLD * torso[:, None]
    landmarks = torch.ones_like(labelled)
    for reference in REFERENCE_LANDMARKS.to(points.device).T.flip(0):
        landmarks = torch.where(labelled[:, reference], correct[:, reference], landmarks)
    person = (correct & labelled).sum(1) >= _MIN_CORRECT * labelled.sum(1)
    auxiliary = person[:, None].expand(-1, NUM_OUTPUTS - NUM_LANDMARKS)
    return torch.cat([landmarks, auxiliary], dim=1)


class NetworkOutputs(NamedTuple):
    """Outputs of a network for a batch of crops, in the units of the targets.

    Attributes:
        heatmaps: (batch, 39, cells, cells) probabilities.
        points: (batch, 39, 5) x, y and z in ROI units, visibility and presence in 0..1.
        world: (batch, 33, 3) meters.
        pose: (batch,) probability of a person.
        mask: (masks, size, size) uint8 of the first crops (data.person_mask); None for no crops.
    """

    heatmaps: Tensor
    points: Tensor
    world: Tensor
    pose: Tensor
    mask: Tensor | None = None

    @classmethod
    def from_targets(cls, targets: Mapping[str, Tensor]) -> "NetworkOutputs":
        """Return those of a batch of data.teacher_targets.TeacherTargets."""
        return cls(**{**targets, "heatmaps": targets["heatmaps"].float() / 255})


@torch.no_grad()
def run_network(
    net: LandmarkNet, images: Float[Tensor, "batch 3 size size"], masks: int | None = None
) -> NetworkOutputs:
    """Run a trained network in full precision.

    TF32 would move landmarks by tenths of a pixel, half precision by a pixel, and on hard crops by many.

    Args:
        net: the network, in eval mode.
        images: its input.
        masks: number of crops to compute a mask for; None for all.
    """
    precise = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    with torch.autocast(images.device.type, enabled=False), precise:
        out = net(images.float(), masks)
    points, mask = out.landmarks, None
    if out.segmentation is not None:
        fraction = out.segmentation[:, 0].sigmoid()
        mask = (BACKGROUND + (PERSON - BACKGROUND) * fraction).round().to(torch.uint8)
    return NetworkOutputs(
        heatmaps=out.heatmaps.sigmoid(),
        points=torch.cat([points[..., :3] / net.input_spec.size, points[..., 3:].sigmoid()], dim=2),
        world=out.world[:, :NUM_LANDMARKS],
        pose=out.pose_logit[:, 0].sigmoid(),
        mask=mask,
    )


class ReplaceLandmarks(nn.Module):
    """Replaces the landmarks of one network by those of another, as far as that was trained on them.

    Args:
        trained: outputs that the other network was trained on.
    """

    heatmaps: Tensor
    points: Tensor

    def __init__(self, trained: SupervisedOutputs) -> None:
        super().__init__()
        points = torch.zeros(NUM_OUTPUTS, 5, dtype=torch.bool)
        landmarks, names = points[:NUM_LANDMARKS], trained.outputs
        landmarks[:] = torch.from_numpy(trained.mask("landmarks"))[:, None]
        landmarks[:, [2, 4]] &= torch.tensor(["z" in names, "presence" in names])
        landmarks[:, 3] = torch.from_numpy(trained.mask("visibility"))
        heatmaps = torch.zeros(NUM_OUTPUTS, 1, 1, dtype=torch.bool)
        heatmaps[:NUM_LANDMARKS, 0, 0] = torch.from_numpy(trained.mask("heatmaps"))
        self.register_buffer("points", points, persistent=False)
        self.register_buffer("heatmaps", heatmaps, persistent=False)

    def forward(self, outputs: NetworkOutputs, other: NetworkOutputs) -> NetworkOutputs:
        """Return `outputs` with landmarks of the other network."""
        return outputs._replace(
            heatmaps=torch.where(self.heatmaps, other.heatmaps, outputs.heatmaps),
            points=torch.where(self.points, other.points, outputs.points),
        )


class TeacherOutputs(NamedTuple):
    """Outputs to learn, and where.

    Attributes:
        outputs: outputs of the teachers.
        confident: (batch, 39) bool, points to distill from.
        body: (batch, 33) bool, world landmarks to distill from.
        person: (batch,) bool, masks to distill from.
    """

    outputs: NetworkOutputs
    confident: Tensor
    body: Tensor
    person: Tensor

    def supervised_points(self, labelled: Bool[Tensor, "batch 39"]) -> Bool[Tensor, "batch 39"]:
        """Return the mask of labels to train on: alignment points only where the teacher is wrong.

        Apps rely on the teacher's regions of interest, and labels define these slightly differently.
        """
        supervised = labelled.clone()
        supervised[:, NUM_LANDMARKS:] &= ~self.confident[:, NUM_LANDMARKS:]
        return supervised


def teacher_outputs(
    batch: PoseBatch,
    outputs: NetworkOutputs,
    initial: NetworkOutputs,
    trained: Bool[Tensor, "39"],
) -> TeacherOutputs:
    """Return what to learn from a batch; on images without people, no point is confident.

    Args:
        batch: samples.
        outputs: outputs to learn.
        initial: outputs of the network that their auxiliary points, world landmarks, mask and pose score are
            of: where its landmarks are wrong, so are these.
        trained: points that the teachers were trained on.
    """
    points = batch["points"][:, :NUM_LANDMARKS, :2]
    torso = torso_across(points)
    labelled = batch["labelled"][:, :NUM_LANDMARKS] & (torso > 0)[:, None]
    confident, body = (
        confident_points(network.points[:, :NUM_LANDMARKS, :2], points, labelled, torso)
        & (batch["pose"] > 0)[:, None]
        for network in (outputs, initial)
    )
    person = body[:, ROI_CENTER]
    confident = trained & torch.cat([confident[:, :NUM_LANDMARKS], body[:, NUM_LANDMARKS:]], dim=1)
    return TeacherOutputs(outputs, confident, (trained & body)[:, :NUM_LANDMARKS], person)
