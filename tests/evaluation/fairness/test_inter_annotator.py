"""Two people's labels of the same people."""

import json
from dataclasses import replace

import pytest

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Annotation, Source
from blazepose.evaluation.fairness.inter_annotator import (
    MISSING,
    human_disagreement,
    predictions_from_annotator,
)
from blazepose.evaluation.groups.assignment import PeopleWithGroups
from blazepose.evaluation.results import results
from blazepose.evaluation.score import score
from blazepose.topologies.full_body import LANDMARKS
from tests.evaluation.crowd import NAMED, source_of

ELBOW, WRIST = 13, NAMED[2]


def agreement(first: Source, second: Source):
    people, predictions = predictions_from_annotator(PeopleWithGroups([first], [], []), second)
    by_key = {(p.reader, p.image, p.person): p for p in predictions}
    return score(by_key, people.sources), people


def renamed(source: Source, ids) -> Source:
    """Copy the labels, under other ids."""
    people = []
    for person, number in zip(source.annotations, ids, strict=True):
        arrays = (person.landmarks_px, person.labelled, person.visibility)
        points, labelled, visibility = (values.copy() for values in arrays)
        people.append(Annotation(person.image, str(number), points, labelled, visibility))
    return source_of(people, name="landmarks:second.json", reader="landmarks")


def test_the_same_labels_agree_completely(crowd):
    scored, people = agreement(crowd, renamed(crowd, range(7)))
    assert results(scored)["pck@0.2"] == 100
    assert people.notes == []


def test_a_point_labelled_by_only_one_annotator_is_not_scored(crowd):
    """Of the first one's six, the second leaves out the wrist and adds an elbow."""
    other = renamed(crowd, range(7))
    for person in other.annotations:
        person.labelled[WRIST], person.labelled[ELBOW] = False, True
    crowd.annotations[0].labelled[WRIST] = False  # labelled by neither
    scored, _ = agreement(crowd, other)
    assert scored.counted.sum() == 7 * 5
    assert scored.not_trained == {"left_wrist": 6}


def test_the_fields_of_the_file(crowd):
    """The second annotator's labels are predictions of landmarks without heatmaps."""
    first, second = (replace(crowd, annotations=crowd.annotations[:1]) for _ in range(2))
    _, (prediction,) = predictions_from_annotator(PeopleWithGroups([first], [], []), second)
    names = [LANDMARKS[k] for k in sorted(NAMED)]
    assert prediction.supervised.as_metadata() == {"landmarks": names, "visibility": [], "outputs": []}


def test_a_moved_point_is_wrong_and_visibility_counts_where_both_label_it(crowd):
    other = renamed(crowd, range(7))
    for first, second in zip(crowd.annotations, other.annotations, strict=True):
        first.visibility[NAMED] = [VISIBLE, VISIBLE, VISIBLE, HIDDEN, VISIBLE, UNKNOWN]
        second.visibility[NAMED] = [VISIBLE, HIDDEN, VISIBLE, HIDDEN, UNKNOWN, VISIBLE]
        second.landmarks_px[WRIST] += 100
    metrics = results(agreement(crowd, other)[0])
    assert metrics["pck@0.2"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert metrics["pdj@0.2"] == pytest.approx(100 * 2 / 4)
    assert metrics["outputs_not_trained"] == []
    assert metrics["calibration"] == {}, "hard labels are no probabilities"


@pytest.fixture
def together(crowd) -> Source:
    """Three people in one image, 200 pixels apart."""
    image = crowd.annotations[0].image
    people = source_of([replace(person, image=image) for person in crowd.annotations[:3]])
    for k, person in enumerate(people.annotations):
        person.landmarks_px[:] += 200 * k
    return people


@pytest.mark.parametrize("ids", [(12, 10, 11), (1, 2, 0)])
def test_people_are_matched_by_their_points(together, ids):
    """The ids of the annotators are unrelated, and may be the same numbers for different people."""
    other = renamed(together, ids)
    other.annotations.reverse()
    assert results(agreement(together, other)[0])["pck@0.2"] == 100


def test_a_distant_person_stays_unmatched(together):
    other = renamed(together, range(3))
    other.annotations[2].landmarks_px[:] += 1000
    scored, people = agreement(together, other)
    assert results(scored)["pck@0.2"] == 100
    assert scored.left_out == {MISSING: 1}
    assert people.notes == ["1 people of landmarks:second.json are not in data.test and are left out"]


def test_unmatched_people_of_either_annotator_are_counted(crowd):
    one_less = source_of(crowd.annotations[1:])
    other = renamed(crowd, range(20, 27))
    scored, people = agreement(one_less, other)
    assert people.notes[0] == "1 people of landmarks:second.json are not in data.test and are left out"
    assert len(scored.annotations) == 6
    fewer = source_of(other.annotations[:5], name="landmarks:second.json")
    scored, people = agreement(crowd, fewer)
    assert scored.left_out == {MISSING: 2}
    assert len(scored.annotations) == 5


def test_no_person_in_common(crowd, tmp_path):
    elsewhere = source_of([replace(p, image=tmp_path / "other.png") for p in crowd.annotations])
    with pytest.raises(
        ValueError, match="labels no person of lsp:here: both annotators must label the same image files"
    ):
        predictions_from_annotator(PeopleWithGroups([crowd], [], []), elsewhere)


def test_the_criterion_is_three_discrepancies(tmp_path):
    assert human_disagreement(None, "across") == {}
    with pytest.raises(FileNotFoundError, match=r"^\S+results\.json is missing; create it with"):
        human_disagreement(str(tmp_path), "across")
    metrics = {"annotators": True, "pck@0.2": 99.0, "torso": "across", "num_people": 20}
    for pdj, expected in ((97.5, {"pdj@0.2": 7.5}), (96.0, {"pdj@0.2": 12.0}), (None, {})):
        (tmp_path / "results.json").write_text(json.dumps(metrics | {"pdj@0.2": pdj}))
        for name in (tmp_path, tmp_path / "results.json"):
            assert human_disagreement(str(name), "across") == {"pck@0.2": 3.0} | expected
    few = {"num_people_pdj": 19, "pdj@0.2": 50}
    (tmp_path / "results.json").write_text(json.dumps(metrics | few))
    assert human_disagreement(str(tmp_path), "across") == {"pck@0.2": 3.0}
    (tmp_path / "results.json").write_text(json.dumps(metrics | {"pdj@0.2": None, "num_people": 19}))
    with pytest.raises(
        ValueError, match="19 people are too few to measure agreement; have at least 20 labelled twice"
    ):
        human_disagreement(str(tmp_path), "across")
    (tmp_path / "results.json").write_text('{"annotators": tr')
    with pytest.raises(
        ValueError, match=r"^\S+results\.json cannot be read as results .*: .*; evaluate again"
    ):
        human_disagreement(str(tmp_path), "across")
    (tmp_path / "results.json").write_text(json.dumps({"annotators": False, "pck@0.2": 60, "pdj@0.2": 50}))
    with pytest.raises(
        ValueError, match="evaluates a network; give an evaluation of predictions=landmarks:FILE"
    ):
        human_disagreement(str(tmp_path), "across")


def test_agreement_without_a_useful_criterion_is_refused(tmp_path):
    metrics = {"annotators": True, "pck@0.2": 100.0, "pdj@0.2": None, "torso": "across", "num_people": 50}
    (tmp_path / "results.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match="the two annotators agree on every point"):
        human_disagreement(str(tmp_path), "across")
    (tmp_path / "results.json").write_text(json.dumps(metrics | {"pdj@0.2": 97.0}))
    assert human_disagreement(str(tmp_path), "across") == {"pdj@0.2": 9.0}, (
        "they disagree about visibility alone"
    )
    (tmp_path / "results.json").write_text(json.dumps(metrics | {"pck@0.2": 66.0}))
    with pytest.raises(
        ValueError,
        match=r"agree on only 66\.0 % of the points \(PCK@0\.2\)\. .*nothing would count as unfair",
    ):
        human_disagreement(str(tmp_path), "across")
    with pytest.raises(ValueError, match="uses torso=across, this evaluation torso=midline"):
        human_disagreement(str(tmp_path), "midline")
