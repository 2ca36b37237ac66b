from dataclasses import replace

import numpy as np

from blazepose.evaluation.predictions import missed_person
from blazepose.evaluation.report.caveats import list_caveats
from blazepose.evaluation.results import results
from blazepose.topologies.full_body import INDEX
from tests.evaluation.crowd import source_of
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def test_no_caveats_when_everything_matches():
    scored = score_people([labelled_person(0)], [prediction_for(labelled_person(0), [0.0] * 6)])
    assert list_caveats(results(scored), [source_of(scored.annotations)], 1) == []


def test_unmatched_predictions_and_nan_are_caveats_and_nan_is_wrong():
    people = [labelled_person(0), labelled_person(1)]
    answers = [prediction_for(one, [0.0] * 6) for one in people]
    answers[0].landmarks[INDEX["left_wrist"]] = np.nan
    metrics = results(score_people(people, answers))
    assert metrics["pck@0.2"] == round(100 * 11 / 12, 4)
    assert (metrics["num_nan"], metrics["mean_error"]) == ({"landmarks": 1}, 0)
    assert list_caveats(metrics, [source_of(people)], 5) == [
        "3 predictions match no scored person, and are ignored",
        "landmarks predicted as NaN or infinity: 1; they count as wrong, and mean errors exclude them",
    ]


def test_nan_of_every_output_is_a_caveat():
    """NaN for the first of two people; the second is missed, which is reported elsewhere."""
    people = [
        replace(labelled_person(k, [1] * 6), landmarks_world=np.ones((33, 3)), image_size=(160, 120))
        for k in (0, 1)
    ]
    world = np.ones((33, 3))
    world[INDEX["left_knee"]] = np.inf
    predicted = prediction_for(people[0], [0.0] * 6, [1.0] * 4 + [np.nan] * 2)
    predicted.landmarks[INDEX["left_hip"], 4] = np.nan
    raw = predicted.landmarks[:, :2].copy()
    raw[[INDEX["left_hip"], INDEX["right_hip"]]] = np.nan
    predicted = replace(predicted, landmarks_world=world, landmarks_raw=raw, pose_presence=np.nan)
    missed = missed_person("im1.png", "1", "lsp", "detector", predicted.roi, predicted.supervised)
    metrics = results(score_people(people, [predicted, missed]))
    assert metrics["num_nan"] == {
        "landmarks_raw": 2,
        "visibility": 2,
        "presence": 1,
        "landmarks_world": 1,
        "pose_presence": 1,
    }
    assert metrics["pdj@0.2"] == round(100 * 4 / 12, 4)
    assert metrics["pck@0.2_raw"] == round(100 * 4 / 12, 4)
    assert metrics["mpjpe_mm"] == 0
    caveats = list_caveats(metrics, [source_of(people)], 2)
    assert [sentence.split(";")[0] for sentence in caveats][2:4] == [
        "presence values predicted as NaN or infinity: 1",
        "world landmarks predicted as NaN or infinity: 1",
    ]


def test_pdj_over_fewer_people_is_a_caveat():
    people = [labelled_person(0, [1] * 6), labelled_person(1)]
    metrics = results(score_people(people, [prediction_for(one, [0.0] * 6) for one in people]))
    assert list_caveats(metrics, [source_of(people)], 2) == [
        "PDJ@0.2 covers the 1 people with labelled and predicted visibility, PCK@0.2 all people"
    ]


def test_a_regression_of_only_nan_is_wrong():
    """NaN or infinity for one of three people."""
    people = [labelled_person(k) for k in range(3)]
    predictions = [
        replace(one, landmarks_raw=one.landmarks[:, :2])
        for one in (prediction_for(p, [0.0] * 6) for p in people)
    ]
    for wrong in (np.nan, np.inf):
        predictions[1] = replace(predictions[1], landmarks_raw=np.full((33, 2), wrong))
        metrics = results(score_people(people, predictions))
        assert metrics["pck@0.2_raw"] == round(200 / 3, 4)
        assert metrics["num_nan"] == {"landmarks_raw": 6}


def test_mixed_skeletons_and_synthetic_people_are_caveats():
    """Two files of one reader may also label different points."""
    people = [labelled_person(0), labelled_person(1)]
    people[1].labelled[INDEX["nose"]] = True
    metrics = results(score_people(people, [prediction_for(one, [0.0] * 6) for one in people]))
    sources = [source_of([one], name=f"synthetic:{k}") for k, one in enumerate(people)]
    sources[1] = replace(sources[1], reader="synthetic")
    assert list_caveats(metrics, sources, 2) == [
        "people of synthetic:1 are synthetic: results may not transfer to photographs",
        "sources label different landmarks (synthetic:0 6, synthetic:1 7), so pooled metrics mix skeletons",
    ]
