"""What has to be known beside the figures of an evaluation, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blazepose.data.annotation import Source


def remarks(figures: Mapping[str, Any], sources: Sequence[Source], num_predictions: int) -> list[str]:
    """Sentences about people and predictions that do not fit each other wholly.

    Args:
        figures: of evaluation.results.
        sources: of the people.
        num_predictions: that there are.
    """
    found = []
    if rest := num_predictions - figures["num_people"]:
        found.append(f"{rest} predictions are about nobody who is scored, and are left out")
    if rendered := [source.name for source in sources if source.reader == "synthetic"]:
        names = ", ".join(rendered)
        found.append(f"people of {names} are synthetic: what holds for them need not hold for photographs")
    if wrong := figures["num_nan"]:
        found.append(f"{wrong} points are predicted as NaN or infinity, and count as wrong")
    labelled = {
        source.name: np.logical_or.reduce([person.labelled for person in source.annotations])
        for source in sources
        if source.annotations
    }
    if len({points.tobytes() for points in labelled.values()}) > 1:
        counts = ", ".join(f"{name} {points.sum()}" for name, points in labelled.items())
        found.append(f"sources label different landmarks ({counts}), so that pooled figures mix skeletons")
    return found
