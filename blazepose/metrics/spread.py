"""Does the prediction vary as the labels do? The collapse to one mean pose shows here first."""

import torch
from torch import Tensor
from torchmetrics import Metric


class VarianceRatio(Metric):
    """Variance of predictions over people divided by that of the labels, averaged over coordinates.

    Args:
        coordinates: number of coordinates of one person.
    """

    count: Tensor
    predicted: Tensor
    predicted_squared: Tensor
    target: Tensor
    target_squared: Tensor

    def __init__(self, coordinates: int) -> None:
        super().__init__()
        for name in ("count", "predicted", "predicted_squared", "target", "target_squared"):
            self.add_state(name, torch.zeros(coordinates, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: Tensor, target: Tensor, labelled: Tensor) -> None:
        """Add people: predicted and target (people, coordinates), labelled (people, coordinates) bool."""
        known = labelled.to(self.count.device)
        for name, values in (("predicted", predicted), ("target", target)):
            values = torch.where(known, values.to(self.count), 0)
            setattr(self, name, getattr(self, name) + values.sum(dim=0))
            setattr(self, f"{name}_squared", getattr(self, f"{name}_squared") + values.square().sum(dim=0))
        self.count = self.count + known.sum(dim=0)

    def compute(self) -> Tensor:
        """The ratio, pooled over the coordinates labelled for at least two people; nan if none is."""
        use = self.count >= 2
        count = self.count[use]
        predicted = self.predicted_squared[use] / count - (self.predicted[use] / count).square()
        target = self.target_squared[use] / count - (self.target[use] / count).square()
        return (predicted.sum() / target.sum()).float()
