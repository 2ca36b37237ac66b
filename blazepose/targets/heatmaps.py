"""Heatmap and offset targets, and their decoding.

The grid is that of MediaPipe's refinement: point (x, y) in ROI coordinates peaks at column size * x,
row size * y, without half a cell. Source: docs/reference/mediapipe.md section 6.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SIGMA_CELLS = 1.4
"""Source: the shape of Google's full heatmaps around confident peaks (0.37 of the peak two cells away, 0.07
three cells away; lspet_val). A wider Gaussian is cut by the 7x7 window of MediaPipe's refinement, which
then shifts points towards the window's center: by up to 0.44 cells (1.8 px) for a sigma of 2."""

OFFSET_RADIUS_CELLS = 3.0
"""Radius of the offset targets. Chosen: the reach of the refinement window."""


def _distances(points_roi: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return signed distances from columns and rows to the points, in cells: two (batch, points, size)."""
    cells = torch.arange(size, device=points_roi.device, dtype=points_roi.dtype)
    return points_roi[..., 0:1] * size - cells, points_roi[..., 1:2] * size - cells


def encode_heatmaps(
    points_roi: Float[Tensor, "batch points 2"], size: int, sigma: float = SIGMA_CELLS
) -> Float[Tensor, "batch points {size} {size}"]:
    """Draw Gaussians of height 1 around the exact, sub-cell position of each point.

    Args:
        points_roi: positions in ROI coordinates; of points outside 0..1 at most the tail is in the map.
        size: side of the map, cells.
        sigma: standard deviation in cells of this grid.

    Examples:
        >>> import torch
        >>> from blazepose.targets.heatmaps import encode_heatmaps
        >>> heatmaps = encode_heatmaps(torch.tensor([[[0.5, 0.25]]]), size=64)
        >>> heatmaps.shape, heatmaps[0, 0, 16, 32].item()  # the peak: row 0.25 x 64, column 0.5 x 64
        (torch.Size([1, 1, 64, 64]), 1.0)
    """
    dx, dy = _distances(points_roi, size)
    scale = -0.5 / sigma**2
    return torch.exp(dy.square() * scale)[..., :, None] * torch.exp(dx.square() * scale)[..., None, :]


def encode_offsets(
    points_roi: Float[Tensor, "batch points 2"], size: int
) -> tuple[Float[Tensor, "batch points 2 {size} {size}"], Bool[Tensor, "batch points {size} {size}"]]:
    """Return the offset from each cell to the point, in cells, and a mask of the disc around the point."""
    dx, dy = _distances(points_roi, size)
    shape = (*points_roi.shape[:2], size, size)
    offsets = torch.stack([dx[..., None, :].expand(shape), dy[..., :, None].expand(shape)], dim=2)
    near = dy.square()[..., :, None] + dx.square()[..., None, :] <= OFFSET_RADIUS_CELLS**2
    return offsets, near


def decode_heatmaps(
    heatmaps: Float[Tensor, "batch points size size"],
    offsets: Float[Tensor, "batch points 2 size size"] | None = None,
) -> Float[Tensor, "batch points 2"]:
    """Return positions in ROI coordinates: the highest cell, moved by its offset if offsets are given.

    Examples:
        >>> import torch
        >>> from blazepose.targets.heatmaps import decode_heatmaps, encode_heatmaps, encode_offsets
        >>> point = torch.tensor([[[32.4 / 64, 0.25]]])
        >>> heatmaps, (offsets, _) = encode_heatmaps(point, 64), encode_offsets(point, 64)
        >>> round(decode_heatmaps(heatmaps)[0, 0, 0].item() * 64, 2)  # the cell
        32.0
        >>> round(decode_heatmaps(heatmaps, offsets)[0, 0, 0].item() * 64, 2)  # the exact position
        32.4
    """
    batch, points, size, _ = heatmaps.shape
    cell = heatmaps.flatten(2).argmax(dim=2)
    position = torch.stack([cell % size, cell // size], dim=2).to(heatmaps.dtype)
    if offsets is not None:
        index = cell[:, :, None, None].expand(batch, points, 2, 1)
        position = position + offsets.flatten(3).gather(3, index).squeeze(3)
    return position / size
