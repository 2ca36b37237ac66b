"""Image sheets."""

import numpy as np

from blazepose.data.dataset import PoseDataset
from blazepose.data.person_mask import BACKGROUND, PERSON
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.training.sample_images import draw_labels


def test_the_mask_is_tinted_and_nothing_else(tiny_rendered):
    people = PoseDataset([read_source(f"synthetic:{tiny_rendered}")], LANDMARK_INPUT)
    sample = people[0]
    before, mask = sample["image"].copy(), sample["mask"].copy()
    sample["labelled"][:] = False
    drawn = draw_labels(sample)
    assert (sample["image"] == before).all()
    assert (drawn[mask <= BACKGROUND] == before[mask <= BACKGROUND]).all()
    inside = mask == PERSON
    assert inside.sum() > 1000
    np.testing.assert_allclose(drawn[inside], before[inside] / 1.5 + np.array([0, 200, 0]) / 3, atol=1)
