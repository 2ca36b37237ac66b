"""Losses against the labels."""

import torch
from torch import Tensor

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.data.sample import PoseBatch
from blazepose.losses.landmark_losses import (
    binary_loss,
    coordinate_loss,
    heatmap_loss,
    mask_loss,
    offset_loss,
    position_loss,
)
from blazepose.models.outputs import LandmarkOutputs
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.targets.heatmaps import encode_heatmaps, encode_offsets


def heatmap_losses(
    out: LandmarkOutputs,
    batch: PoseBatch,
    config: LandmarkLossConfig,
    supervised: SupervisedOutputs,
    indices: Tensor,
) -> dict[str, Tensor]:
    """Compute the unweighted losses of heatmaps, offsets and mask.

    Args:
        out: outputs of the network.
        batch: labels.
        config: weights and parameters of the losses; those of weight 0 are left out.
        supervised: supervised outputs.
        indices: indices of the points with heatmaps.
    """
    points = batch["points"][:, indices, :2]
    inside = ((points >= 0) & (points < 1)).all(dim=2) & batch["labelled"][:, indices]
    terms = {}
    size = out.heatmaps.shape[-1]
    if config.heatmap:
        heatmaps = encode_heatmaps(points, size, config.heatmap_sigma)
        logits = out.heatmaps[:, indices].float().contiguous()
        terms["heatmap"] = heatmap_loss(logits, heatmaps, inside, config.heatmap_peak_weight)
    if config.offset and out.offsets is not None:
        targets, near = encode_offsets(points, size)
        offsets = out.offsets.unflatten(1, (-1, 2))[:, indices].float().contiguous()
        terms["offset"] = offset_loss(offsets, targets, near, inside)
    if "segmentation" in supervised.outputs and out.segmentation is not None:
        terms["segmentation"] = mask_loss(out.segmentation.float(), batch["mask"][: len(out.segmentation)])
    return terms


def regression_losses(
    out: LandmarkOutputs,
    batch: PoseBatch,
    config: LandmarkLossConfig,
    supervised: SupervisedOutputs,
    size: int,
) -> dict[str, Tensor]:
    """Compute the unweighted losses of landmarks, visibility, presence, world landmarks and pose score.

    Args:
        out: outputs of the network.
        batch: labels.
        config: parameters of the losses.
        supervised: supervised outputs.
        size: side of the crop, pixels.
    """
    landmarks, points = out.landmarks.float(), batch["points"]
    visible, present = batch["visibility"], batch["presence"]
    terms = {
        "coordinates": position_loss(
            landmarks[..., :2] / size, points[..., :2], batch["labelled"], config.coordinate_scale
        ),
        "presence": binary_loss(landmarks[:, : present.shape[1], 4], present.float(), present >= 0),
    }
    outputs = supervised.outputs
    if "z" in outputs:
        terms["z"] = coordinate_loss(
            landmarks[..., 2:3] / size, points[..., 2:], batch["z_labelled"], config.huber_beta
        )
    if "visibility" in outputs:
        indices = supervised.topology.both_sides(supervised.visibility)
        visible = visible[:, indices]
        terms["visibility"] = binary_loss(landmarks[:, indices, 3], visible.float(), visible >= 0)
    if "world" in outputs and out.world is not None:
        world = out.world.float()[:, : batch["world"].shape[1]]
        terms["world"] = coordinate_loss(world, batch["world"], batch["world_labelled"], config.huber_beta)
    if "pose" in outputs:
        pose = batch["pose"].float()
        terms["pose"] = binary_loss(
            out.pose_logit.float()[:, 0], pose, torch.ones_like(pose, dtype=torch.bool)
        )
    return terms
