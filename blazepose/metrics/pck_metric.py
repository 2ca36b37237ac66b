"""PCK as a torchmetrics metric, for validation loops on one or several processes."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from blazepose.metrics.pck import PCK_THRESHOLD, TORSOS
from blazepose.topologies import FULL_BODY
from blazepose.topology import HIPS, SHOULDERS, Topology


def torso_across(
    points: Float[Tensor, "batch points 2"],
    labelled: Bool[Tensor, "batch points"],
    topology: Topology = FULL_BODY,
) -> Float[Tensor, " batch"]:
    """Compute torso sizes by the definition `across` on the points' device, as metrics.pck.torso_size.

    Labels count only where a substitute exists: unlabelled points of the whole body are not left out.
    """
    left, right, right_hip = topology.indices((*SHOULDERS, HIPS[1]))
    sizes = torch.linalg.vector_norm(points[:, left] - points[:, right_hip], dim=1)
    if not topology.roi.upward_by_head:
        return sizes
    widths = torch.linalg.vector_norm(points[:, left] - points[:, right], dim=1)
    return torch.where(labelled[:, right_hip], sizes, TORSOS["across"].shoulder_widths * widths)


class PckMetric(Metric):
    """PCK@0.2 and mean error over all labelled points of a validation set, in per cent.

    It keeps one row per person and counts each sample index once, so that the padding of a distributed
    sampler has no effect.

    Args:
        **options: of torchmetrics.Metric; `sync_on_compute=False` for one of several processes alone.
    """

    full_state_update = False
    index: list[Tensor]
    errors: list[Tensor]
    labelled: list[Tensor]
    usable: list[Tensor]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for state in ("index", "errors", "labelled", "usable"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(
        self,
        index: Int[Tensor, " batch"],
        predicted: Float[Tensor, "batch points 2"],
        target: Float[Tensor, "batch points 2"],
        labelled: Bool[Tensor, "batch points"],
        torso: Float[Tensor, " batch"],
    ) -> None:
        """Add a batch.

        Args:
            index: position of each sample in the data set.
            predicted: landmarks, in ROI coordinates or pixels.
            target: labels, in the same unit.
            labelled: scored points.
            torso: torso sizes in the same unit; people with NaN or 0 are left out and counted.
        """
        self.index.append(index)
        self.errors.append((predicted.float() - target).norm(dim=-1) / torso[:, None])
        self.labelled.append(labelled)
        self.usable.append(torso > 0)

    def compute(self) -> dict[str, Tensor]:
        """Compute `pck@0.2`, `mean_error` (NaN without scored points), `num_people` and `num_left_out`."""
        if len(self.index) == 0:
            nan, zero = torch.tensor(torch.nan), torch.tensor(0)
            return {"pck@0.2": nan, "mean_error": nan, "num_people": zero, "num_left_out": zero}
        rows = first_occurrences(dim_zero_cat(self.index))
        usable = dim_zero_cat(self.usable)[rows]
        counted = dim_zero_cat(self.labelled)[rows] & usable[:, None]
        errors = dim_zero_cat(self.errors)[rows][counted]
        return {
            "pck@0.2": 100 * (errors < PCK_THRESHOLD).float().mean(),
            "mean_error": 100 * errors.mean(),
            "num_people": usable.sum(),
            "num_left_out": (~usable).sum(),
        }


def first_occurrences(index: Int[Tensor, " rows"]) -> Int[Tensor, " people"]:
    """Return the row of the first occurrence of each index, in the order of the indices."""
    people, person = index.unique(return_inverse=True)
    rows = torch.arange(len(index), device=index.device)
    return torch.empty_like(people).scatter_reduce(0, person, rows, "amin", include_self=False)
