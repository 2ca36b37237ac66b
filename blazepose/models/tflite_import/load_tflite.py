"""Google's published weights, and files that we exported, back into our networks.

Source: mediapipe.md sections 5 and 6.
"""

from collections.abc import Iterator
from typing import get_args

import torch
from torch import Tensor, nn

from blazepose.models.detector_net import DetectorNet
from blazepose.models.flat_head import FlatHead, flatten_heads, unflatten_heads
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.graph import Graph, match_graphs
from blazepose.models.tflite_import.tflite_graph import Conv, read_graph
from blazepose.models.tflite_import.traced_graph import ConvNames, trace
from blazepose.models.variants import VARIANTS, Wiring

Net = LandmarkNet | DetectorNet


def load_tflite(content: bytes) -> Net:
    """The network of a TFLite file with its weights, whichever of ours it is, in eval mode.

    BatchNorm, which the file has folded into its convolutions, is put back behind kernels of length one,
    with mean 0 and variance 1; models.recalibrate gives it the statistics of real pictures. The heads of
    offset maps, which no file has, stay as they are made.

    Raises:
        ValueError: if it is damaged, or another network than ours; says how it differs.
    """
    graph = read_graph(content)
    nearest: tuple[int, str] | None = None
    for name, net in _networks():
        own = trace(net, net.forward_export, net.input_spec.size)
        if pairs := match_graphs(own, graph):
            for ours, theirs in pairs:
                if isinstance(ours.weights, ConvNames) and isinstance(theirs.weights, Conv):
                    _put(net, ours.weights, theirs.weights)
            if isinstance(net, LandmarkNet):
                net.tower.take_pixels()
            elif isinstance(net.heads[0], FlatHead):
                unflatten_heads(net)
            return net
        differ = _differ(own, graph)
        nearest = min(nearest or (differ, name), (differ, name))
    assert nearest is not None
    differ, name = nearest
    if differ:
        total = sum(graph.convolutions().values())
        raise ValueError(
            f"it is none of our networks: of its {total} convolutions and those of {name}, the nearest, "
            f"{differ} have no counterpart"
        )
    raise ValueError(f"it is none of our networks: its convolutions are those of {name}, otherwise connected")


def _networks() -> Iterator[tuple[str, Net]]:
    """Every network of ours with a name, one after the other; Google's first."""
    for wiring in get_args(Wiring):
        for name, wirings in VARIANTS.items():
            if wiring in wirings:
                yield f"{name} in the {wiring} wiring", LandmarkNet(wirings[wiring]).eval()
        if wiring == "mediapipe":
            yield "the detector", DetectorNet().eval()
            yield "the detector as we export it", flatten_heads(DetectorNet()).eval()


def _differ(own: Graph, graph: Graph) -> int:
    """Convolutions that one of two graphs has and the other has not."""
    ours, theirs = own.convolutions(), graph.convolutions()
    return max(sum((ours - theirs).values()), sum((theirs - ours).values()))


@torch.no_grad()
def _put(net: nn.Module, names: ConvNames, weights: Conv) -> None:
    """Weights of a convolution of the file into the network's, and into the BatchNorm behind it."""
    conv = net.get_submodule(names.conv)
    assert isinstance(conv, nn.Conv2d)
    kernel, bias = torch.from_numpy(weights.kernel), torch.from_numpy(weights.bias)
    if names.norm is None:
        conv.weight.copy_(kernel)
        if conv.bias is not None:
            conv.bias.copy_(bias)
        elif bias.any():
            raise ValueError(f"its convolution {names.conv} has a bias, and ours has none")
        return
    norm = net.get_submodule(names.norm)
    assert isinstance(norm, nn.BatchNorm2d)
    length = _lengths(kernel)
    conv.weight.copy_(kernel / length[:, None, None, None])
    norm.reset_running_stats()
    norm.weight.copy_(length * (1 + norm.eps) ** 0.5)
    norm.bias.copy_(bias)


def _lengths(kernel: Tensor) -> Tensor:
    """Euclidean length of each filter (out,); 1 where it is all zeros."""
    length = torch.linalg.vector_norm(kernel.flatten(1), dim=1)
    return torch.where(length > 0, length, 1.0)
