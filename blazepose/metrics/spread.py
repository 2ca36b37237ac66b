"""Variance of the predictions relative to the labels, an early sign of collapse to the mean pose."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from blazepose.metrics.pck_metric import first_occurrences


class VarianceRatio(Metric):
    """Variance of predictions over people divided by that of the labels, pooled over coordinates.

    0 is the collapse to one pose. Each sample index counts once, as in PckMetric.
    """

    full_state_update = False
    index: list[Tensor]
    predicted: list[Tensor]
    target: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for state in ("index", "predicted", "target"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(
        self,
        index: Int[Tensor, " batch"],
        predicted: Float[Tensor, "batch points 2"],
        target: Float[Tensor, "batch points 2"],
        labelled: Bool[Tensor, "batch points"],
    ) -> None:
        """Add a batch: positions in the data set, predictions and labels in one unit, and valid points."""
        self.index.append(index)
        self.predicted.append(torch.where(labelled[..., None], predicted.float(), torch.nan).flatten(1))
        self.target.append(torch.where(labelled[..., None], target.float(), torch.nan).flatten(1))

    def compute(self) -> Tensor:
        """Compute the ratio; NaN if no coordinate is labelled for two people."""
        if not self._update_count:
            return torch.tensor(torch.nan)
        index, predicted, target = (
            dim_zero_cat(state) for state in (self.index, self.predicted, self.target)
        )
        rows = first_occurrences(index)
        return _variance(predicted[rows]).nansum() / _variance(target[rows]).nansum()


def _variance(values: Float[Tensor, "people coordinates"]) -> Float[Tensor, " coordinates"]:
    return (values - values.nanmean(dim=0)).square().nanmean(dim=0)
