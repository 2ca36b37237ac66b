"""A network as its operations and what flows between them: what published files and our modules share.

Two graphs are matched by structure. An operation is recognised by what leads to it and by what it leads to;
names and order do not count.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, TypeVar

W = TypeVar("W")

COMMUTATIVE = {"add"}


class Op(NamedTuple):
    """An operation and the value that it returns.

    Attributes:
        kind: conv, add, relu6, maxpool, upsample, channels, sigmoid, depth_to_space, concat or input.
        attributes: what tells it from others of its kind: kernel, stride, padding, channels.
        inputs: positions of the operations whose values it takes.
        weights: of a convolution; arrays in a file, names of tensors in a module.
    """

    kind: str
    attributes: tuple[Hashable, ...]
    inputs: tuple[int, ...]
    weights: object = None


class Graph(NamedTuple):
    """Operations, each after its inputs.

    Attributes:
        ops: all of them.
        outputs: positions of the operations whose values are the network's outputs, in their order.
    """

    ops: Sequence[Op]
    outputs: tuple[int, ...]

    def convolutions(self) -> Counter[tuple[Hashable, ...]]:
        """How many convolutions there are of each kernel, stride, padding and width."""
        return Counter(op.attributes for op in self.ops if op.kind == "conv")


def needed(ops: Sequence[Op], outputs: tuple[int, ...]) -> Graph:
    """The graph of those operations that an output depends on."""
    wanted = set(outputs)
    for position in reversed(range(len(ops))):
        if position in wanted:
            wanted.update(ops[position].inputs)
    place = {position: k for k, position in enumerate(sorted(wanted))}
    kept = [ops[k]._replace(inputs=tuple(place[i] for i in ops[k].inputs)) for k in place]
    return Graph(kept, tuple(place[k] for k in outputs))


def conv_attributes(
    channels_in: int,
    channels_out: int,
    groups: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> tuple[Hashable, ...]:
    """Attributes of a convolution; pads are top, left, bottom, right."""
    return channels_in, channels_out, "depthwise" if groups > 1 else "full", kernel, stride, pads


def match_graphs(one: Graph, other: Graph) -> Iterator[tuple[Op, Op]] | None:
    """Pairs of operations that do the same in both graphs; None if the graphs are not the same."""
    numbers: dict[Hashable, int] = {}
    roles, others = _node_signatures(one, numbers), _node_signatures(other, numbers)
    if Counter(roles) != Counter(others):
        return None
    # Operations of one role are alike in all that leads to them and follows: any of them will do, unless they
    # carry weights.
    if len(set(_carriers(one, roles))) < len(_carriers(one, roles)):
        raise ValueError("two convolutions of the network cannot be told apart by structure")
    place = {role: position for position, role in enumerate(others)}
    return ((op, other.ops[place[role]]) for op, role in zip(one.ops, roles, strict=True))


def _carriers(graph: Graph, roles: Sequence[int]) -> list[int]:
    return [role for op, role in zip(graph.ops, roles, strict=True) if op.weights is not None]


def _node_signatures(graph: Graph, numbers: dict[Hashable, int]) -> list[int]:
    """A number for each operation, the same for those with the same past and future."""

    def number(key: Hashable) -> int:
        return numbers.setdefault(key, len(numbers))

    past: list[int] = []
    for op in graph.ops:
        inputs = [past[k] for k in op.inputs]
        past.append(
            number((op.kind, op.attributes, tuple(sorted(inputs) if op.kind in COMMUTATIVE else inputs)))
        )
    users: list[list[int]] = [[] for _ in graph.ops]
    for position, op in enumerate(graph.ops):
        for k in op.inputs:
            users[k].append(position)
    roles = [0] * len(graph.ops)
    for position in reversed(range(len(graph.ops))):
        future = tuple(sorted(roles[user] for user in users[position]))
        said = tuple(k for k, output in enumerate(graph.outputs) if output == position)
        roles[position] = number((past[position], future, said))
    return roles
