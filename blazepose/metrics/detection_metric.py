"""The detector's figures as a torchmetrics metric, for validation loops on one or several processes."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from blazepose.metrics.detection import Matches, detection_metrics

_COLUMNS = 5
"""As many as the wider of metrics.detection's tables has."""


class DetectionMetric(Metric):
    """metrics.detection over a validation set.

    Args:
        rank: of this process. A distributed sampler that pads its last batch shows a picture to two of them;
            the first one's counts.
    """

    full_state_update = False
    answers: list[Tensor]
    people: list[Tensor]

    def __init__(self, rank: int = 0) -> None:
        super().__init__()
        self.rank = rank
        for state in ("answers", "people"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(self, picture: int, judged: Matches) -> None:
        """Add a picture by its position in the data set."""
        for state, rows in ((self.answers, judged.answers), (self.people, judged.people)):
            where = np.tile([picture, self.rank], (len(rows), 1))
            table = torch.from_numpy(np.concatenate([where, rows], axis=1))
            state.append(table.to(self.device, torch.float32))

    def compute(self) -> Mapping[str, float]:
        """The figures of metrics.detection.detection_figures."""
        return detection_metrics(_once(self.answers), _once(self.people))


def _once(tables: list[Tensor]) -> np.ndarray:
    """Rows of each picture from the first process that saw it, without picture and process."""
    if not len(tables):
        return np.zeros((0, _COLUMNS))
    rows = dim_zero_cat(tables).cpu().numpy()
    picture, rank = rows[:, 0].astype(int), rows[:, 1]
    first = np.full(picture.max(initial=-1) + 1, np.inf)
    np.minimum.at(first, picture, rank)
    return rows[rank == first[picture], 2:]
