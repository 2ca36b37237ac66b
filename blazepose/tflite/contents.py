"""What is in a TFLite file: inputs and outputs, operators, constants, metadata."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema

from blazepose.tflite.acceleration import operator_name
from blazepose.tflite.model import read_model

_TYPES = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}


class Constants(NamedTuple):
    """The constants of one type: how many, and their bytes."""

    number: int
    size: int


class Contents(NamedTuple):
    """What is in a file.

    Attributes:
        size: bytes of the file.
        inputs: name, type and shape of each input.
        outputs: likewise.
        operators: {name in the schema: number}, the most frequent first.
        rank: largest number of dimensions of a tensor.
        activations: {type: number} of the tensors that operators compute.
        constants: {type: constants}, the largest first.
        sparse: number of constants in sparse form.
        metadata: names of the metadata entries.
    """

    size: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: Mapping[str, int]
    rank: int
    activations: Mapping[str, int]
    constants: Mapping[str, Constants]
    sparse: int
    metadata: tuple[str, ...]

    @property
    def precision(self) -> str:
        """The precision of weights and arithmetic in words."""
        weights = next((name for name in self.constants if name not in ("INT32", "INT64", "BOOL")), None)
        if weights is None:
            return "no weights"
        computed = self.activations.get("INT8", 0) + self.activations.get("UINT8", 0)
        share = computed / max(1, sum(self.activations.values()))
        words = f"{weights.lower()} weights, "
        return words + (
            "float32 arithmetic" if not computed else f"{100 * share:.0f} % of the tensors in int8"
        )


def read_contents(content: bytes) -> Contents:
    """Read what is in a file: of its first graph, if it has several."""
    model = read_model(content)
    graph = model.subgraphs[0]
    constants: dict[str, Constants] = {}
    restored = {
        int(output)
        for operator in graph.operators
        if operator_name(model, operator) in ("DEQUANTIZE", "DENSIFY")
        for output in operator.outputs
    }
    activations: Counter[str] = Counter()
    for index, tensor in enumerate(graph.tensors):
        kind, data = _TYPES[tensor.type], model.buffers[tensor.buffer].data
        if data is not None and len(data):
            number, size = constants.get(kind, Constants(0, 0))
            constants[kind] = Constants(number + 1, size + len(data))
        elif index not in restored:
            activations[kind] += 1
    operators = Counter(operator_name(model, operator) for operator in graph.operators)
    return Contents(
        size=len(content),
        inputs=tuple(_describe(graph.tensors[index]) for index in graph.inputs),
        outputs=tuple(_describe(graph.tensors[index]) for index in graph.outputs),
        operators=dict(operators.most_common()),
        rank=max(len(_shape(tensor)) for tensor in graph.tensors),
        activations=dict(activations),
        constants=dict(sorted(constants.items(), key=lambda item: -item[1].size)),
        sparse=sum(tensor.sparsity is not None for tensor in graph.tensors),
        metadata=tuple(entry.name.decode() for entry in model.metadata or []),
    )


def _shape(tensor: Any) -> list[int]:
    return [] if tensor.shape is None else list(map(int, tensor.shape))


def _describe(tensor: Any) -> str:
    return f"{tensor.name.decode()} {_TYPES[tensor.type].lower()} {_shape(tensor)}"
