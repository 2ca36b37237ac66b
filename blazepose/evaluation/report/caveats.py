"""Caveats of an evaluation: what limits its metrics, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blazepose.data.annotation import Source
from blazepose.skeletons import COCO17
from blazepose.topologies import find_topology

_NAN = {
    "landmarks": "landmarks predicted as NaN or infinity: {}; they count as wrong, and mean errors exclude "
    "them",
    "landmarks_raw": "regression outputs predicted as NaN or infinity: {}; they count as wrong",
    "visibility": "visibility values predicted as NaN or infinity: {}; they count as wrong",
    "presence": "presence values predicted as NaN or infinity: {}; they count as wrong",
    "landmarks_world": "world landmarks predicted as NaN or infinity: {}; metrics in mm, of height and of "
    "bones exclude them, and people whose hips are among them",
    "pose_presence": "pose scores predicted as NaN or infinity: {}; they count as 0",
}
"""Sentence for each output counted in num_nan of results.json."""


def list_caveats(metrics: Mapping[str, Any], sources: Sequence[Source], num_predictions: int) -> list[str]:
    """List the caveats: notes of the sources, unmatched predictions, NaN outputs, mixed labels.

    Args:
        metrics: the metrics, as evaluation.results returns them.
        sources: the sources of the people.
        num_predictions: number of predictions in the file.
    """
    caveats = [note for source in sources for note in source.notes]
    if unmatched := num_predictions - metrics["num_people"]:
        caveats.append(f"{unmatched} predictions match no scored person, and are ignored")
    scored = set(metrics["landmarks"] or find_topology(metrics["topology"]).landmarks)
    num_coco = len(scored & set(COCO17.values()))
    if metrics["oks_ap"] is not None and num_coco < len(COCO17):
        caveats.append(f"OKS covers {num_coco} of COCO's {len(COCO17)} keypoints, those that are scored")
    if rendered := [source.name for source in sources if source.reader == "synthetic"]:
        names = ", ".join(rendered)
        caveats.append(f"people of {names} are synthetic: results may not transfer to photographs")
    caveats += [_NAN[output].format(count) for output, count in metrics["num_nan"].items()]
    if 0 < (with_visibility := metrics["num_people_pdj"]) < metrics["num_people"]:
        caveats.append(
            f"PDJ@0.2 covers the {with_visibility} people with labelled and predicted visibility, PCK@0.2 "
            "all people"
        )
    labelled = {
        source.name: np.logical_or.reduce([person.labelled for person in source.annotations])
        for source in sources
        if source.annotations
    }
    if len({points.tobytes() for points in labelled.values()}) > 1:
        counts = ", ".join(f"{name} {points.sum()}" for name, points in labelled.items())
        caveats.append(f"sources label different landmarks ({counts}), so pooled metrics mix skeletons")
    return caveats
