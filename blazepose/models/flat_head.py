"""The detector's heads without depth-to-space, for export.

In a file depth-to-space becomes tensors of rank 6, and phones' GPU delegates take rank 4. A 3x3 kernel of
stride 2 on an image unfolded from four groups of channels equals a 3x3 kernel of stride 1 on each of the
groups, with most of it zero: plain convolutions give the same outputs.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from blazepose.exceptions import InputError
from blazepose.models.detector_net import DetectorNet, Head, flatten_cells

_GROUPS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column, in an unfolded cell, of each group of channels (detector_net.depth_to_space)."""

_TAPS = (((1, 1),), ((0, 0), (1, 2)))
"""For each row of an unfolded cell: pairs of a row of the kernel on cells and the row of the original kernel
placed there. Row 1 is the cell itself, row 0 the one before; columns are the same."""


class FlatBranch(nn.Module):
    """Scores or boxes of one level: a depthwise and a 1x1 convolution on the folded feature."""

    def __init__(self, channels: int, values: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.pointwise = nn.Conv2d(channels, values, 1)

    def forward(self, x: Float[Tensor, "batch channels side side"]) -> Tensor:
        return self.pointwise(self.depthwise(x))


class FlatHead(nn.Module):
    """`Head` rewritten as plain convolutions, numerically equal; for export."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.scores, self.boxes = (_flatten_branch(branch) for branch in (head.scores, head.boxes))

    def forward(
        self, x: Tensor
    ) -> tuple[Float[Tensor, "batch anchors 1"], Float[Tensor, "batch anchors 12"]]:
        return flatten_cells(self.scores(x), self.boxes(x))


def flatten_heads(net: DetectorNet) -> DetectorNet:
    """Replace a network's heads by flat heads, in place, and return it; plain heads stay."""
    net.heads = nn.ModuleList(FlatHead(head) if isinstance(head, Head) else head for head in net.heads)
    return net


def unflatten_heads(net: DetectorNet) -> DetectorNet:
    """Replace a network's flat heads by trainable heads with the same outputs, in place, and return it.

    Raises:
        ValueError: if the flat heads do not come from `flatten_heads`.
    """
    flat_heads, net.heads = net.heads, DetectorNet(net.variant).heads
    for head, flat in zip(net.heads, flat_heads, strict=True):
        for name in ("scores", "boxes"):
            _unflatten_branch(head.get_submodule(name), flat.get_submodule(name))
    return net


def _convolutions(branch: nn.Module) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Return the depthwise and the 1x1 convolution of a branch of either kind."""
    depthwise, pointwise = (module for module in branch.modules() if isinstance(module, nn.Conv2d))
    return depthwise, pointwise


def _combined_bias(branch: nn.Module) -> Tensor:
    """Compute the bias of both convolutions together."""
    depthwise, pointwise = _convolutions(branch)
    assert depthwise.bias is not None
    assert pointwise.bias is not None
    return pointwise.bias + pointwise.weight[..., 0, 0] @ depthwise.bias


@torch.no_grad()
def _flatten_branch(branch: nn.Module) -> FlatBranch:
    depthwise, pointwise = _convolutions(branch)
    flat = FlatBranch(len(_GROUPS) * len(depthwise.weight), len(pointwise.weight))
    kernels = torch.zeros(len(_GROUPS), *depthwise.weight.shape)
    for group, cell, original in _taps():
        kernels[(group, ..., *cell)] = depthwise.weight[(..., *original)]
    _fill(flat, kernels.flatten(0, 1), pointwise.weight.repeat(1, len(_GROUPS), 1, 1), _combined_bias(branch))
    return flat


@torch.no_grad()
def _unflatten_branch(branch: nn.Module, flat: nn.Module) -> None:
    depthwise, pointwise = _convolutions(flat)
    kernels = depthwise.weight.unflatten(0, (len(_GROUPS), -1))
    pointwise_groups = pointwise.weight.unflatten(1, (len(_GROUPS), -1))
    merged, rest = torch.zeros_like(kernels[0]), kernels.clone()
    for group, cell, original in _taps():
        merged[(..., *original)] = kernels[(group, ..., *cell)]
        rest[(group, ..., *cell)] = 0
    if rest.any() or not (pointwise_groups == pointwise_groups[:, :1]).all():
        raise InputError("its heads are not those of a pose detector: they do not come from depth-to-space")
    _fill(branch, merged, pointwise_groups[:, 0], _combined_bias(flat))


def _taps() -> Iterator[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Yield channel group, position in the flat kernel and in the original one, for each nonzero tap."""
    for group, (row, column) in enumerate(_GROUPS):
        for cell_row, original_row in _TAPS[row]:
            for cell_column, original_column in _TAPS[column]:
                yield group, (cell_row, cell_column), (original_row, original_column)


def _fill(branch: nn.Module, depthwise: Tensor, pointwise: Tensor, bias: Tensor) -> None:
    first, second = _convolutions(branch)
    first.weight.copy_(depthwise)
    second.weight.copy_(pointwise)
    nn.init.zeros_(first.bias)  # type: ignore[arg-type]
    second.bias.copy_(bias)  # type: ignore[union-attr]
