"""Load Google's published TFLite files, and our own exports, into our networks.

Source: docs/reference/mediapipe.md sections 5 and 6.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, cast, get_args

import torch
from torch import Tensor, nn

from blazepose.decoding import SHARPNESS
from blazepose.exceptions import InputError
from blazepose.models.blocks import BlazeBlock
from blazepose.models.detector_net import DetectorNet
from blazepose.models.flat_head import FlatHead, flatten_heads, unflatten_heads
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.graph import Graph, match_graphs
from blazepose.models.tflite_import.tflite_graph import Conv, read_graph
from blazepose.models.tflite_import.traced_graph import ConvNames, trace
from blazepose.models.variant_types import LandmarkVariant, Wiring
from blazepose.models.variants import DETECTOR_2021_VARIANT, VARIANTS
from blazepose.topologies import FULL_BODY, topologies
from blazepose.topology import Topology

Net = LandmarkNet | DetectorNet


class Candidate(NamedTuple):
    """A network that a file may hold.

    Attributes:
        name: for messages.
        num_outputs: outputs of its files.
        build: builds it, in eval mode.
    """

    name: str
    num_outputs: int
    build: Callable[[], Net]


def load_tflite(content: bytes) -> Net:
    """Load a TFLite file into the network of ours that has its structure, in eval mode.

    BatchNorm, which the file has folded into its convolutions, is restored behind kernels of norm one, with
    mean 0 and variance 1; `precise_bn` sets the statistics of real images. What a file lacks keeps its
    initial weights: the offset maps, and the heatmaps where they are neither output nor used for decoding.

    Raises:
        ValueError: if the file is damaged, or none of our networks; states the difference to the nearest.
    """
    graph = read_graph(content)
    nearest: tuple[int, str] | None = None
    candidates = _candidates(_topology(graph))
    # First those that have the file's number of outputs: building and tracing a network takes a second.
    for name, _, build in sorted(candidates, key=lambda each: each.num_outputs != len(graph.outputs)):
        net = build()
        candidate = trace(net, net.forward_export, net.input_spec.size)
        if pairs := match_graphs(candidate, graph):
            for module_op, file_op in pairs:
                if isinstance(module_op.weights, ConvNames) and isinstance(file_op.weights, Conv):
                    _copy_weights(net, module_op.weights, file_op.weights)
            if isinstance(net, LandmarkNet):
                _prepare_for_training(net)
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


def _topology(graph: Graph) -> Topology:
    """Return the topology of a file, by the channels of its last convolutions; the full body for others."""
    widths = {op.attributes[1] for op in graph.ops if op.kind == "conv"}
    of_width = (topology for topology in topologies().values() if 5 * topology.num_outputs in widths)
    return next(of_width, FULL_BODY)


def _candidates(topology: Topology) -> Iterator[Candidate]:
    """Yield everything that can be imported, Google's landmark networks first."""
    yielded = set()
    for wiring in get_args(Wiring):
        for name, wirings in VARIANTS.items():
            variant = wirings.get(wiring)
            if variant is None or variant in yielded:  # both wirings of heavy are the same
                continue
            yielded.add(variant)
            text = f"{name} in the {wiring} wiring"
            for suffix, decoded in (("", False), (", decoded by heatmaps", True)):
                build = partial(_build_landmark_net, variant, topology, decoded)
                yield Candidate(text + suffix, variant.num_file_outputs, build)
        if wiring == "mediapipe":
            yield Candidate("the detector", 2, lambda: DetectorNet().eval())
            yield Candidate("the detector as we export it", 2, lambda: flatten_heads(DetectorNet()).eval())
            yield Candidate("the detector of 2021", 2, lambda: DetectorNet(DETECTOR_2021_VARIANT).eval())


def _build_landmark_net(variant: LandmarkVariant, topology: Topology, decoded: bool) -> LandmarkNet:
    net = LandmarkNet(variant, topology=topology).eval()
    if decoded:
        net.decode_by_heatmaps()
    return net


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


@torch.no_grad()
def _prepare_for_training(net: LandmarkNet) -> None:
    """Turn an imported network into the one that is trained, with the same outputs."""
    if net.heatmap_decoder is not None and not net.variant.full_contract:
        # The file has the heatmaps inside its decoding alone, sharpened.
        for own, sharpened in zip(
            net.heatmaps.parameters(), net.heatmap_decoder.logits.parameters(), strict=True
        ):
            own.copy_(sharpened / SHARPNESS)
    net.heatmap_decoder = None
    net.tower.to_unit_coordinates()
    for module in net.modules():
        if isinstance(module, BlazeBlock):
            _normalize_depthwise(module)


def _normalize_depthwise(block: BlazeBlock) -> None:
    """Bring large depthwise filters, which have no BatchNorm, to a norm near one, by factors in the 1x1.

    Factors are powers of two, with which every product stays the same to the bit; filters whose smallest
    weight would lose digits in half precision stay as they are.
    """
    weight = block.depthwise.weight
    factors = torch.exp2(_filter_norms(weight).log2().round()).clamp(min=1)
    smallest = weight.abs().masked_fill(weight == 0, torch.inf).flatten(1).amin(dim=1)
    factors = torch.where(smallest / factors < torch.finfo(torch.float16).tiny, 1.0, factors)
    weight.div_(factors[:, None, None, None])
    conv, norm = block.pointwise.conv, cast(nn.BatchNorm2d, block.pointwise.norm)
    kernel = conv.weight * factors[:, None, None]
    filter_norm = _filter_norms(kernel)
    conv.weight.copy_(kernel / filter_norm[:, None, None, None])
    norm.weight.mul_(filter_norm)


def _filter_norms(kernel: Tensor) -> Tensor:
    """Compute the L2 norm of each filter (out,); 1 for filters of zeros."""
    filter_norm = torch.linalg.vector_norm(kernel.flatten(1), dim=1)
    return torch.where(filter_norm > 0, filter_norm, 1.0)
