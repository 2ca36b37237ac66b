from dataclasses import replace

import numpy as np

from blazepose.evaluation.predictions import missed_person
from blazepose.evaluation.report.caveats import list_caveats
from blazepose.evaluation.results import results
from blazepose.topology import INDEX
from tests.evaluation.crowd import source_of
from tests.evaluation.judged import answer, judged, somebody


def test_what_fits_needs_no_remark():
    scored = judged([somebody(0)], [answer(somebody(0), [0.0] * 6)])
    assert list_caveats(results(scored), [source_of(scored.annotations)], 1) == []


def test_predictions_of_others_and_nan_are_told_and_nan_is_wrong():
    people = [somebody(0), somebody(1)]
    answers = [answer(one, [0.0] * 6) for one in people]
    answers[0].landmarks[INDEX["left_wrist"]] = np.nan
    figures = results(judged(people, answers))
    assert figures["pck@0.2"] == round(100 * 11 / 12, 4)
    assert (figures["num_nan"], figures["mean_error"]) == ({"landmarks": 1}, 0)
    assert list_caveats(figures, [source_of(people)], 5) == [
        "3 predictions are about nobody who is scored, and are left out",
        "1 points are predicted as NaN or infinity, and count as wrong; mean errors are of the others",
    ]


def test_nan_of_every_output_is_told():
    """Of the first of two people; the second was not found, which is told elsewhere."""
    people = [
        replace(somebody(k, [1] * 6), landmarks_world=np.ones((33, 3)), image_size=(160, 120)) for k in (0, 1)
    ]
    world = np.ones((33, 3))
    world[INDEX["left_knee"]] = np.inf
    said = answer(people[0], [0.0] * 6, [1.0] * 4 + [np.nan] * 2)
    said.landmarks[INDEX["left_hip"], 4] = np.nan
    raw = said.landmarks[:, :2].copy()
    raw[[INDEX["left_hip"], INDEX["right_hip"]]] = np.nan
    said = replace(said, landmarks_world=world, landmarks_raw=raw, pose_presence=np.nan)
    lost = missed_person("im1.png", "1", "lsp", "detector", said.roi, None)
    figures = results(judged(people, [said, lost]))
    assert figures["num_nan"] == {
        "landmarks_raw": 2,
        "visibility": 2,
        "presence": 1,
        "landmarks_world": 1,
        "pose_presence": 1,
    }
    assert figures["pdj@0.2"] == round(100 * 4 / 12, 4)
    assert figures["pck@0.2_raw"] == round(100 * 4 / 12, 4)
    assert figures["mpjpe_mm"] == 0
    said_of_them = list_caveats(figures, [source_of(people)], 2)
    assert [sentence.split(" predicted")[0] for sentence in said_of_them][2:4] == [
        "the presence of 1 points is",
        "1 world landmarks are",
    ]


def test_pdj_of_fewer_people_is_told():
    people = [somebody(0, [1] * 6), somebody(1)]
    figures = results(judged(people, [answer(one, [0.0] * 6) for one in people]))
    assert list_caveats(figures, [source_of(people)], 2) == [
        "PDJ@0.2 is of the 1 people whose visibility is labelled and told, PCK@0.2 of all"
    ]


def test_a_regression_of_nothing_but_nan_is_wrong():
    """Of one of three people; infinity is NaN, too."""
    people = [somebody(k) for k in range(3)]
    said = [
        replace(one, landmarks_raw=one.landmarks[:, :2]) for one in (answer(p, [0.0] * 6) for p in people)
    ]
    for wrong in (np.nan, np.inf):
        said[1] = replace(said[1], landmarks_raw=np.full((33, 2), wrong))
        figures = results(judged(people, said))
        assert figures["pck@0.2_raw"] == round(200 / 3, 4)
        assert figures["num_nan"] == {"landmarks_raw": 6}


def test_mixed_skeletons_and_synthetic_people_are_told():
    """Two files of one reader may label different points, too."""
    people = [somebody(0), somebody(1)]
    people[1].labelled[INDEX["nose"]] = True
    figures = results(judged(people, [answer(one, [0.0] * 6) for one in people]))
    sources = [source_of([one], name=f"synthetic:{k}") for k, one in enumerate(people)]
    sources[1] = replace(sources[1], reader="synthetic")
    assert list_caveats(figures, sources, 2) == [
        "people of synthetic:1 are synthetic: what holds for them need not hold for photographs",
        "sources label different landmarks (synthetic:0 6, synthetic:1 7), so that pooled figures mix "
        "skeletons",
    ]
