"""Kernels rounded to the values that a file stores, with biases corrected for the mean error."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from blazepose.export.export_module import ExportModule, Precision

_NUM_BIAS_IMAGES = 64
"""Chosen: the network runs on all of them at once, in a few GB."""

_FOLDING_ERROR = 1e-6
"""Relative error of folding BatchNorm into kernels in float32."""


class Rounding(NamedTuple):
    """Functions that round the kernel and the bias of a convolution to a precision."""

    kernel: Callable[[Tensor], Tensor]
    bias: Callable[[Tensor], Tensor]


def _to_half(values: Tensor) -> Tensor:
    return values.half().float()


def _to_int8(kernel: Tensor) -> Tensor:
    """Round to 255 steps per output channel, symmetric around zero, as ai-edge-quantizer does."""
    step = kernel.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
    return torch.where(step > 0, (kernel / step).round() * step, kernel)


_INT8 = Rounding(_to_int8, torch.clone)  # its biases are float32, or int32

ROUNDING: Mapping[Precision, Rounding] = {
    "fp16": Rounding(_to_half, _to_half),
    "int8": _INT8,
    "int8_static": _INT8,
}
"""{precision: rounding}."""


@torch.no_grad()
def round_with_bias_correction(net: ExportModule, precision: Precision, images: Tensor) -> ExportModule:
    """Return a copy whose kernels are values that a precision stores exactly.

    Rounding a kernel shifts its channel by nearly the same amount everywhere, since activations behind ReLU6
    are never negative. The mean shift, measured layer by layer, is subtracted in the biases. On other images,
    the landmark error of fp16 is then a fifth to a half of the uncorrected one. A network with ReLU keeps its
    biases: nothing bounds its activations, and the few largest dominate their means. In the detector of 2021,
    fp16 then changes scores by 0.003 at most, with corrected biases by 1.

    Args:
        net: the network in float32.
        precision: one of ROUNDING.
        images: calibration inputs of the network, (batch, size, size, 3); not those of the verification.
    """
    rounded_net = copy.deepcopy(net)
    convolutions = _convolutions(rounded_net)
    rounding = ROUNDING[precision]
    unchanged = True
    for conv in convolutions.values():
        kernel = rounding.kernel(conv.weight)
        unchanged &= _is_close(kernel, conv.weight)
        unchanged &= conv.bias is None or _is_close(rounding.bias(conv.bias), conv.bias)
        conv.weight.copy_(kernel)
    if unchanged:  # published weights without further training: their biases fit
        return rounded_net
    if any(isinstance(module, nn.ReLU) for module in net.modules()):
        for conv in convolutions.values():
            if conv.bias is not None:
                conv.bias.copy_(rounding.bias(conv.bias))
        return rounded_net
    float32_means: dict[str, Tensor] = {}
    hooks = [
        conv.register_forward_hook(partial(_store_mean, float32_means, name))
        for name, conv in _convolutions(net).items()
    ]
    hooks += [
        conv.register_forward_hook(partial(_correct_bias, float32_means, name, rounding.bias))
        for name, conv in convolutions.items()
    ]
    try:
        net(images)
        rounded_net(images)
    finally:
        for hook in hooks:
            hook.remove()
    return rounded_net


def _is_close(rounded: Tensor, values: Tensor) -> bool:
    return torch.allclose(rounded, values, _FOLDING_ERROR, 0)


def fit_to_precision(net: ExportModule, precision: Precision, images: Tensor) -> ExportModule:
    """Return a copy that loses least when a file stores it in a precision below fp32.

    Args:
        net: the network in float32.
        precision: one of ROUNDING.
        images: calibration inputs of the network, (batch, size, size, 3). Of many, some are enough for the
            biases; all of them measure the ranges of the activations in int8_static.
    """
    fitted = round_with_bias_correction(net, precision, images[:: max(1, len(images) // _NUM_BIAS_IMAGES)])
    fitted.calibration = images if precision == "int8_static" else None
    return fitted


def _convolutions(net: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: module for name, module in net.named_modules() if isinstance(module, nn.Conv2d)}


def _store_mean(
    float32_means: dict[str, Tensor], name: str, conv: nn.Conv2d, _: object, output: Tensor
) -> None:
    float32_means[name] = output.mean(dim=(0, 2, 3))


def _correct_bias(
    float32_means: dict[str, Tensor],
    name: str,
    round_bias: Callable[[Tensor], Tensor],
    conv: nn.Conv2d,
    _: object,
    output: Tensor,
) -> Tensor:
    if conv.bias is None:  # the next convolution corrects it
        return output
    before = conv.bias.clone()
    # What is rounded away here, the next convolution corrects.
    conv.bias.copy_(round_bias(before + float32_means[name] - output.mean(dim=(0, 2, 3))))
    return output + (conv.bias - before)[:, None, None]
