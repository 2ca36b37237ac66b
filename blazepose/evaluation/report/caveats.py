"""What has to be known beside the figures of an evaluation, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blazepose.data.annotation import Source

_NAN = {
    "landmarks": "{} points are predicted as NaN or infinity, and count as wrong; mean errors are of the "
    "others",
    "landmarks_raw": "of the regression output alone, {} points are NaN or infinity, and count as wrong",
    "visibility": "the visibility of {} points is predicted as NaN or infinity, and counts as wrong",
    "presence": "the presence of {} points is predicted as NaN or infinity, and counts as wrong",
    "landmarks_world": "{} world landmarks are predicted as NaN or infinity; figures in millimetres, of "
    "height and of bones are of the others, and of nobody's points whose hips are among them",
    "pose_presence": "the pose score of {} people is predicted as NaN or infinity, and counts as 0",
}
"""What is said of each output of results.json, num_nan."""


def list_caveats(figures: Mapping[str, Any], sources: Sequence[Source], num_predictions: int) -> list[str]:
    """Sentences about people and predictions that do not fit each other wholly.

    Args:
        figures: of evaluation.results.
        sources: of the people.
        num_predictions: that there are.
    """
    found = [note for source in sources for note in source.notes]
    if rest := num_predictions - figures["num_people"]:
        found.append(f"{rest} predictions are about nobody who is scored, and are left out")
    if rendered := [source.name for source in sources if source.reader == "synthetic"]:
        names = ", ".join(rendered)
        found.append(f"people of {names} are synthetic: what holds for them need not hold for photographs")
    found += [_NAN[output].format(count) for output, count in figures["num_nan"].items()]
    if 0 < (told := figures["num_people_pdj"]) < figures["num_people"]:
        found.append(f"PDJ@0.2 is of the {told} people whose visibility is labelled and told, PCK@0.2 of all")
    labelled = {
        source.name: np.logical_or.reduce([person.labelled for person in source.annotations])
        for source in sources
        if source.annotations
    }
    if len({points.tobytes() for points in labelled.values()}) > 1:
        counts = ", ".join(f"{name} {points.sum()}" for name, points in labelled.items())
        found.append(f"sources label different landmarks ({counts}), so that pooled figures mix skeletons")
    return found
