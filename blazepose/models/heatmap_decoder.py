"""Landmarks decoded from their heatmaps inside the network, so that every runtime has them.

On hard poses the heatmaps are right more often than the regression, and MediaPipe uses them only within three
cells of it. runtime.decode computes the same with NumPy.
"""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from blazepose.decoding import PRIOR_CELLS, SHARPNESS
from blazepose.topology import NUM_AUXILIARY


class HeatmapDecoder(nn.Module):
    """Expected cell of each landmark under softmax(8 logits - distance from the regression² / (2 · 6²)).

    A landmark moves there from the regression by its presence, 0..1, of the way: the heatmap of a landmark
    outside the picture has no place for it. The auxiliary points, from which MediaPipe computes the next ROI,
    keep the regression.

    Args:
        heatmaps: 1x1 convolution to the heatmap logits. It is copied: where the softmax reads the tensor that
            is also an output of the file, LiteRT's GPU accelerator returns wrong heatmaps.
        map_size: side of the heatmaps in cells.
        crop_size: side of the crop in pixels.
        sharpness: factor of the logits.
        prior_cells: standard deviation of the Gaussian in cells; infinity for none.

    Examples:
        >>> import torch
        >>> from torch import nn
        >>> from blazepose.models.heatmap_decoder import HeatmapDecoder
        >>> heads = nn.Conv2d(39, 39, 1, bias=False)  # features that are the heatmaps themselves
        >>> heads.weight.data = torch.eye(39)[:, :, None, None]
        >>> features = torch.full((1, 39, 64, 64), -10.0)
        >>> features[:, :, 32, 40] = 10  # row 32, column 40
        >>> regressed, presence = torch.full((1, 39, 2), 128.0), torch.full((1, 39, 1), 20.0)
        >>> decoded = HeatmapDecoder(heads, 64, 256)(features, regressed, presence)
        >>> decoded[0, 0].tolist(), decoded[0, 38].tolist()  # the nose; an auxiliary point
        ([160.0, 128.0], [128.0, 128.0])
    """

    prior: Tensor
    prior_bias: Tensor
    cells_px: Tensor
    center_px: Tensor
    moved: Tensor

    def __init__(
        self,
        heatmaps: nn.Conv2d,
        map_size: int,
        crop_size: int,
        sharpness: float = SHARPNESS,
        prior_cells: float = PRIOR_CELLS,
    ) -> None:
        super().__init__()
        self.logits = copy.deepcopy(heatmaps)
        with torch.no_grad():
            for parameter in self.logits.parameters():
                parameter.mul_(sharpness)
        cell_px, center_px = crop_size / map_size, (map_size - 1) / map_size * crop_size / 2
        offsets = torch.arange(map_size) * cell_px - center_px
        rows, columns = torch.meshgrid(offsets, offsets, indexing="ij")
        # Around the center of the map: larger numbers would lose digits in half precision.
        cells_px = torch.stack([columns.flatten(), rows.flatten()])
        prior = cells_px.T / (prior_cells * cell_px) ** 2
        points = heatmaps.out_channels
        moved = (torch.arange(points) < points - NUM_AUXILIARY).float()[:, None]
        # Constants: computed in the graph, they would need integers, which accelerators do not take.
        constants = {
            "prior": prior[:, :, None, None],
            "prior_bias": -(prior * (cells_px.T / 2 + center_px)).sum(dim=1),
            "cells_px": cells_px[:, :, None, None],
            "center_px": torch.full((2,), center_px),
            "moved": moved,
        }
        for name, constant in constants.items():
            self.register_buffer(name, constant)

    def forward(
        self,
        features: Float[Tensor, "batch channels rows columns"],
        regressed: Float[Tensor, "batch points 2"],
        presence: Float[Tensor, "batch points 1"],
    ) -> Float[Tensor, "batch points 2"]:
        """Decode x and y, crop pixels.

        Args:
            features: input of the heatmap convolution.
            regressed: x and y of the regression, crop pixels.
            presence: logits.
        """
        # 1x1 convolutions over the points: LiteRT's GPU accelerator computes a fully connected layer for the
        # first point only, and returns its result for all.
        # Of the squared distance, only what differs between cells: the softmax ignores the rest.
        # Channels last between them, as the exported file stores them: other layouts cost a copy each.
        points = regressed.permute(0, 2, 1)[..., None]
        prior = functional.conv2d(points, self.prior, self.prior_bias).permute(0, 2, 3, 1)
        weights = torch.softmax(self.logits(features).flatten(2)[:, :, None] + prior, dim=3)
        expected = functional.conv2d(weights.permute(0, 3, 1, 2), self.cells_px, self.center_px)
        expected = expected[..., 0].permute(0, 2, 1)
        return regressed + presence.sigmoid() * self.moved * (expected - regressed)
