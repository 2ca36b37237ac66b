"""A network as a graph of operations, the common form of TFLite files and torch modules.

Two graphs are matched by structure: an operation is identified by its ancestors and its descendants, not by
name or order.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from blazepose.exceptions import InputError

W = TypeVar("W")

COMMUTATIVE = {"add", "mul"}


class Op(NamedTuple):
    """An operation and the value that it outputs.

    Attributes:
        kind: conv, add, sub, mul, relu, relu6, maxpool, upsample, channels, sigmoid, softmax, depth_to_space,
            concat or input.
        attributes: kernel, stride, padding, channels, and others of its kind.
        inputs: positions of the operations that compute its inputs.
        weights: weights of a convolution: arrays in a file, names of tensors in a module.
    """

    kind: str
    attributes: tuple[Hashable, ...]
    inputs: tuple[int, ...]
    weights: object = None


class Graph(NamedTuple):
    """Operations in topological order.

    Attributes:
        ops: all operations, each after its inputs.
        outputs: positions of the operations that compute the network's outputs, in order.
    """

    ops: Sequence[Op]
    outputs: tuple[int, ...]

    def convolutions(self) -> Counter[tuple[Hashable, ...]]:
        """Count the convolutions of each kernel, stride, padding and width."""
        return Counter(op.attributes for op in self.ops if op.kind == "conv")


def prune(ops: Sequence[Op], outputs: tuple[int, ...]) -> Graph:
    """Return the graph of the operations that an output depends on."""
    used = set(outputs)
    for position in reversed(range(len(ops))):
        if position in used:
            used.update(ops[position].inputs)
    new_position = {position: k for k, position in enumerate(sorted(used))}
    pruned = [ops[k]._replace(inputs=tuple(new_position[i] for i in ops[k].inputs)) for k in new_position]
    return Graph(pruned, tuple(new_position[k] for k in outputs))


def conv_attributes(
    channels_in: int,
    channels_out: int,
    groups: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> tuple[Hashable, ...]:
    """Return the attributes of a convolution; pads are top, left, bottom, right."""
    return channels_in, channels_out, "depthwise" if groups > 1 else "full", kernel, stride, pads


def match_graphs(one: Graph, other: Graph) -> Iterator[tuple[Op, Op]] | None:
    """Pair the operations of two graphs of equal structure; return None if the structures differ.

    Raises:
        ValueError: if two convolutions have the same ancestors and descendants.
    """
    ids: dict[Hashable, int] = {}
    signatures, other_signatures = _node_signatures(one, ids), _node_signatures(other, ids)
    if Counter(signatures) != Counter(other_signatures):
        return None
    # Operations of one signature are interchangeable, unless they have weights.
    weighted = [s for op, s in zip(one.ops, signatures, strict=True) if op.weights is not None]
    if len(set(weighted)) < len(weighted):
        raise InputError("two convolutions of the network cannot be distinguished by structure")
    position_of = {signature: position for position, signature in enumerate(other_signatures)}
    return ((op, other.ops[position_of[s]]) for op, s in zip(one.ops, signatures, strict=True))


def _node_signatures(graph: Graph, ids: dict[Hashable, int]) -> list[int]:
    """Return an id for each operation, equal for operations with equal ancestors and descendants."""

    def id_of(key: Hashable) -> int:
        return ids.setdefault(key, len(ids))

    ancestors: list[int] = []
    for op in graph.ops:
        inputs = [ancestors[k] for k in op.inputs]
        ancestors.append(
            id_of((op.kind, op.attributes, tuple(sorted(inputs) if op.kind in COMMUTATIVE else inputs)))
        )
    users: list[list[int]] = [[] for _ in graph.ops]
    for position, op in enumerate(graph.ops):
        for k in op.inputs:
            users[k].append(position)
    signatures = [0] * len(graph.ops)
    for position in reversed(range(len(graph.ops))):
        descendants = tuple(sorted(signatures[user] for user in users[position]))
        outputs = tuple(k for k, output in enumerate(graph.outputs) if output == position)
        signatures[position] = id_of((ancestors[position], descendants, outputs))
    return signatures
