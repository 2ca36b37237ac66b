"""The topologies: a file each. A new file in this folder is found by the name of its topology."""

import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module

from blazepose.exceptions import InputError
from blazepose.topologies.full_body import FULL_BODY
from blazepose.topology import Topology

__all__ = ["FULL_BODY", "find_topology", "topologies", "topology_of_outputs"]


@cache
def topologies() -> Mapping[str, Topology]:
    """Return {name: topology} of the modules of this package."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Topology)]
    return {topology.name: topology for topology in found}


def find_topology(name: str) -> Topology:
    """Return the topology of that name.

    Raises:
        ValueError: if there is none; the message lists the choices.

    Examples:
        >>> from blazepose.topologies import find_topology
        >>> find_topology("upper_body").num_landmarks
        25
        >>> find_topology("hand")
        Traceback (most recent call last):
        blazepose.exceptions.InputError: unknown topology 'hand'; choose from full_body, upper_body
    """
    if name not in topologies():
        raise InputError(f"unknown topology {name!r}; choose from {', '.join(topologies())}")
    return topologies()[name]


def topology_of_outputs(outputs: Sequence[str]) -> Topology:
    """Return the topology whose network has these points, as metadata of weights name them.

    Raises:
        ValueError: if there is none.
    """
    for topology in topologies().values():
        if topology.outputs == tuple(outputs):
            return topology
    known = ", ".join(f"{topology.name} ({topology.num_outputs})" for topology in topologies().values())
    raise InputError(f"its {len(outputs)} points are those of no topology; known are {known}")
