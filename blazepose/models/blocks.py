"""Building blocks of Google's pose networks: plain convolutions, BatchNorm, ReLU6 or ReLU.

Source: docs/reference/mediapipe.md sections 5 and 6.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from blazepose.models.variant_types import HeadStage

Net = TypeVar("Net", bound=nn.Module)


@runtime_checkable
class Foldable(Protocol):
    """A module that can merge a linear operation into its convolution."""

    def fold(self) -> None:
        """Merge it in place; for inference only."""
        ...


class ConvNorm(nn.Module):
    """Convolution, BatchNorm and, unless `linear`, ReLU6.

    Args:
        channels_in: input channels.
        channels_out: output channels.
        kernel: side of the kernel.
        stride: 1 or 2.
        depthwise: one filter per channel.
        linear: leave out the ReLU6.
        pad_end: pad only bottom and right, as TensorFlow's SAME does at stride 2 on even sizes. Google's
            regression head does so; symmetric padding there moves landmarks by 29 px.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        depthwise: bool = False,
        linear: bool = False,
        pad_end: bool = False,
    ) -> None:
        super().__init__()
        self.pad_end = pad_end
        self.conv = nn.Conv2d(
            channels_in,
            channels_out,
            kernel,
            stride,
            padding=0 if pad_end else kernel // 2,
            groups=channels_in if depthwise else 1,
            bias=False,
        )
        self.norm: nn.Module = nn.BatchNorm2d(channels_out)
        self.activation = nn.Identity() if linear else nn.ReLU6()

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out rows columns"]:
        if self.pad_end:
            x = F.pad(x, (0, 1, 0, 1))
        return self.activation(self.norm(self.conv(x)))

    def fold(self) -> None:
        """Merge the BatchNorm into the convolution; for inference only."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.norm = nn.Identity()


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise, linear 1x1 projection; with a residual where the shapes allow it."""

    def __init__(self, channels_in: int, expanded: int, channels_out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvNorm(channels_in, expanded),
            ConvNorm(expanded, expanded, kernel, stride, depthwise=True),
            ConvNorm(expanded, channels_out, linear=True),
        )
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out rows columns"]:
        return x + self.layers(x) if self.residual else self.layers(x)


class Separable(nn.Module):
    """Depthwise 3x3 and 1x1; residual for equal channels, and for stride 2 (pooled, zero-padded)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.residual = stride == 2 or channels_in == channels_out
        self.extra_channels = channels_out - channels_in
        self.depthwise = ConvNorm(channels_in, channels_in, 3, stride, depthwise=True, pad_end=stride == 2)
        self.pointwise = ConvNorm(channels_in, channels_out, linear=True)

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out rows columns"]:
        y = self.pointwise(self.depthwise(x))
        if self.residual:
            y = y + _identity(x, self.stride, self.extra_channels)
        return F.relu6(y)


class BlazeBlock(nn.Module):
    """Depthwise without BatchNorm, bias and activation, and 1x1: the block of BlazeFace and of the paper.

    Args:
        channels_in: input channels.
        channels_out: output channels.
        kernel: side of the depthwise kernel, odd.
        stride: 1 or 2. At stride 2 the padding is TensorFlow's SAME on even sizes, one more at the end.
        activation: F.relu6 or F.relu.
        residual: add the input where the shapes allow it: for equal channels, and for stride 2 (pooled,
            zero-padded).
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        activation: Callable[[Tensor], Tensor] = F.relu6,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.activation = activation
        self.residual = residual and (stride == 2 or channels_in == channels_out)
        self.extra_channels = channels_out - channels_in
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.end_padding = (before, after, before, after) if stride == 2 else None
        self.depthwise = nn.Conv2d(
            channels_in,
            channels_in,
            kernel,
            stride,
            padding=0 if self.end_padding else kernel // 2,
            groups=channels_in,
            bias=False,
        )
        self.pointwise = ConvNorm(channels_in, channels_out, linear=True)

    def forward(self, x: Float[Tensor, "batch in height width"]) -> Float[Tensor, "batch out rows columns"]:
        y = self.pointwise(self.depthwise(F.pad(x, self.end_padding) if self.end_padding else x))
        if self.residual:
            y = _identity(x, self.stride, self.extra_channels) + y
        return self.activation(y)


def paper_block(channels_in: int, channels_out: int, stride: int = 1) -> BlazeBlock:
    """Return the block of the paper's networks, with ReLU."""
    return BlazeBlock(channels_in, channels_out, stride=stride, activation=F.relu)


def paper_lateral(channels_in: int, channels_out: int) -> BlazeBlock:
    """Return the block between two branches of the paper's networks, without identity."""
    return BlazeBlock(channels_in, channels_out, activation=F.relu, residual=False)


def stage_blocks(block: Callable[..., nn.Module], channels_in: int, stage: HeadStage) -> list[nn.Module]:
    """Return the blocks of a stage: one of stride 2, then those of the same width."""
    others = (block(stage.width, stage.width) for _ in range(stage.depth))
    return [block(channels_in, stage.width, stride=2), *others]


def _identity(x: Tensor, stride: int, extra_channels: int) -> Tensor:
    """Return the input of a block in the shape of its output: pooled at stride 2, padded with zeros."""
    identity = F.max_pool2d(x, 2, 2) if stride == 2 else x
    return F.pad(identity, (0, 0, 0, 0, 0, extra_channels)) if extra_channels else identity


def upsample(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels rows columns"]:
    """Double the size, bilinear with half-pixel centers."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def fold(net: Net) -> Net:
    """Merge every BatchNorm and the coordinate unit into the convolutions, in place, for inference.

    Returns:
        The same network, in eval mode.
    """
    net.eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, Foldable):
                module.fold()
    return net
