"""Defaults of the landmark network's training."""

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.targets.heatmaps import SIGMA_CELLS


def test_heatmaps_are_trained_at_the_width_of_googles():
    assert LandmarkLossConfig().heatmap_sigma == SIGMA_CELLS
