"""Predictions of networks of different topologies, on the landmarks that all of them have."""

from collections.abc import Sequence
from dataclasses import replace

from blazepose.evaluation.predictions import Prediction
from blazepose.exceptions import InputError
from blazepose.topology import Topology


def select_landmarks(prediction: Prediction, topology: Topology) -> Prediction:
    """Return a prediction with the landmarks of a topology alone, all of which it has to have."""
    own = prediction.supervised.topology
    if own == topology:
        return prediction
    points, raw, world = own.indices(topology.landmarks), prediction.landmarks_raw, prediction.landmarks_world
    return replace(
        prediction,
        landmarks=prediction.landmarks[points],
        landmarks_raw=None if raw is None else raw[points],
        landmarks_world=None if world is None else world[points],
        supervised=replace(prediction.supervised, topology=topology),
    )


def common_topology(networks: Sequence[Topology]) -> Topology:
    """Return the topology whose landmarks all of these have.

    Raises:
        ValueError: if there is none among them.
    """
    fewest = min(networks, key=lambda topology: topology.num_landmarks)
    for topology in networks:
        if not set(fewest.landmarks) <= set(topology.landmarks):
            raise InputError(
                f"{topology.name} lacks landmarks of {fewest.name}: evaluate each network by itself, with "
                "`blazepose eval landmarks=[NAME, ...]` on the landmarks that both have"
            )
    return fewest
