"""Outputs of the teachers for a batch, and which of them to learn.

The teacher is not believed on a limb whose labelled joints it misses: a corrected wrist must not get the
wrong hand.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from blazepose.data.person_mask import BACKGROUND, PERSON
from blazepose.data.sample import PoseBatch
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.pck_metric import torso_across
from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import FULL_BODY
from blazepose.topology import NUM_AUXILIARY, Topology, mirror_name

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


@cache
def reference_landmarks(topology: Topology) -> Tensor:
    """Return (landmarks, references) indices of reference landmarks, nearest first, padded with the last one.

    A landmark without a chain is its own reference.
    """
    rows = {line.split()[0]: line.split() for line in _KINEMATIC_CHAINS}
    rows |= {
        mirror_name(name): [mirror_name(point) for point in row]
        for name, row in rows.items()
        if name != "nose"
    }
    chains = [
        [topology.index[point] for point in rows.get(name, [name]) if point in topology.index]
        for name in topology.landmarks
    ]
    longest = max(map(len, chains))
    return torch.tensor([chain + [chain[-1]] * (longest - len(chain)) for chain in chains])


def confident_points(
    predicted: Float[Tensor, "batch landmarks 2"],
    points: Float[Tensor, "batch landmarks 2"],
    labelled: Bool[Tensor, "batch landmarks"],
    torso: Float[Tensor, " batch"],
    topology: Topology = FULL_BODY,
) -> Bool[Tensor, "batch outputs"]:
    """Return a mask of the teacher's points that are consistent with the labels, limb by limb.

    A landmark is, if the teacher puts the nearest labelled landmark along its limb within a fifth of the
    torso of its label, or if none of them is labelled; alignment points are, if most landmarks are.

    Args:
        predicted: landmarks of the teacher, in the unit of the labels.
        points: labels.
        labelled: mask of the landmarks with labels.
        torso: size of each person, in the same unit.
        topology: the landmarks.
    """
    error = torch.linalg.vector_norm(predicted - points, dim=2)
    correct = error < PCK_THRESHOLD * torso[:, None]
    landmarks = torch.ones_like(labelled)
    for reference in reference_landmarks(topology).to(points.device).T.flip(0):
        landmarks = torch.where(labelled[:, reference], correct[:, reference], landmarks)
    person = (correct & labelled).sum(1) >= _MIN_CORRECT * labelled.sum(1)
    auxiliary = person[:, None].expand(-1, NUM_AUXILIARY)
    return torch.cat([landmarks, auxiliary], dim=1)


class NetworkOutputs(NamedTuple):
    """Outputs of a network for a batch of crops, in the units of the targets.

    Attributes:
        heatmaps: (batch, outputs, cells, cells) probabilities.
        points: (batch, outputs, 5) x, y and z in ROI units, visibility and presence in 0..1.
        world: (batch, landmarks, 3) meters; None of a network without world landmarks.
        pose: (batch,) probability of a person.
        mask: (masks, size, size) uint8 of the first crops (data.person_mask); None for no crops.
    """

    heatmaps: Tensor
    points: Tensor
    world: Tensor | None
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
        fraction = out.segmentation.sigmoid()
        if fraction.shape[-1] != images.shape[-1]:
            fraction = functional.interpolate(fraction, size=images.shape[-2:], mode="bilinear")
        mask = (BACKGROUND + (PERSON - BACKGROUND) * fraction[:, 0]).round().to(torch.uint8)
    return NetworkOutputs(
        heatmaps=out.heatmaps.sigmoid(),
        points=torch.cat([points[..., :3] / net.input_spec.size, points[..., 3:].sigmoid()], dim=2),
        world=None if out.world is None else out.world[:, : net.topology.num_landmarks],
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
        topology = trained.topology
        points = torch.zeros(topology.num_outputs, 5, dtype=torch.bool)
        landmarks, names = points[: topology.num_landmarks], trained.outputs
        landmarks[:] = torch.from_numpy(trained.mask("landmarks"))[:, None]
        landmarks[:, [2, 4]] &= torch.tensor(["z" in names, "presence" in names])
        landmarks[:, 3] = torch.from_numpy(trained.mask("visibility"))
        heatmaps = torch.zeros(topology.num_outputs, 1, 1, dtype=torch.bool)
        heatmaps[: topology.num_landmarks, 0, 0] = torch.from_numpy(trained.mask("heatmaps"))
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
        confident: (batch, outputs) bool, points to distill from.
        body: (batch, landmarks) bool, world landmarks to distill from.
        person: (batch,) bool, masks to distill from.
    """

    outputs: NetworkOutputs
    confident: Tensor
    body: Tensor
    person: Tensor

    @property
    def num_heatmaps(self) -> int:
        """Number of points with a heatmap: landmarks and alignment points."""
        return self.body.shape[1] + 2

    def supervised_points(self, labelled: Bool[Tensor, "batch outputs"]) -> Bool[Tensor, "batch outputs"]:
        """Return the mask of labels to train on: alignment points only where the teacher is wrong.

        Apps rely on the teacher's regions of interest, and labels define these slightly differently.
        """
        supervised = labelled.clone()
        auxiliary = slice(self.body.shape[1], None)
        supervised[:, auxiliary] &= ~self.confident[:, auxiliary]
        return supervised


def teacher_outputs(
    batch: PoseBatch,
    outputs: NetworkOutputs,
    initial: NetworkOutputs,
    trained: Bool[Tensor, " outputs"],
    topology: Topology = FULL_BODY,
) -> TeacherOutputs:
    """Return what to learn from a batch; on images without people, no point is confident.

    Args:
        batch: samples.
        outputs: outputs to learn.
        initial: outputs of the network that their auxiliary points, world landmarks, mask and pose score are
            of: where its landmarks are wrong, so are these.
        trained: points that the teachers were trained on.
        topology: the landmarks.
    """
    count = topology.num_landmarks
    points = batch["points"][:, :count, :2]
    labelled = batch["labelled"][:, :count]
    torso = torso_across(points, labelled, topology)
    labelled = labelled & (torso > 0)[:, None]
    confident, body = (
        confident_points(network.points[:, :count, :2], points, labelled, torso, topology)
        & (batch["pose"] > 0)[:, None]
        for network in (outputs, initial)
    )
    person = body[:, topology.roi_center]
    confident = trained & torch.cat([confident[:, :count], body[:, count:]], dim=1)
    return TeacherOutputs(outputs, confident, (trained & body)[:, :count], person)
