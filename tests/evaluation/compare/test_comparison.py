"""Comparisons of result folders, as eval.py writes them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.evaluation.compare.comparison import compare_runs
from blazepose.evaluation.compare.comparison_inputs import Run, load_runs, short_names
from blazepose.evaluation.compare.comparison_report import write_comparison
from blazepose.evaluation.compare.comparison_summary import people_lines, sentences
from blazepose.evaluation.compare.forgetting import Forgotten
from blazepose.evaluation.compare.pair import forgotten_by
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.metric import Metric
from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import person_key, read_predictions, write_predictions
from blazepose.evaluation.results import results
from blazepose.evaluation.score import score
from blazepose.metrics.points import PointValues
from blazepose.topologies.full_body import INDEX
from tests.evaluation.crowd import UPPER_BODY, ConstantEngine
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people

WRIST, HIP = INDEX["left_wrist"], INDEX["left_hip"]


@pytest.fixture
def data(tiny_lsp: Path, tmp_path) -> str:
    """Return people in LSP's layout, with a table of two teams."""
    people = read_source(f"lsp:{tiny_lsp}").annotations
    lines = [f"{person.image.name},{'red' if k % 2 else 'blue'}" for k, person in enumerate(people)]
    (tmp_path / "people.csv").write_text("\n".join(["image,team", *lines]))
    return f"lsp:{tiny_lsp}"


@pytest.fixture
def evaluated(data, tmp_path):
    """Return a writer of evaluations in which the given points of all people are wrong."""

    def write(name: str, wrong=(), people: int | None = None, **about) -> str:
        source = read_source(data)
        jobs = plan_label_crops([source], "annotation", 0)[:people]
        predicted = []
        for prediction, job in zip(
            predict(ConstantEngine(np.full((33, 2), 0.5)), jobs, "annotation"), jobs, strict=True
        ):
            landmarks = np.ones((33, 5))
            landmarks[:, :2] = job.annotation.landmarks_px
            landmarks[list(wrong), 0] += 1000
            predicted.append(replace(prediction, landmarks=landmarks))
        folder = tmp_path / name
        folder.mkdir()
        write_predictions(predicted, folder / "predictions.jsonl")
        predictions = read_predictions(folder / "predictions.jsonl")
        source = replace(source, annotations=[job.annotation for job in jobs])
        metrics = results(score(predictions, [source]), FairnessConfig([])) | {
            "file": f"{name}.tflite",
            "sha256": "0" * 64,
            "data": [data],
            "metadata": str(tmp_path / "people.csv"),
            "intersect": [],
            "min_group": 20,
            "notes": [f"{name} was made by hand", "all people are synthetic"],
        }
        (folder / "results.json").write_text(json.dumps(metrics | about))
        return str(folder)

    return write


def write(runs: list[Run], folder: Path) -> list[str]:
    """Write the report, and return its sentences."""
    return sentences(write_comparison(runs, folder, "the command", Forgotten({}, "no network")))


def test_differences_by_hand(evaluated):
    """The second corrects the left wrists of the first, and has the left hips wrong."""
    runs = load_runs([evaluated("old", [WRIST]), evaluated("new", [HIP])])
    assert short_names(runs) == ["old", "new"]
    metrics = compare_runs(runs)
    wrist, hip, knee = (metrics["per_landmark"][name] for name in ("left_wrist", "left_hip", "left_knee"))
    assert (wrist["values"], wrist["changes"][0]["value"]) == ([0, 100], 100)
    low, high = wrist["changes"][0]["ci95"]
    assert 70 < low < high == 100
    assert (hip["values"], hip["changes"][0]["value"]) == ([100, 0], -100)
    assert knee["changes"][0]["value"] == 0
    assert knee["changes"][0]["ci95"][0] < 0 < knee["changes"][0]["ci95"][1]
    counted = runs[0].scored.counted
    gain = 100 * (counted[:, WRIST].sum() - counted[:, HIP].sum()) / counted.sum()
    assert metrics["overall"]["pck@0.2"]["changes"][0]["value"] == pytest.approx(gain, abs=1e-3)
    assert set(metrics["groups"]["team"]) == {"red", "blue"}
    assert metrics["group_metrics"]["team"] == "pck@0.2"
    for number, run in enumerate(runs):
        evaluated_alone = results(run.scored, FairnessConfig(["team"]))["fairness"]["team"]["groups"]
        for team, compared in metrics["groups"]["team"].items():
            assert compared["values"][number] == pytest.approx(evaluated_alone[team]["pck@0.2"], abs=1e-3)
    assert "pdj@0.2" not in metrics["overall"]
    (of_data,) = metrics["per_data_set"].items()
    assert of_data == (runs[0].metrics["data"][0], metrics["overall"]["pck@0.2"])


def test_only_people_of_both_runs_count(evaluated):
    first, second = load_runs([evaluated("all"), evaluated("some", people=4)])
    assert len(first.scored.annotations) == len(second.scored.annotations) == 4
    metrics = compare_runs([first, second])
    assert [run["num_people"] for run in metrics["runs"]] == [24, 4]
    assert metrics["overall"]["pck@0.2"]["changes"] == [{"value": 0, "ci95": None}], "too few people"
    team = metrics["fairness"]["team"]
    assert [entry["verdict"] for entry in team] == ["undecided", "undecided"], "only four people"


def test_too_few_people_have_no_result(evaluated, tmp_path):
    (tmp_path / "out").mkdir()
    runs = load_runs([evaluated("all"), evaluated("some", people=4)])
    assert write(runs, tmp_path / "out") == ["not enough people (4) to compare all and some"]
    assert (
        "The evaluations have 24 and 4 people; those not in all are excluded."
        in (tmp_path / "out/report.md").read_text()
    )


def test_each_run_keeps_its_criterion_and_group_size(evaluated, tmp_path):
    """Twelve people per team: too few for one evaluation, enough for the other, the only one with a table."""
    criterion = {"team": {"metric": "pck@0.2", "criterion": 60.0}}
    own = evaluated("own", min_group=10, fairness=criterion)
    for folders in ([evaluated("plain", metadata=None), own], [own, str(tmp_path / "plain")]):
        runs = load_runs(folders)
        verdicts = {
            run.folder.name: entry
            for run, entry in zip(runs, compare_runs(runs)["fairness"]["team"], strict=True)
        }
        assert (verdicts["plain"]["verdict"], verdicts["plain"]["criterion"]) == ("undecided", 7.5)
        assert (verdicts["own"]["verdict"], verdicts["own"]["criterion"]) == ("fair", 60)
    (tmp_path / "out").mkdir()
    write(runs, tmp_path / "out")
    text = (tmp_path / "out/report.md").read_text()
    assert f"Groups from `{tmp_path}/people.csv` for all." in text
    own = r"0\.0 in PCK@0\.2 \(95 % interval 0\.0 to \d+\.\d\), fair \(criterion 60\.0\)"
    assert re.search(rf"\| team \| {own} \| undecided: too few people \|", text)


def test_a_group_without_common_people_stays_undecided(evaluated, tmp_path):
    """Ten people per team are enough; the four of the third team are in one evaluation only."""
    table = tmp_path / "people.csv"
    lines = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
    teams = ["red"] * 10 + ["blue"] * 10 + ["green"] * 4
    table.write_text("\n".join(["image,team", *map(",".join, zip(lines, teams, strict=True))]))
    about = {"min_group": 10, "fairness": {"team": {"metric": "pck@0.2", "criterion": 60.0}}}
    folders = [evaluated("all", **about), evaluated("some", people=20, **about)]
    verdicts = [entry["verdict"] for entry in compare_runs(load_runs(folders))["fairness"]["team"]]
    assert verdicts == ["undecided", "undecided"]


def test_runs_on_other_labels_are_noted(evaluated, tmp_path):
    folders = [evaluated("old"), evaluated("new", data=["lsp:elsewhere"], **{"pck@0.2": 50.0})]
    (data,) = json.loads((tmp_path / "old/results.json").read_text())["data"]
    assert compare_runs(load_runs(folders))["notes"][0] == (
        "new has PCK@0.2 50.0 in its results.json, but 100.0 here: it was evaluated on lsp:elsewhere, and is "
        f"compared on {data}"
    )


def test_different_decodings_are_noted(evaluated):
    folders = [evaluated("old", decoding="mediapipe"), evaluated("new", decoding="heatmap")]
    assert compare_runs(load_runs(folders))["notes"][-1].startswith(
        "the decodings differ (mediapipe, heatmap), and are part of the differences"
    )
    equal = [evaluated("a", decoding="heatmap"), evaluated("b", decoding=None)]
    assert not any("decodings" in note for note in compare_runs(load_runs(equal))["notes"])


def test_notes_are_kept_after_outdated_runs(evaluated, tmp_path):
    folders = [evaluated("old", [WRIST]), evaluated("new", **{"pck@0.2": 50.0})]
    assert compare_runs(load_runs(folders))["notes"] == [
        "new has PCK@0.2 50.0 in its results.json, but 100.0 here: its labels or predictions have changed "
        "since; evaluate it again",
        "old: old was made by hand",
        "all people are synthetic",
        "new: new was made by hand",
    ]
    (tmp_path / "out").mkdir()
    write(load_runs(folders), tmp_path / "out")
    assert "\n- all people are synthetic.\n" in (tmp_path / "out/report.md").read_text()


def test_groups_are_compared_by_the_metric_of_their_verdict(tmp_path):
    """All points of all people are correct; the second predicts half of the visible ones as hidden."""
    people = [labelled_person(k, [1] * 6, team="red" if k % 2 else "blue") for k in range(50)]
    runs = []
    for name, visibility in (("old", [1.0] * 6), ("new", [1.0] * 3 + [0.0] * 3)):
        scored = score_people(people, [prediction_for(one, [0.0] * 6, visibility) for one in people])
        metrics = results(scored, FairnessConfig(["team"])) | {"notes": [], "metadata": None, "min_group": 20}
        about = {"file": f"{name}.task", "sha256": ""}
        data_sets = {person_key("lsp", person): "lsp:here" for person in people}
        runs.append(Run(tmp_path / name, metrics | about, scored, ["team"], people, data_sets))
    metrics = compare_runs(runs)
    assert metrics["group_metrics"] == {"team": "pdj@0.2"}
    assert metrics["groups"]["team"]["red"]["values"] == [100, 50]
    assert metrics["groups"]["team"]["red"]["changes"][0]["value"] == -50


def test_each_data_set_has_its_own_gain(evaluated, tmp_path):
    """Four of the people are another data set, too few for an interval."""
    runs = load_runs([evaluated("old", [WRIST]), evaluated("new")])
    data_sets = {key: "lsp:few" if k < 4 else "lsp:rest" for k, key in enumerate(runs[0].data_sets)}
    runs = [run._replace(data_sets=data_sets) for run in runs]
    (tmp_path / "out").mkdir()
    rows = {name: {"world, cm": {"change": 1.5, "noise": None}} for name in ("lsp:few", "lsp:rest")}
    comparison = write_comparison(runs, tmp_path / "out", "the command", Forgotten(rows))
    few, rest = comparison["per_data_set"].values()
    counted = runs[0].scored.counted
    gain = 100 * counted[:4, WRIST].sum() / counted[:4].sum()
    assert few["changes"][0] == {"value": pytest.approx(gain, abs=1e-3), "ci95": None}
    assert (few["people"], rest["people"]) == (4, 20)
    assert rest["changes"][0]["ci95"]
    lines = people_lines(comparison)
    assert lines[0] == "\nlsp:few, 4 people, roi=annotation"
    assert lines[1] == f"  PCK@0.2 {100 - gain:.1f} -> 100.0: +{gain:.1f}, too few people for an interval"
    assert lines[-3:] == comparison["notes"]
    assert lines[2] == "  change where the first are correct, by  second weights     2 px shift"
    assert lines[3].split() == ["world,", "cm", "1.50", "-"]
    text = (tmp_path / "out/report.md").read_text()
    assert f"| lsp:few | {100 - gain:.1f} | 100.0 | +{gain:.1f} | 4 |" in text
    assert "| lsp:rest | new | noise |\n| :--- | ---: | ---: |\n| world, cm | 1.50 | - |" in text


def test_a_new_row_of_the_table_is_compared(evaluated, tmp_path, monkeypatch):
    new = Metric(
        "near",
        "near landmarks",
        "half a torso off at most",
        points=lambda scored: PointValues(scored.errors < 0.5, scored.counted),
        places=("overall", "comparison"),
        column="near",
        scale=10,
    )
    runs = load_runs([evaluated("old", [WRIST]), evaluated("new")])
    pck = compare_runs(runs)["overall"]["pck@0.2"]
    monkeypatch.setitem(METRICS, "near", new)
    (tmp_path / "out").mkdir()
    write(runs, tmp_path / "out")
    comparison = json.loads((tmp_path / "out/comparison.json").read_text())
    assert comparison["overall"]["near"]["values"] == pytest.approx([x / 10 for x in pck["values"]], abs=1e-3)
    assert comparison["overall"]["near"]["points"] == pck["points"]
    assert re.search(r"\| near \| \d\.\d \| 10\.0 \| \+\d\.\d \(", (tmp_path / "out/report.md").read_text())


def test_the_report_of_three_runs(evaluated, tmp_path):
    folders = [evaluated("old", [WRIST]), evaluated("new"), evaluated("worse", [WRIST, HIP], roi="jitter")]
    (tmp_path / "out").mkdir()
    first, second = write(load_runs(folders), tmp_path / "out")
    assert re.fullmatch(
        r"new is better than old: PCK@0\.2 \d+\.\d -> 100\.0, \+\d\.\d \(95 % interval \+.* to \+.*\)", first
    )
    assert second.startswith("worse is worse than old: ")
    text = (tmp_path / "out/report.md").read_text()
    assert "```\nthe command\n```" in text
    assert "## What was forgotten\n\nNot measured: no network.\n" in text
    assert "crop from annotation for old, annotation for new, jitter for worse" in text
    assert re.search(
        r"\| left_wrist \| 0\.0 \| 100\.0 \| 0\.0 \| \+100\.0 \(\+\d+\.\d to \+100\.0\) \| \+0\.0 \(", text
    )
    assert "| blue |" in text
    metrics = json.loads((tmp_path / "out/comparison.json").read_text())
    assert metrics["overall"]["pck@0.2"]["values"][1] == 100
    images = re.findall(r"\((\w+\.png)\)", text)
    assert images == ["people.png", "people_2.png", "changes.png", "changes_2.png"]
    assert all(cv2.imread(str(tmp_path / "out" / name)).std() > 5 for name in images)
    assert (tmp_path / "out/report.html").read_text().count("data:image/png;base64,") == 4


def test_significant_and_chance_differences_are_counted(evaluated, tmp_path):
    """One of the two teams is large enough for an interval."""
    folders = [evaluated("old", [WRIST]), evaluated("new"), evaluated("same", [WRIST])]
    table = tmp_path / "people.csv"
    table.write_text(table.read_text().replace("blue", "red", 9))
    (tmp_path / "out").mkdir()
    write(load_runs(folders), tmp_path / "out")
    counts = " Intervals that exclude 0, of 1: 1 with new, 0 with same; up to about 1 expected by chance"
    assert counts in (tmp_path / "out/report.md").read_text()


def test_errors_of_runs_that_cannot_be_compared(evaluated, tmp_path):
    one, other = evaluated("one"), evaluated("other", torso="midline")
    (tmp_path / "empty").mkdir()
    (tmp_path / "old").mkdir()
    (tmp_path / "old/results.json").write_text('{"pck@0.2": 3}')
    for folders, sentence in (
        ([one], "one: give two or more different evaluations"),
        ([one, one], "compare .*one, .*one: give two or more different evaluations"),
        (
            [one, str(tmp_path / "empty")],
            r"empty/results\.json is missing; give result folders of blazepose eval",
        ),
        (
            [one, str(tmp_path / "old")],
            r"old/results\.json has no data, metadata, .*: it is from another version",
        ),
        ([one, other], "evaluations with different torso cannot be compared: .*one across, .*other midline"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=sentence):
            load_runs(folders)


def test_runs_without_common_people_cannot_be_compared(evaluated, tmp_path):
    one, other = evaluated("one"), Path(evaluated("other"))
    lines = [json.loads(line) for line in (other / "predictions.jsonl").read_text().splitlines()]
    moved = "\n".join(json.dumps(line | {"image": f"/elsewhere/{k}.jpg"}) for k, line in enumerate(lines))
    (other / "predictions.jsonl").write_text(moved)
    with pytest.raises(ValueError, match="have no person in common"):
        load_runs([one, str(other)])


def test_folders_with_equal_names_have_distinct_titles(evaluated, tmp_path):
    runs = load_runs([evaluated("one"), evaluated("other")])
    moved = [run._replace(folder=Path("runs") / run.folder.name / "eval") for run in runs]
    assert short_names(moved) == ["one/eval", "other/eval"]


def test_networks_of_different_topologies_are_compared_on_common_landmarks(evaluated, data, tmp_path):
    """The upper-body network has the left wrists right; the other one does not, nor the left ankles."""
    whole, above = evaluated("whole", [WRIST, INDEX["left_ankle"]]), tmp_path / "above"
    people = read_source(data, UPPER_BODY)
    jobs = plan_label_crops([people], "annotation", 0)
    engine = ConstantEngine(np.full((31, 2), 0.5), topology=UPPER_BODY)
    predicted = []
    for prediction, job in zip(predict(engine, jobs, "annotation"), jobs, strict=True):
        prediction.landmarks[:, :2] = job.annotation.landmarks_px
        predicted.append(prediction)
    above.mkdir()
    write_predictions(predicted, above / "predictions.jsonl")
    metrics = results(score(read_predictions(above / "predictions.jsonl"), [people]), FairnessConfig([]))
    about = {"file": "above.tflite", "data": [data], "metadata": None, "intersect": [], "min_group": 20}
    (above / "results.json").write_text(json.dumps(metrics | about | {"sha256": "0" * 64, "notes": []}))
    runs = load_runs([whole, str(above)])
    comparison = compare_runs(runs)
    assert {run.scored.topology for run in runs} == {UPPER_BODY}
    assert comparison["per_landmark"]["left_wrist"]["values"] == [0, 100]
    assert "left_ankle" not in comparison["per_landmark"]
    assert any("compared on the 25 landmarks of upper_body" in note for note in comparison["notes"])
    assert not any("evaluate it again" in note for note in comparison["notes"])
    assert forgotten_by(runs).not_measured == "the networks have different landmarks and crops"
