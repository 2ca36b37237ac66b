"""Networks of fewer landmarks or outputs, and the detector, in the form that MediaPipe Tasks load.

Tasks ask for 39 points and five outputs, and place the crop by their own rule. Both are linear in the last
convolutions, so that the file has no operation more:

- Landmarks that the network does not have are at the hips, with visibility and presence near 0.
- Tasks' crop is 1.25 times as large as the circle around the person; where a network needs another factor,
  the point on the circle moves outward, that of the network and that of the detector.
- Heatmaps that no training has seen are nowhere confident, so that Tasks refine nothing by them. Without a
  head for world landmarks these are zeros.

Source: docs/reference/mediapipe.md sections 2 and 3.
"""

import dataclasses

import torch
from torch import Tensor, nn

from blazepose.anchors import ALIGNMENT_POINTS, NUM_COORDINATES
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

_ABSENT = -10.0
"""Logit of what is not there. Chosen: a probability of 0.00005."""


def has_tasks_form(net: LandmarkNet) -> bool:
    """Return whether a network has MediaPipe's points and outputs itself."""
    return net.topology == FULL_BODY and net.variant.full_contract


@torch.no_grad()
def landmark_net_for_tasks(net: LandmarkNet, has_heatmaps: bool) -> LandmarkNet:
    """Return the network with MediaPipe's 39 points and five outputs; both share their other layers.

    Args:
        net: a network whose landmarks are among MediaPipe's.
        has_heatmaps: whether its heatmaps are trained.
    """
    own, variant = net.topology, dataclasses.replace(net.variant, full_contract=True)
    result = LandmarkNet(variant, net.gradient_stop, FULL_BODY).eval()
    result.encoder, result.decoder, result.segmentation = net.encoder, net.decoder, net.segmentation
    for part in ("entry", "levels", "skips", "pose"):
        setattr(result.tower, part, getattr(net.tower, part))
    assert net.tower.unit is not None
    result.tower.unit = net.tower.unit[:5].repeat(FULL_BODY.num_outputs)
    points = _point_matrix(own)
    missing = [FULL_BODY.index[name] for name in FULL_BODY.landmarks if name not in own.index]
    weight, bias = _combine(net.tower.landmarks, points)
    weight[missing, 3:], bias[missing, 3:] = 0, _ABSENT
    _fill(result.tower.landmarks, weight, bias)
    assert result.tower.world is not None
    if net.tower.world is None:
        _fill(result.tower.world, torch.zeros(()), torch.zeros(()))
    else:
        _fill(result.tower.world, *_combine(net.tower.world, points))
    weight, bias = _combine(net.heatmaps, points)
    same = [k for k, name in enumerate(FULL_BODY.outputs) if name in own.index and name != "roi_scale"]
    kept = torch.zeros(FULL_BODY.num_outputs, 1, dtype=torch.bool)
    kept[same] = has_heatmaps
    _fill(result.heatmaps, weight * kept[..., None], torch.where(kept, bias, _ABSENT))
    return result


@torch.no_grad()
def detector_for_tasks(net: DetectorNet, topology: Topology) -> DetectorNet:
    """Change a detector, in place, so that Tasks' rule for its first two points gives a topology's crop."""
    center, circle = (4 + 2 * ALIGNMENT_POINTS.index(name) for name in topology.roi.detector_points)
    factor, values = _outward(topology), torch.eye(NUM_COORDINATES)
    values[4:8] = 0
    for axis in range(2):
        values[4 + axis, center + axis] = 1
        values[6 + axis, [circle + axis, center + axis]] = torch.tensor([factor, 1 - factor])
    for head in net.heads:
        conv = head.get_submodule("boxes.1")
        assert isinstance(conv, nn.Conv2d)
        anchors = conv.out_channels // NUM_COORDINATES
        _fill(conv, *_combine(conv, torch.block_diag(*[values] * anchors)))
    return net


def _outward(topology: Topology) -> float:
    """Return the factor from the circle of a topology to the one whose crop Tasks make of the same size."""
    return topology.roi.expansion / FULL_BODY.roi.expansion


def _point_matrix(own: Topology) -> Tensor:
    """Return (39, points): each of MediaPipe's points as a sum of a topology's."""
    matrix = torch.zeros(FULL_BODY.num_outputs, own.num_outputs)
    for k, name in enumerate(FULL_BODY.landmarks):
        hip = f"{name.partition('_')[0]}_hip"
        matrix[k, own.index.get(name, own.index.get(hip, own.roi_center))] = 1
    for k in range(own.num_landmarks, own.num_outputs):
        matrix[k - own.num_outputs, k] = 1
    factor = _outward(own)
    matrix[FULL_BODY.roi_scale, [own.roi_scale, own.roi_center]] = torch.tensor([factor, 1 - factor])
    return matrix


def _combine(conv: nn.Conv2d, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return weight (rows, values, rest) and bias (rows, values) of sums of a convolution's points."""
    assert conv.bias is not None
    columns = matrix.shape[1]
    weight = torch.einsum("rc,cvk->rvk", matrix, conv.weight.reshape(columns, -1, conv.weight[0].numel()))
    return weight, matrix @ conv.bias.view(columns, -1)


def _fill(conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert conv.bias is not None
    conv.weight.copy_(weight.reshape(conv.weight.shape) if weight.ndim else weight)
    conv.bias.copy_(bias.flatten())
