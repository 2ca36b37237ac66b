from dataclasses import replace

import numpy as np
import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.evaluation.groups.breakdown import GROUPS, breakdown, measure_difficulty
from blazepose.evaluation.results import results
from tests.evaluation.crowd import person
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def score_perfect(people):
    return score_people(people, [prediction_for(one, [0.0] * 6) for one in people])


@pytest.mark.parametrize(
    ("turn", "group"), [(0, 0), (29, 0), (-45, 1), (90, 2), (-119, 2), (121, 3), (180, 3)]
)
def test_rotation_is_from_upright_to_either_side(turn, group):
    rotated = person(labelled_person(0).image, 0, (60.0, 50.0), 20, np.radians(turn))
    scored = score_perfect([rotated])
    assert measure_difficulty(scored)["rotation"] == pytest.approx([abs(turn)], abs=0.01)
    assert list(breakdown(scored)["rotation"]) == [GROUPS["rotation"][group]]


def test_size_is_that_of_the_torso():
    people = [
        person(labelled_person(k).image, k, (500.0, 500.0), radius, 0.0)
        for k, radius in enumerate((10, 100, 300))
    ]
    groups = breakdown(score_perfect(people))["torso"]
    assert {name: rows.tolist() for name, rows in groups.items()} == {
        "under 16 px": [0],
        "64 to 128 px": [1],
        "over 128 px": [2],
    }


def test_occlusion_is_the_share_of_points_labelled_hidden():
    labels = ([VISIBLE] * 6, [HIDDEN] + [VISIBLE] * 5, [HIDDEN] * 4 + [UNKNOWN] * 2, [UNKNOWN] * 6)
    scored = score_perfect([labelled_person(k, label) for k, label in enumerate(labels)])
    np.testing.assert_allclose(measure_difficulty(scored)["occlusion"], [0, 1 / 6, 1, np.nan])
    groups = breakdown(scored)["occlusion"]
    assert [rows.tolist() for rows in groups.values()] == [[0], [1], [2]]


def test_truncation_is_judged_by_labels_or_by_the_box():
    inside = replace(
        labelled_person(0), image_size=(160, 120), box_xyxy=np.array([10, 10, 90, 90], np.float32)
    )
    cut = replace(inside, image=labelled_person(1).image, box_xyxy=np.array([10, 10, 90, 119], np.float32))
    beyond = replace(inside, image=labelled_person(2).image, image_size=(60, 120), box_xyxy=None)
    scored = score_perfect([inside, cut, beyond, labelled_person(3)])
    np.testing.assert_array_equal(measure_difficulty(scored)["truncation"], [0, 1, 1, np.nan])
    whole, truncated = breakdown(scored)["truncation"].values()
    assert (whole.tolist(), truncated.tolist()) == ([0], [1, 2])


def test_the_breakdown_has_the_attributes_of_the_source_too():
    people = [labelled_person(0, shoes="red", gender="male"), labelled_person(1, shoes="blue", gender="male")]
    metrics = results(
        score_people(people, [prediction_for(people[0], [0.0] * 6), prediction_for(people[1], [1.0] * 6)])
    )
    assert {"rotation", "torso", "labelled_points", "shoes"} == set(metrics["breakdown"])
    assert metrics["breakdown"]["shoes"]["red"]["pck@0.2"] == 100
    assert metrics["breakdown"]["shoes"]["blue"]["pck@0.2"] == 0
    assert metrics["breakdown"]["labelled_points"]["up to 8"]["count"] == 2
    assert list(metrics["fairness"]) == ["gender"]
