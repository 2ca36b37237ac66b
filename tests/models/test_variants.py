"""Names of variants and wirings."""

import pytest

from blazepose.models.variants import landmark_variant


def test_unknown_model_lists_the_choices():
    with pytest.raises(ValueError, match=r"unknown model 'tiny'.*lite, full, heavy, paper_full, paper_lite"):
        landmark_variant("tiny", "mediapipe")


def test_unknown_wiring_lists_the_choices():
    with pytest.raises(ValueError, match=r"unknown wiring 'mine'.*mediapipe, paper"):
        landmark_variant("lite", "mine")
