"""Interpolation between two sets of weights of one network.

Source: Wortsman et al., Robust fine-tuning of zero-shot models (CVPR 2022): on the straight line from the
weights before a fine-tuning to those after it, most of the gain comes early and most of the forgetting late.
"""

from typing import TypeVar

import torch
from torch import nn

from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.precise_bn import reparameterize_bn

Net = TypeVar("Net", LandmarkNet, DetectorNet)


@torch.no_grad()
def interpolate(before: Net, after: Net, alpha: float) -> None:
    """Set the weights of `after` to (1 - alpha) * before + alpha * after.

    `before` is first reparameterized to the BatchNorm statistics of `after`, which stay. The offset maps of
    `after` stay, too, since exported files have none.

    Args:
        before: the network before fine-tuning; reparameterized in place, its outputs unchanged.
        after: the network fine-tuned from `before`, changed in place. Both need the same kernel norms: if
            `after` had kernels of other norms for the same function, kernels and scales would not match.
        alpha: 0 (`before`) to 1 (`after`).
    """
    for first, second in zip(before.modules(), after.modules(), strict=True):
        if isinstance(second, nn.BatchNorm2d):
            assert second.running_mean is not None
            assert second.running_var is not None
            reparameterize_bn(first, second.running_mean, second.running_var)
    start = before.state_dict()
    for name, tensor in after.state_dict().items():
        if tensor.is_floating_point() and not name.startswith("offsets."):
            tensor.lerp_(start[name], 1 - alpha)
