"""Supervised outputs of weights; without torch, for code that only reads metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

Kind = Literal["landmarks", "visibility", "heatmaps", "outputs"]
KINDS: tuple[Kind, ...] = ("landmarks", "visibility", "heatmaps", "outputs")
"""Fields of SupervisedOutputs, in the order of the metadata."""


class TrainableOutput(NamedTuple):
    """How an output is trained.

    Attributes:
        loss: name of its loss term, and of the weight of that term (config.landmark).
        stage: stage that trains it; the joint stage does, too (training.stages).
    """

    loss: str
    stage: Literal["heatmap", "regression"]


TRAINABLE_OUTPUTS = {
    "heatmaps": TrainableOutput("heatmap", "heatmap"),
    "presence": TrainableOutput("presence", "regression"),
    "visibility": TrainableOutput("visibility", "regression"),
    "z": TrainableOutput("z", "regression"),
    "world": TrainableOutput("world", "regression"),
    "pose": TrainableOutput("pose", "regression"),
    "segmentation": TrainableOutput("segmentation", "heatmap"),
}
"""Outputs that labels may supervise beside x and y of the landmarks, by name."""


@dataclass(frozen=True)
class SupervisedOutputs:
    """What the labels of a training supervise; "trained" in the metadata of the weights.

    Attributes:
        landmarks: regressed landmarks.
        visibility: landmarks with a visibility.
        heatmaps: landmarks with a heatmap.
        outputs: names of TRAINABLE_OUTPUTS.
        recorded: fields that the metadata contain; none for foreign weights, of which all outputs count as
            supervised.
        topology: landmarks of the network.
    """

    landmarks: tuple[str, ...] = ()
    visibility: tuple[str, ...] = ()
    heatmaps: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    recorded: tuple[Kind, ...] = KINDS
    topology: Topology = FULL_BODY

    @classmethod
    def everything(
        cls, recorded: tuple[Kind, ...] = KINDS, topology: Topology = FULL_BODY
    ) -> "SupervisedOutputs":
        """Return all landmarks and outputs."""
        names = topology.landmarks
        return cls(names, names, names, tuple(TRAINABLE_OUTPUTS), recorded, topology)

    @classmethod
    def from_metadata(
        cls, trained: Mapping[str, Sequence[str]] | None, topology: Topology = FULL_BODY
    ) -> "SupervisedOutputs":
        """Read "trained" of the metadata of weights.

        Args:
            trained: names by field; missing fields are empty. None for weights without this metadata.
            topology: landmarks of the network.
        """
        if trained is None:
            return cls.everything(recorded=(), topology=topology)
        recorded = tuple(kind for kind in KINDS if kind in trained)
        fields = {kind: tuple(trained[kind]) for kind in recorded}
        return cls(**fields, recorded=recorded, topology=topology)

    def as_metadata(self) -> dict[str, list[str]] | None:
        """Return "trained" of the metadata, with the fields that from_metadata read."""
        return {kind: list(getattr(self, kind)) for kind in self.recorded} or None

    def merge(self, later: "SupervisedOutputs") -> "SupervisedOutputs":
        """Return the outputs that these or a later training supervise."""
        pairs = {kind: (getattr(self, kind), getattr(later, kind)) for kind in KINDS}
        merged = {kind: tuple(dict.fromkeys(before + after)) for kind, (before, after) in pairs.items()}
        return SupervisedOutputs(**merged, topology=self.topology)

    def without(self, *names: str) -> "SupervisedOutputs":
        """Return the others: for a network, or a file, that lacks some of TRAINABLE_OUTPUTS."""
        outputs = tuple(name for name in self.outputs if name not in names)
        return replace(self, outputs=outputs, heatmaps=() if "heatmaps" in names else self.heatmaps)

    @property
    def has_heatmaps(self) -> bool:
        """Whether the heatmaps of all landmarks, and what decodes them, were trained."""
        return set(self.landmarks) <= set(self.heatmaps) and "presence" in self.outputs

    def mask(self, kind: Kind) -> np.ndarray:
        """Return a mask of the landmarks in a field, bool (landmarks,)."""
        return np.isin(self.topology.landmarks, getattr(self, kind))

    def describe(self, verb: str = "trained") -> str:
        """Return a line about the outputs that weights were trained on, and those that they were not.

        Args:
            verb: verb of the line; "supervised" for the labels of a run, which may distill the others.
        """
        if not self.recorded:
            return "trained outputs: unknown, not in the weights' metadata"
        missing = [name for name in TRAINABLE_OUTPUTS if name not in self.outputs]
        count = self.topology.num_landmarks
        if len(self.landmarks) < count:
            missing.insert(0, "the other landmarks")
        text = f"{verb}: {len(self.landmarks)} of {count} landmarks, {', '.join(self.outputs)}"
        return f"{text}; not {verb}: {', '.join(missing)}" if missing else text
