"""Landmarks by body part, and the subsets of other data sets."""

from collections.abc import Mapping

from blazepose.skeletons import COCO17, LSP14
from blazepose.topologies import FULL_BODY, find_topology
from blazepose.topology import Topology


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in ("left", "right"))


PARTS: Mapping[str, tuple[str, ...]] = {
    "face": FULL_BODY.landmarks[: FULL_BODY.index["left_shoulder"]],
    "shoulders": _both("shoulder"),
    "elbows": _both("elbow"),
    "wrists": _both("wrist"),
    "hands": _both("pinky", "index", "thumb"),
    "hips": _both("hip"),
    "knees": _both("knee"),
    "ankles": _both("ankle"),
    "feet": _both("heel", "foot_index"),
}
"""A partition of the landmarks: their names by body part."""

SUBSETS: Mapping[str, tuple[str, ...]] = {
    "coco17": tuple(COCO17.values()),
    "lsp12": tuple(LSP14.values()),
    "upper_body": find_topology("upper_body").landmarks,
}
"""Landmarks of COCO and LSP, and those down to the hips, as in MediaPipe's first model."""


def indices_by_name(groups: Mapping[str, tuple[str, ...]], topology: Topology) -> dict[str, list[int]]:
    """Return the indices of each group's landmarks that a topology has; empty for a group without."""
    return {
        group: topology.indices(name for name in names if name in topology.landmarks)
        for group, names in groups.items()
    }
