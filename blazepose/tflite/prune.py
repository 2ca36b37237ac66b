"""A TFLite file without some of its outputs, and without the operators that only they need."""

from collections.abc import Collection

from blazepose.tflite.model import pack_model, read_model


def without_outputs(content: bytes, dropped: Collection[int]) -> bytes:
    """Return the file without outputs, given by position; the order of the others stays.

    Metadata stay; those of TFLite describe inputs only, in the files of this project and Google's.
    """
    model = read_model(content)
    graph = model.subgraphs[0]
    kept = [int(index) for position, index in enumerate(graph.outputs) if position not in dropped]
    needed = set(kept)
    operators = []
    for operator in reversed(graph.operators):  # operators are stored in the order in which they run
        if needed & set(map(int, operator.outputs)):
            needed |= set(map(int, operator.inputs))
            operators.append(operator)
    graph.operators, graph.outputs = operators[::-1], kept
    model.signatureDefs = None  # they name the outputs
    return pack_model(model)
