"""Between two weights of one network.

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
def interpolate(before: Net, after: Net, share: float) -> None:
    """Put the weights in between into `after`.

    The BatchNorm statistics are those of `after`, with which `before` is made to do the same first; so are
    the offset maps, which exported files have not.

    Args:
        before: changed, too, but not what it does.
        after: what a training made of `before`. A network whose kernels have other lengths for the same
            function is not: those lengths would be mixed apart from the scales that undo them.
        share: of the way from `before`: 0 to 1.
    """
    for first, second in zip(before.modules(), after.modules(), strict=True):
        if isinstance(second, nn.BatchNorm2d):
            assert second.running_mean is not None
            assert second.running_var is not None
            reparameterize_bn(first, second.running_mean, second.running_var)
    start = before.state_dict()
    for name, tensor in after.state_dict().items():
        if tensor.is_floating_point() and not name.startswith("offsets."):
            tensor.lerp_(start[name], 1 - share)
