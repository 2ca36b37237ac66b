"""Landmarks by body part, and the subsets of other data sets."""

from collections.abc import Mapping

from blazepose.skeletons import COCO17, LSP14
from blazepose.topologies.full_body import INDEX, NUM_LANDMARKS


def _both(*names: str) -> list[int]:
    return [INDEX[f"{side}_{name}"] for name in names for side in ("left", "right")]


PARTS: Mapping[str, list[int]] = {
    "face": list(range(INDEX["mouth_right"] + 1)),
    "shoulders": _both("shoulder"),
    "elbows": _both("elbow"),
    "wrists": _both("wrist"),
    "hands": _both("pinky", "index", "thumb"),
    "hips": _both("hip"),
    "knees": _both("knee"),
    "ankles": _both("ankle"),
    "feet": _both("heel", "foot_index"),
}
"""A partition of the landmarks."""

SUBSETS: Mapping[str, list[int]] = {
    "coco17": [INDEX[name] for name in COCO17.values()],
    "lsp12": [INDEX[name] for name in LSP14.values()],
    "upper_body": [k for k in range(NUM_LANDMARKS) if k <= INDEX["right_hip"]],
}
"""Landmarks of COCO and LSP, and those down to the hips, as in MediaPipe's first model."""
