"""Operators of Core ML's programs (MIL), computed by torch.

Parameters have MIL's names, order and meaning; one that a function here does not have is an error, as is an
operator without a function. Source: the operator documentation of coremltools 9.0.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from blazepose.exceptions import InputError


def _conv(
    x: Tensor,
    weight: Tensor,
    strides: Sequence[int],
    pad_type: str,
    pad: Sequence[int],
    dilations: Sequence[int],
    groups: int,
    bias: Tensor | None = None,
) -> Tensor:
    if pad_type == "custom":
        x = F.pad(x, _torch_padding(pad))
    elif pad_type != "valid":
        raise InputError(f"padding {pad_type!r} of Core ML's conv cannot be computed")
    return F.conv2d(x, weight, bias, tuple(strides), 0, tuple(dilations), groups)


def _max_pool(
    x: Tensor,
    kernel_sizes: Sequence[int],
    strides: Sequence[int],
    pad_type: str,
    pad: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    if pad_type not in ("valid", "custom") or (pad_type == "custom" and any(pad)):
        raise InputError(f"padding {pad_type!r}, {list(pad)} of Core ML's max_pool cannot be computed")
    return F.max_pool2d(x, tuple(kernel_sizes), tuple(strides), ceil_mode=ceil_mode)


def _upsample_bilinear(
    x: Tensor, scale_factor_height: float, scale_factor_width: float, align_corners: bool
) -> Tensor:
    scale = (scale_factor_height, scale_factor_width)
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=align_corners)


def _pad(x: Tensor, pad: Sequence[int], mode: str, constant_val: float) -> Tensor:
    if mode != "constant":
        raise InputError(f"padding {mode!r} of Core ML's pad cannot be computed")
    return F.pad(x, _torch_padding(pad), value=constant_val)


def _torch_padding(pad: Sequence[int]) -> list[int]:
    """Return MIL's padding, first dimension first, in torch's order, last dimension first."""
    return [int(size) for start in range(len(pad) - 2, -1, -2) for size in pad[start : start + 2]]


def _slice_by_index(
    x: Tensor,
    begin: Sequence[int],
    end: Sequence[int],
    stride: Sequence[int] | None = None,
    begin_mask: Sequence[bool] | None = None,
    end_mask: Sequence[bool] | None = None,
    squeeze_mask: Sequence[bool] | None = None,
) -> Tensor:
    index: list[int | slice] = []
    for axis in range(x.ndim):
        if squeeze_mask is not None and squeeze_mask[axis]:
            index.append(int(begin[axis]))
            continue
        first = None if begin_mask is not None and begin_mask[axis] else int(begin[axis])
        last = None if end_mask is not None and end_mask[axis] else int(end[axis])
        index.append(slice(first, last, None if stride is None else int(stride[axis])))
    return x[tuple(index)]


def _concat(values: Sequence[Tensor], axis: int, interleave: bool) -> Tensor:
    if interleave:
        raise InputError("Core ML's concat with interleave cannot be computed")
    return torch.cat(tuple(values), axis)


def _expand_dims(x: Tensor, axes: Sequence[int]) -> Tensor:
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


OPERATORS: Mapping[str, Callable[..., Tensor]] = {
    "add": lambda x, y: x + y,
    "cast": lambda x, dtype: x,  # CoreMLProgram converts to the type of the output
    "clip": lambda x, alpha, beta: x.clamp(alpha, beta),
    "concat": _concat,
    "conv": _conv,
    "expand_dims": _expand_dims,
    "max_pool": _max_pool,
    "mul": lambda x, y: x * y,
    "pad": _pad,
    "relu6": lambda x: x.clamp(0, 6),
    "reshape": lambda x, shape: x.reshape(tuple(shape)),
    "sigmoid": lambda x: x.sigmoid(),
    "slice_by_index": _slice_by_index,
    "softmax": lambda x, axis: x.softmax(axis),
    "sub": lambda x, y: x - y,
    "transpose": lambda x, perm: x.permute(tuple(perm)),
    "upsample_bilinear": _upsample_bilinear,
}
"""{MIL operator: function of its parameters}; floats are float32."""
