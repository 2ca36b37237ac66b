"""Matching of graphs by structure."""

import pytest

from blazepose.models.tflite_import.graph import Graph, Op, conv_attributes, match_graphs


def conv(source: int, out: int = 4, name: str = "") -> Op:
    return Op("conv", conv_attributes(4, out, 1, (3, 3), (1, 1), (1, 1, 1, 1)), (source,), name)


INPUT = Op("input", (1, 8, 8, 4), ())


def names(one: Graph, other: Graph) -> dict:
    pairs = match_graphs(one, other)
    assert pairs is not None
    return {a.weights: b.weights for a, b in pairs if a.weights}


def test_convolutions_are_matched_by_their_ancestors_in_any_order():
    one = Graph([INPUT, conv(0, name="a"), conv(1, name="b"), Op("relu6", (), (2,))], (3,))
    other = Graph([INPUT, conv(0, name="A"), conv(1, name="B"), Op("relu6", (), (2,))], (3,))
    assert names(one, other) == {"a": "A", "b": "B"}


def test_twins_are_distinguished_by_their_descendants():
    """Two branches from one value that differ only in their outputs."""
    one = Graph([INPUT, conv(0, name="a"), conv(0, name="b"), Op("sigmoid", (), (2,))], (1, 3))
    other = Graph([INPUT, conv(0, name="B"), Op("sigmoid", (), (1,)), conv(0, name="A")], (3, 2))
    assert names(one, other) == {"a": "A", "b": "B"}
    swapped = Graph([INPUT, conv(0, name="a"), conv(0, name="b")], (1, 2))
    assert names(swapped, Graph([INPUT, conv(0, name="B"), conv(0, name="A")], (2, 1))) == {
        "a": "A",
        "b": "B",
    }


def test_sums_have_no_order_and_concatenations_do():
    def graph(kind: str, order: tuple[int, int]) -> Graph:
        return Graph([INPUT, conv(0), Op("relu6", (), (1,)), Op(kind, (), order)], (3,))

    assert match_graphs(graph("add", (1, 2)), graph("add", (2, 1))) is not None
    assert match_graphs(graph("concat", (1, 2)), graph("concat", (2, 1))) is None


@pytest.mark.parametrize(
    "other",
    [
        Graph([INPUT, conv(0), conv(1)], (1,)),  # another output
        Graph([INPUT, conv(0), conv(0)], (2,)),  # other connections
        Graph([INPUT, conv(0), conv(1), conv(2)], (3,)),  # one more convolution
        Graph([INPUT, conv(0), conv(1, out=8)], (2,)),  # wider
        Graph([INPUT, conv(0), conv(1)], (2, 2)),  # one more output
    ],
)
def test_other_graphs_do_not_match(other):
    assert match_graphs(Graph([INPUT, conv(0), conv(1)], (2,)), other) is None


def test_weights_that_structure_cannot_match_are_rejected():
    twins = Graph([INPUT, conv(0, name="a"), conv(0, name="b"), Op("add", (), (1, 2))], (3,))
    with pytest.raises(ValueError, match="cannot be distinguished"):
        match_graphs(twins, twins)
