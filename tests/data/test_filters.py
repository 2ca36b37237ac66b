"""People left out of training, by reason."""

from dataclasses import replace

import numpy as np

from blazepose.config.landmark import PersonFilter
from blazepose.data.filters import EVALUATION_FILTER, filter_annotations
from blazepose.data.readers import read_source
from blazepose.topologies.full_body import LEFT_HIP, NUM_LANDMARKS, TORSO


def test_reasons_are_counted(tiny_lsp):
    whole = read_source(f"lsp:{tiny_lsp}").annotations[0]
    torso_only = replace(whole, labelled=np.isin(np.arange(NUM_LANDMARKS), TORSO))
    hipless = replace(whole, labelled=whole.labelled & (np.arange(NUM_LANDMARKS) != LEFT_HIP))
    small = replace(whole, landmarks_px=whole.landmarks_px / 4, extra_px=whole.extra_px / 4)
    people = [whole, torso_only, hipless, small, small]
    kept, dropped = filter_annotations(people, PersonFilter(min_side_px=60.0, min_labelled=5))
    assert kept == [whole]
    assert dropped == {
        "fewer landmarks labelled than filter.min_labelled=5": 1,
        "hips or shoulders not labelled": 1,
        "crop smaller than filter.min_side_px=60": 2,
    }
    kept, dropped = filter_annotations(people, EVALUATION_FILTER)
    assert kept == [whole, torso_only, small, small]
    assert dropped == {"hips or shoulders not labelled": 1}
