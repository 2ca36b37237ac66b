"""The detector's heads without unfolding, for export.

Unfolding becomes tensors of rank 6 in a file, and phones' GPU delegates take rank 4. A 3x3 kernel of stride 2
on a picture unfolded from four groups of channels is a 3x3 kernel of stride 1 on each of the groups, with
most of it zero: the same answers from plain convolutions.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from blazepose.models.detector_net import DetectorNet, Head, flatten_cells

_GROUPS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column, in an unfolded cell, of each group of channels (detector_net.depth_to_space)."""

_TAPS = (((1, 1),), ((0, 0), (1, 2)))
"""Of either row of an unfolded cell: rows of the kernel on cells, and the row of the original kernel that
stands there. Row 1 is the cell itself, row 0 the one before; columns are the same."""


class FlatBranch(nn.Module):
    """Scores or boxes of a level: a depthwise and a 1x1 convolution on the folded feature."""

    def __init__(self, channels: int, values: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.pointwise = nn.Conv2d(channels, values, 1)

    def forward(self, x: Float[Tensor, "batch channels side side"]) -> Tensor:
        return self.pointwise(self.depthwise(x))


class FlatHead(nn.Module):
    """Says what a Head says."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.scores, self.boxes = (_flat(branch) for branch in (head.scores, head.boxes))

    def forward(
        self, x: Tensor
    ) -> tuple[Float[Tensor, "batch anchors 1"], Float[Tensor, "batch anchors 12"]]:
        return flatten_cells(self.scores(x), self.boxes(x))


def flatten_heads(net: DetectorNet) -> DetectorNet:
    """Put flat heads in place of a network's heads, and return it."""
    net.heads = nn.ModuleList(FlatHead(head) for head in net.heads)  # type: ignore[arg-type]
    return net


def unflatten_heads(net: DetectorNet) -> DetectorNet:
    """A network with heads as they are trained, that says what one with flat heads says.

    Raises:
        ValueError: if the flat heads are not made of such.
    """
    whole = DetectorNet()
    heads, net.heads = net.heads, whole.heads
    for head, flat in zip(net.heads, heads, strict=True):
        for name in ("scores", "boxes"):
            _unflat(head.get_submodule(name), flat.get_submodule(name))
    return net


def _convolutions(branch: nn.Module) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Depthwise and 1x1 of a branch of either kind."""
    depthwise, pointwise = (module for module in branch.modules() if isinstance(module, nn.Conv2d))
    return depthwise, pointwise


def _bias(branch: nn.Module) -> Tensor:
    """Of both convolutions together."""
    depthwise, pointwise = _convolutions(branch)
    assert depthwise.bias is not None
    assert pointwise.bias is not None
    return pointwise.bias + pointwise.weight[..., 0, 0] @ depthwise.bias


@torch.no_grad()
def _flat(branch: nn.Module) -> FlatBranch:
    depthwise, pointwise = _convolutions(branch)
    flat = FlatBranch(len(_GROUPS) * len(depthwise.weight), len(pointwise.weight))
    kernels = torch.zeros(len(_GROUPS), *depthwise.weight.shape)
    for group, cell, original in _places():
        kernels[(group, ..., *cell)] = depthwise.weight[(..., *original)]
    _fill(flat, kernels.flatten(0, 1), pointwise.weight.repeat(1, len(_GROUPS), 1, 1), _bias(branch))
    return flat


@torch.no_grad()
def _unflat(branch: nn.Module, flat: nn.Module) -> None:
    depthwise, pointwise = _convolutions(flat)
    kernels = depthwise.weight.unflatten(0, (len(_GROUPS), -1))
    shares = pointwise.weight.unflatten(1, (len(_GROUPS), -1))
    whole, rest = torch.zeros_like(kernels[0]), kernels.clone()
    for group, cell, original in _places():
        whole[(..., *original)] = kernels[(group, ..., *cell)]
        rest[(group, ..., *cell)] = 0
    if rest.any() or not (shares == shares[:, :1]).all():
        raise ValueError("its heads are not those of a pose detector: they cannot be unfolded")
    _fill(branch, whole, shares[:, 0], _bias(flat))


def _places() -> Iterator[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Group of channels, place in the kernel on cells, and in the original kernel, of all that is not
    zero.
    """
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
