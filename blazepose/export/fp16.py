"""Weights in half precision, with what their rounding costs on average taken back in the biases."""

import copy
from functools import partial

import torch
from torch import Tensor, nn

from blazepose.export.export_module import ExportModule

_FOLDING = 1e-6
"""Relative error of folding BatchNorm into kernels in float32."""


@torch.no_grad()
def round_with_bias_correction(net: ExportModule, crops: Tensor) -> ExportModule:
    """A copy whose kernels are float16 numbers.

    Rounding a kernel shifts its channel by nearly the same amount everywhere, since activations behind ReLU6
    are never negative. The mean shift, measured layer after layer, is subtracted in the biases, which files
    keep in float32. On other pictures, landmarks then move by a fifth to a half of what they would.

    Args:
        net: the network in float32.
        crops: pictures it is meant for, (batch, 256, 256, 3), 0..1; not those that the file is verified on.
    """
    half = copy.deepcopy(net)
    convolutions = _convolutions(half)
    rounded = {name: conv.weight.half().float() for name, conv in convolutions.items()}
    same = all(torch.allclose(rounded[k], conv.weight, _FOLDING, 0) for k, conv in convolutions.items())
    for name, conv in convolutions.items():
        conv.weight.copy_(rounded[name])
    if same:  # published weights that nobody trained since: their biases are right
        return half
    exact: dict[str, Tensor] = {}
    hooks = [
        conv.register_forward_hook(partial(_note, exact, name)) for name, conv in _convolutions(net).items()
    ]
    hooks += [
        conv.register_forward_hook(partial(_correct, exact, name)) for name, conv in convolutions.items()
    ]
    try:
        net(crops)
        half(crops)
    finally:
        for hook in hooks:
            hook.remove()
    return half


def _convolutions(net: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: module for name, module in net.named_modules() if isinstance(module, nn.Conv2d)}


def _note(exact: dict[str, Tensor], name: str, conv: nn.Conv2d, _: object, output: Tensor) -> None:
    exact[name] = output.mean(dim=(0, 2, 3))


def _correct(exact: dict[str, Tensor], name: str, conv: nn.Conv2d, _: object, output: Tensor) -> Tensor:
    if conv.bias is None:  # the next convolution takes it back
        return output
    shift = exact[name] - output.mean(dim=(0, 2, 3))
    conv.bias.add_(shift)
    return output + shift[:, None, None]
