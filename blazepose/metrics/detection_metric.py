"""Detection metrics as a torchmetrics metric, for validation loops on one or several processes."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from blazepose.metrics.detection import Matches, detection_metrics

_COLUMNS = 5
"""Columns of the wider table of Matches."""


class DetectionMetric(Metric):
    """metrics.detection over a validation set.

    Args:
        rank: rank of this process. A distributed sampler that pads its last batch gives an image to two
            processes; the lower rank counts.
    """

    full_state_update = False
    detections: list[Tensor]
    people: list[Tensor]

    def __init__(self, rank: int = 0) -> None:
        super().__init__()
        self.rank = rank
        for state in ("detections", "people"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(self, index: int, matches: Matches) -> None:
        """Add an image by its position in the data set."""
        for state, rows in ((self.detections, matches.detections), (self.people, matches.people)):
            key = np.tile([index, self.rank], (len(rows), 1))
            table = torch.from_numpy(np.concatenate([key, rows], axis=1))
            state.append(table.to(self.device, torch.float32))

    def compute(self) -> Mapping[str, float]:
        """Compute metrics.detection.detection_metrics."""
        return detection_metrics(_deduplicate(self.detections), _deduplicate(self.people))


def _deduplicate(tables: list[Tensor]) -> np.ndarray:
    """Return the rows of each image from the lowest rank that has it, without index and rank."""
    if not len(tables):
        return np.zeros((0, _COLUMNS))
    rows = dim_zero_cat(tables).cpu().numpy()
    index, rank = rows[:, 0].astype(int), rows[:, 1]
    first = np.full(index.max(initial=-1) + 1, np.inf)
    np.minimum.at(first, index, rank)
    return rows[rank == first[index], 2:]
