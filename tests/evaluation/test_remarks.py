from dataclasses import replace

import numpy as np

from blazepose.evaluation.remarks import remarks
from blazepose.evaluation.results import results
from blazepose.topology import INDEX
from tests.evaluation.crowd import source_of
from tests.evaluation.judged import answer, judged, somebody


def test_what_fits_needs_no_remark():
    scored = judged([somebody(0)], [answer(somebody(0), [0.0] * 6)])
    assert remarks(results(scored), [source_of(scored.annotations)], 1) == []


def test_predictions_of_others_and_nan_are_told_and_nan_is_wrong():
    people = [somebody(0), somebody(1)]
    answers = [answer(one, [0.0] * 6) for one in people]
    answers[0].landmarks[INDEX["left_wrist"]] = np.nan
    figures = results(judged(people, answers))
    assert figures["pck@0.2"] == round(100 * 11 / 12, 4)
    assert (figures["num_nan"], figures["mean_error"]) == (1, 0)
    assert remarks(figures, [source_of(people)], 5) == [
        "3 predictions are about nobody who is scored, and are left out",
        "1 points are predicted as NaN or infinity, and count as wrong",
    ]


def test_mixed_skeletons_and_synthetic_people_are_told():
    """Two files of one reader may label different points, too."""
    people = [somebody(0), somebody(1)]
    people[1].labelled[INDEX["nose"]] = True
    figures = results(judged(people, [answer(one, [0.0] * 6) for one in people]))
    sources = [source_of([one], name=f"synthetic:{k}") for k, one in enumerate(people)]
    sources[1] = replace(sources[1], reader="synthetic")
    assert remarks(figures, sources, 2) == [
        "people of synthetic:1 are synthetic: what holds for them need not hold for photographs",
        "sources label different landmarks (synthetic:0 6, synthetic:1 7), so that pooled figures mix "
        "skeletons",
    ]
