"""A torch module as a graph: one forward pass, with every operation recorded."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from blazepose.models.tflite_import.graph import Graph, Op, conv_attributes, prune


class ConvNames(NamedTuple):
    """Names of a convolution's modules in the network.

    Attributes:
        conv: name of the convolution.
        norm: name of the BatchNorm behind it, or None.
    """

    conv: str
    norm: str | None


def trace(net: nn.Module, forward: Callable[..., tuple[Tensor, ...]], size: int) -> Graph:
    """Trace a module in eval mode.

    Args:
        net: the module.
        forward: its method from images (1, size, size, 3) to the outputs.
        size: side of the images.
    """
    names = {id(module.weight): name for name, module in net.named_modules() if isinstance(module, nn.Conv2d)}
    norms = {name: module for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d)}
    names |= {id(norm.running_mean): name for name, norm in norms.items()}
    recorder = _Recorder(names)
    image = torch.zeros(1, size, size, 3)
    recorder.add_input(image)
    with torch.no_grad(), recorder:
        outputs = forward(image)
    return prune(recorder.ops, tuple(recorder.position(output) for output in outputs))


_TRANSPARENT = {"permute", "transpose", "flatten", "view", "reshape", "detach", "mul", "__getitem__"}
"""Operations that are no part of the structure: changes of layout, and constant factors."""


class _Recorder(TorchFunctionMode):
    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self._names = names
        self._positions: dict[int, int] = {}
        self._pads: dict[int, tuple[int, int, int, int]] = {}
        self._alive: list[Any] = []  # so that no two values get the same id

    def add_input(self, image: Tensor) -> None:
        self._add(image, Op("input", tuple(image.shape), ()))

    def position(self, value: Tensor) -> int:
        return self._positions[id(value)]

    def _add(self, value: Tensor, op: Op) -> None:
        self.ops.append(op)
        self._set_position(value, len(self.ops) - 1)

    def _set_position(self, value: Tensor, position: int) -> None:
        self._positions[id(value)] = position
        self._alive.append(value)

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        operands = args[0] if func is torch.cat else args
        tracked = [value for value in operands if isinstance(value, Tensor) and id(value) in self._positions]
        if isinstance(out, Tensor) and tracked:
            self._record(func.__name__, tracked, out, args, kwargs)
        return out

    def _record(self, name: str, tracked: list[Tensor], out: Tensor, args: tuple, kwargs: dict) -> None:
        source = tracked[0]
        inputs = tuple(self.position(value) for value in tracked)
        if name == "conv2d":
            self._conv(source, out, *args[1:])
        elif name == "batch_norm":
            op = self.ops[self.position(source)]
            assert isinstance(op.weights, ConvNames)
            norm = op.weights._replace(norm=self._names[id(args[1])])
            self.ops[self.position(source)] = op._replace(weights=norm)
            self._set_position(out, self.position(source))
        elif name == "pad":
            self._pad(source, out, tuple(args[1]))
        elif name in ("hardtanh", "relu6"):
            self._add(out, Op("relu6", (), inputs))
        elif name == "relu":
            self._add(out, Op("relu", (), inputs))
        elif name in ("add", "sub", "cat") or (name == "mul" and len(inputs) == 2):
            self._add(out, Op("concat" if name == "cat" else name, (), inputs))
        elif name == "max_pool2d":
            self._add(out, Op("maxpool", (2, 2, 2, 2), inputs))
        elif name == "interpolate":
            self._add(out, Op("upsample", (2.0, 2.0, True, False), inputs))
        elif name == "sigmoid":
            self._add(out, Op("sigmoid", (), inputs))
        elif name == "softmax":
            self._add(out, Op(name, (), inputs))
        elif name == "pixel_shuffle":
            self._add(out, Op("depth_to_space", (2,), inputs))
        elif name in _TRANSPARENT:
            self._set_position(out, inputs[0])
        else:
            raise NotImplementedError(f"{name} has no counterpart in a TFLite graph")

    def _conv(
        self,
        source: Tensor,
        out: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
    ) -> None:
        channels_out, _, *kernel = weight.shape
        top, left, bottom, right = self._pads.get(id(source), (0, 0, 0, 0))
        rows, columns = padding
        pads = (top + rows, left + columns, bottom + rows, right + columns)
        size = (kernel[0], kernel[1])
        attributes = conv_attributes(source.shape[1], channels_out, groups, size, stride, pads)
        # The constants of heatmap decoding have no name.
        names = ConvNames(self._names[id(weight)], None) if id(weight) in self._names else None
        self._add(out, Op("conv", attributes, (self.position(source),), names))

    def _pad(self, source: Tensor, out: Tensor, amounts: tuple[int, ...]) -> None:
        left, right, top, bottom, *channels = amounts
        if any(channels):
            self._add(out, Op("channels", tuple(channels), (self.position(source),)))
        else:
            self._set_position(out, self.position(source))
            self._pads[id(out)] = (top, left, bottom, right)
