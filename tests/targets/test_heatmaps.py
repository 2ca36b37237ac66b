"""Heatmap and offset targets, their decoding, and MediaPipe's refinement of them."""

import numpy as np
import pytest
import torch

from blazepose.runtime.decode import refine_by_heatmap
from blazepose.targets.heatmaps import SIGMA_CELLS, decode_heatmaps, encode_heatmaps, encode_offsets

POINTS = torch.tensor([[[0.25, 0.5], [0.3137, 0.7071], [0.0, 0.984]]])


def test_peak_is_at_64x_64y_without_half_a_cell():
    heatmap = encode_heatmaps(torch.tensor([[[0.25, 0.5]]]), 64)[0, 0]
    assert heatmap[32, 16] == 1
    assert heatmap.argmax() == 32 * 64 + 16
    assert heatmap[32, 18] == heatmap[30, 16] == pytest.approx(np.exp(-0.5 * (2 / SIGMA_CELLS) ** 2))


def test_sigma_is_in_cells_of_the_map():
    small, large = (encode_heatmaps(torch.tensor([[[0.5, 0.5]]]), size, sigma=3.0)[0, 0] for size in (32, 64))
    assert small[16, 19] == large[32, 35] == pytest.approx(np.exp(-0.5))


def test_positions_are_not_truncated():
    a, b = encode_heatmaps(torch.tensor([[[0.5, 0.5], [0.5 + 0.3 / 64, 0.5]]]), 64)[0]
    assert b[32, 33] > a[32, 33]


def test_heatmap_and_offset_decode_to_sub_cell_accuracy():
    heatmaps = encode_heatmaps(POINTS, 64)
    offsets, near = encode_offsets(POINTS, 64)
    torch.testing.assert_close(decode_heatmaps(heatmaps, offsets), POINTS, atol=1e-6, rtol=0)
    assert (decode_heatmaps(heatmaps) - POINTS).abs().max() <= 0.5 / 64
    assert near[0, 0, 32, 16]
    assert near[0, 0, 32, 19]
    assert not near[0, 0, 32, 20]


def test_offsets_point_from_the_cell_to_the_point():
    offsets, _ = encode_offsets(torch.tensor([[[16.25 / 64, 32.5 / 64]]]), 64)
    assert offsets[0, 0, :, 30, 18].tolist() == pytest.approx([-1.75, 2.5])


def test_mediapipes_refinement_finds_the_target():
    """A regression two cells off comes back to the point when the heatmap is the target itself."""
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform(0.2, 0.8, (1, 39, 2))).float()
    targets = encode_heatmaps(points, 64).clamp(1e-4, 1 - 1e-4)
    logits = torch.logit(targets).permute(0, 2, 3, 1).numpy()
    start = points.numpy() + rng.uniform(-1.5, 1.5, points.shape).astype(np.float32) / 64
    refined = refine_by_heatmap(start, logits)
    before, after = (np.linalg.norm(p - points.numpy(), axis=2) * 64 for p in (start, refined))
    assert after.mean() < 0.4 * before.mean()
    exact = refine_by_heatmap(points.numpy(), logits)
    assert (
        np.linalg.norm(exact - points.numpy(), axis=2).max() * 64 < 0.25
    )  # the window is cut at whole cells


def test_point_outside_leaves_only_its_tail():
    heatmap = encode_heatmaps(torch.tensor([[[1.5, 0.5]]]), 64)
    assert heatmap.max() < 1e-6
