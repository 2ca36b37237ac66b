"""BatchNorm statistics of real pictures for a network that came without them, its function unchanged.

Published weights have their BatchNorm folded into the convolutions: kernels whose lengths differ by a factor
of ten million, which no optimizer with one learning rate can train. Put back, with kernels of length one and
with the statistics of real activations, every channel is of order one again.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from blazepose.models.blocks import ConvNorm

_SMALLEST_VARIANCE = 1e-3
"""Of a channel, as a share of the layer's mean. Chosen: dead channels must not get huge gradients."""


@torch.no_grad()
def precise_bn(net: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set every BatchNorm's statistics to those of pictures, its scale and shift so that nothing changes.

    Args:
        net: in eval mode.
        batches: pictures as the network takes them.
    """
    layers = [module for module in net.modules() if isinstance(module, ConvNorm)]
    sums = [_Sums() for _ in layers]
    hooks = [layer.conv.register_forward_hook(one.add) for layer, one in zip(layers, sums, strict=True)]
    try:
        for batch in batches:
            net(batch)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, one in zip(layers, sums, strict=True):
        mean, variance = one.moments()
        variance = variance.clamp(min=_SMALLEST_VARIANCE * float(variance.mean()))
        reparameterize_bn(layer.norm, mean, variance)


class _Sums:
    """Sum and sum of squares of a convolution's channels."""

    def __init__(self) -> None:
        self._count = 0
        self._sum, self._squares = torch.zeros(()), torch.zeros(())

    def add(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        values = output.double()
        self._count += values.numel() // values.shape[1]
        self._sum = self._sum + values.sum(dim=(0, 2, 3))
        self._squares = self._squares + values.square().sum(dim=(0, 2, 3))

    def moments(self) -> tuple[Tensor, Tensor]:
        mean = self._sum / self._count
        return mean, (self._squares / self._count - mean.square()).clamp(min=0)


@torch.no_grad()
def reparameterize_bn(norm: nn.Module, mean: Tensor, variance: Tensor) -> None:
    """Give a BatchNorm other statistics, and the scale and shift with which it still does the same."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - scale * norm.running_mean.double()
    mean, variance = mean.double(), variance.double()
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + scale * mean)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
