"""BatchNorm statistics from real images for an imported network, its outputs unchanged.

Published weights have their BatchNorm folded into the convolutions: kernels whose norms differ by a factor
of ten million, which no optimizer with one learning rate can train. With BatchNorm restored, kernels of norm
one and the statistics of real activations, every channel is of order one again.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from blazepose.models.blocks import ConvNorm

_MIN_VARIANCE = 1e-3
"""Of a channel, as a fraction of the layer's mean. Chosen: dead channels must not get huge gradients."""


@torch.no_grad()
def precise_bn(net: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set every BatchNorm's statistics to those of the images; adapt scale and shift to keep the outputs.

    Args:
        net: in eval mode.
        batches: inputs of the network.
    """
    layers = [module for module in net.modules() if isinstance(module, ConvNorm)]
    moments = [_ChannelMoments() for _ in layers]
    hooks = [layer.conv.register_forward_hook(m.add) for layer, m in zip(layers, moments, strict=True)]
    try:
        for batch in batches:
            net(batch)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, channels in zip(layers, moments, strict=True):
        mean, variance = channels.mean_and_variance()
        variance = variance.clamp(min=_MIN_VARIANCE * float(variance.mean()))
        reparameterize_bn(layer.norm, mean, variance)


class _ChannelMoments:
    """Running sum and sum of squares of a convolution's output channels."""

    def __init__(self) -> None:
        self._count = 0
        self._sum, self._squares = torch.zeros(()), torch.zeros(())

    def add(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        values = output.double()
        self._count += values.numel() // values.shape[1]
        self._sum = self._sum + values.sum(dim=(0, 2, 3))
        self._squares = self._squares + values.square().sum(dim=(0, 2, 3))

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self._sum / self._count
        return mean, (self._squares / self._count - mean.square()).clamp(min=0)


@torch.no_grad()
def reparameterize_bn(norm: nn.Module, mean: Tensor, variance: Tensor) -> None:
    """Replace a BatchNorm's statistics, adapting its scale and shift so that its function stays the same."""
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
