"""Load Google's published TFLite files, and our own exports, into our networks.

Source: docs/reference/mediapipe.md sections 5 and 6.
"""

from collections.abc import Iterator
from typing import get_args

import torch
from torch import Tensor, nn

from blazepose.exceptions import InputError
from blazepose.models.detector_net import DetectorNet
from blazepose.models.flat_head import FlatHead, flatten_heads, unflatten_heads
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.graph import Graph, match_graphs
from blazepose.models.tflite_import.tflite_graph import Conv, read_graph
from blazepose.models.tflite_import.traced_graph import ConvNames, trace
from blazepose.models.variants import DETECTOR_2021_VARIANT, VARIANTS, Wiring

Net = LandmarkNet | DetectorNet


def load_tflite(content: bytes) -> Net:
    """Load a TFLite file into the network of ours that has its structure, in eval mode.

    BatchNorm, which the file has folded into its convolutions, is restored behind kernels of norm one, with
    mean 0 and variance 1; `precise_bn` sets the statistics of real images. The offset maps, which no file
    has, keep their initial weights.

    Raises:
        ValueError: if the file is damaged, or none of our networks; states the difference to the nearest.
    """
    graph = read_graph(content)
    nearest: tuple[int, str] | None = None
    for name, net in _candidate_networks():
        candidate = trace(net, net.forward_export, net.input_spec.size)
        if pairs := match_graphs(candidate, graph):
            for module_op, file_op in pairs:
                if isinstance(module_op.weights, ConvNames) and isinstance(file_op.weights, Conv):
                    _copy_weights(net, module_op.weights, file_op.weights)
            if isinstance(net, LandmarkNet):
                net.heatmap_decoder = None
                net.tower.to_unit_coordinates()
            elif isinstance(net.heads[0], FlatHead):
                unflatten_heads(net)
            return net
        unmatched = _count_unmatched(candidate, graph)
        nearest = min(nearest or (unmatched, name), (unmatched, name))
    assert nearest is not None
    unmatched, name = nearest
    if unmatched:
        total = sum(graph.convolutions().values())
        raise InputError(
            f"it is none of our networks: of its {total} convolutions and those of {name}, the nearest, "
            f"{unmatched} have no counterpart"
        )
    raise InputError(f"it is none of our networks: its convolutions are those of {name}, connected otherwise")


def _candidate_networks() -> Iterator[tuple[str, Net]]:
    """Yield name and network of everything that can be imported, Google's first."""
    for wiring in get_args(Wiring):
        for name, wirings in VARIANTS.items():
            if wiring in wirings:
                net = LandmarkNet(wirings[wiring]).eval()
                yield f"{name} in the {wiring} wiring", net
                net.decode_by_heatmaps()
                yield f"{name} in the {wiring} wiring, decoded by heatmaps", net
        if wiring == "mediapipe":
            yield "the detector", DetectorNet().eval()
            yield "the detector as we export it", flatten_heads(DetectorNet()).eval()
            yield "the detector of 2021", DetectorNet(DETECTOR_2021_VARIANT).eval()


def _count_unmatched(one: Graph, other: Graph) -> int:
    """Count the convolutions of either graph without a counterpart in the other; the larger count."""
    first, second = one.convolutions(), other.convolutions()
    return max(sum((first - second).values()), sum((second - first).values()))


@torch.no_grad()
def _copy_weights(net: nn.Module, names: ConvNames, weights: Conv) -> None:
    """Copy a convolution's weights from the file into the network, and into the BatchNorm behind it."""
    conv = net.get_submodule(names.conv)
    assert isinstance(conv, nn.Conv2d)
    kernel, bias = torch.from_numpy(weights.kernel), torch.from_numpy(weights.bias)
    if names.norm is None:
        conv.weight.copy_(kernel)
        if conv.bias is not None:
            conv.bias.copy_(bias)
        elif bias.any():
            raise InputError(f"its convolution {names.conv} has a bias; ours has none")
        return
    norm = net.get_submodule(names.norm)
    assert isinstance(norm, nn.BatchNorm2d)
    filter_norm = _filter_norms(kernel)
    conv.weight.copy_(kernel / filter_norm[:, None, None, None])
    norm.reset_running_stats()
    norm.weight.copy_(filter_norm * (1 + norm.eps) ** 0.5)
    norm.bias.copy_(bias)


def _filter_norms(kernel: Tensor) -> Tensor:
    """Compute the L2 norm of each filter (out,); 1 for filters of zeros."""
    filter_norm = torch.linalg.vector_norm(kernel.flatten(1), dim=1)
    return torch.where(filter_norm > 0, filter_norm, 1.0)
