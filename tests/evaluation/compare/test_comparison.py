"""Two evaluations of the same people, from folders as eval.py writes them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.evaluation.compare.comparison import changes, comparison
from blazepose.evaluation.compare.comparison_inputs import Run, load_runs, short_names
from blazepose.evaluation.compare.comparison_report import write_comparison
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.results import results
from blazepose.evaluation.score import score
from blazepose.topology import INDEX
from tests.evaluation.crowd import ConstantEngine
from tests.evaluation.judged import answer, judged, somebody

WRIST, HIP = INDEX["left_wrist"], INDEX["left_hip"]


@pytest.fixture
def data(tiny_lsp: Path, tmp_path) -> str:
    """People of LSP's layout, with a table of two teams."""
    people = read_source(f"lsp:{tiny_lsp}").annotations
    lines = [f"{person.image.name},{'red' if k % 2 else 'blue'}" for k, person in enumerate(people)]
    (tmp_path / "people.csv").write_text("\n".join(["image,team", *lines]))
    return f"lsp:{tiny_lsp}"


@pytest.fixture
def evaluated(data, tmp_path):
    """Writes an evaluation in which of everybody the points named are a torso off."""

    def write(name: str, wrong=(), people: int | None = None, **about) -> str:
        source = read_source(data)
        jobs = plan_label_crops([source], "annotation", 0)[:people]
        said = []
        for prediction, job in zip(
            predict(ConstantEngine(np.full((33, 2), 0.5)), jobs, "annotation"), jobs, strict=True
        ):
            landmarks = np.ones((33, 5))
            landmarks[:, :2] = job.annotation.landmarks_px
            landmarks[list(wrong), 0] += 1000
            said.append(replace(prediction, landmarks=landmarks))
        folder = tmp_path / name
        folder.mkdir()
        write_predictions(said, folder / "predictions.jsonl")
        predictions = read_predictions(folder / "predictions.jsonl")
        source = replace(source, annotations=[job.annotation for job in jobs])
        figures = results(score(predictions, [source]), FairnessConfig([])) | {
            "file": f"{name}.tflite",
            "sha256": "0" * 64,
            "data": [data],
            "metadata": str(tmp_path / "people.csv"),
            "intersect": [],
            "min_group": 20,
            "notes": [f"{name} was made by hand", "nobody is real"],
        }
        (folder / "results.json").write_text(json.dumps(figures | about))
        return str(folder)

    return write


def test_differences_by_hand(evaluated):
    """The second has the wrists right that the first has not, and the left hips wrong."""
    runs = load_runs([evaluated("old", [WRIST]), evaluated("new", [HIP])])
    assert short_names(runs) == ["old", "new"]
    figures = comparison(runs)
    wrist, hip, knee = (figures["per_landmark"][name] for name in ("left_wrist", "left_hip", "left_knee"))
    assert (wrist["values"], wrist["changes"][0]["value"]) == ([0, 100], 100)
    low, high = wrist["changes"][0]["ci95"]
    assert 70 < low < high == 100
    assert (hip["values"], hip["changes"][0]["value"]) == ([100, 0], -100)
    assert knee["changes"][0]["value"] == 0
    assert knee["changes"][0]["ci95"][0] < 0 < knee["changes"][0]["ci95"][1]
    counted = runs[0].scored.counted
    gain = 100 * (counted[:, WRIST].sum() - counted[:, HIP].sum()) / counted.sum()
    assert figures["overall"]["pck@0.2"]["changes"][0]["value"] == pytest.approx(gain, abs=1e-3)
    assert set(figures["groups"]["team"]) == {"red", "blue"}
    assert figures["group_metrics"]["team"] == "pck@0.2"
    for number, run in enumerate(runs):
        evaluated_alone = results(run.scored, FairnessConfig(["team"]))["fairness"]["team"]["groups"]
        for team, compared in figures["groups"]["team"].items():
            assert compared["values"][number] == pytest.approx(evaluated_alone[team]["pck@0.2"], abs=1e-3)
    assert "pdj@0.2" not in figures["overall"]
    (gained, *_) = changes(*runs)
    assert gained.gain == 0
    assert (gained.was.sum(), gained.now.sum()) == (gained.counted - 1, gained.counted - 1)


def test_only_people_of_both_count(evaluated):
    first, second = load_runs([evaluated("all"), evaluated("some", people=4)])
    assert len(first.scored.annotations) == len(second.scored.annotations) == 4
    figures = comparison([first, second])
    assert [run["num_people"] for run in figures["runs"]] == [24, 4]
    assert figures["overall"]["pck@0.2"]["changes"] == [{"value": 0, "ci95": None}], "too few to tell"
    team = figures["fairness"]["team"]
    assert [of_one["verdict"] for of_one in team] == ["undecided", "undecided"], "of the four alone"


def test_too_few_people_are_not_told_apart(evaluated, tmp_path):
    (tmp_path / "out").mkdir()
    runs = load_runs([evaluated("all"), evaluated("some", people=4)])
    assert write_comparison(runs, tmp_path / "out") == "4 people are too few to tell all and some apart"
    assert (
        "Of the evaluations' 24 and 4 people, the others are left out."
        in (tmp_path / "out/report.md").read_text()
    )


def test_each_is_judged_as_it_was_evaluated(evaluated, tmp_path):
    """Twelve people a team: too few for one evaluation, enough for the other, which alone has a table."""
    criterion = {"team": {"metric": "pck@0.2", "criterion": 60.0}}
    own = evaluated("own", min_group=10, fairness=criterion)
    for folders in ([evaluated("plain", metadata=None), own], [own, str(tmp_path / "plain")]):
        runs = load_runs(folders)
        told = {
            run.folder.name: one for run, one in zip(runs, comparison(runs)["fairness"]["team"], strict=True)
        }
        assert (told["plain"]["verdict"], told["plain"]["criterion"]) == ("undecided", 7.5)
        assert (told["own"]["verdict"], told["own"]["criterion"]) == ("fair", 60)
    (tmp_path / "out").mkdir()
    write_comparison(runs, tmp_path / "out")
    text = (tmp_path / "out/report.md").read_text()
    assert f"Groups of `{tmp_path}/people.csv` for all." in text
    own = r"0\.0 by PCK@0\.2 \(true: 0\.0 to \d+\.\d\), fair \(up to 60\.0 is fair\)"
    assert re.search(rf"\| team \| {own} \| undecided: too few people \|", text)


def test_a_group_of_nobody_in_common_is_undecided_as_it_is_alone(evaluated, tmp_path):
    """Ten people a team are enough here; the four of the third team are in one of the evaluations only."""
    table = tmp_path / "people.csv"
    lines = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
    teams = ["red"] * 10 + ["blue"] * 10 + ["green"] * 4
    table.write_text("\n".join(["image,team", *map(",".join, zip(lines, teams, strict=True))]))
    about = {"min_group": 10, "fairness": {"team": {"metric": "pck@0.2", "criterion": 60.0}}}
    folders = [evaluated("all", **about), evaluated("some", people=20, **about)]
    verdicts = [of_one["verdict"] for of_one in comparison(load_runs(folders))["fairness"]["team"]]
    assert verdicts == ["undecided", "undecided"]


def test_figures_by_other_labels_are_told(evaluated, tmp_path):
    folders = [evaluated("old"), evaluated("new", data=["lsp:elsewhere"], **{"pck@0.2": 50.0})]
    (data,) = json.loads((tmp_path / "old/results.json").read_text())["data"]
    assert comparison(load_runs(folders))["notes"][0] == (
        "new has PCK@0.2 50.0 in its results.json, and 100.0 here: it is of lsp:elsewhere, and here all are "
        f"by {data}"
    )


def test_notes_are_kept_and_what_changed_since_is_told(evaluated, tmp_path):
    folders = [evaluated("old", [WRIST]), evaluated("new", **{"pck@0.2": 50.0})]
    assert comparison(load_runs(folders))["notes"] == [
        "new has PCK@0.2 50.0 in its results.json, and 100.0 here: its labels or predictions have changed "
        "since; evaluate it again",
        "old: old was made by hand",
        "nobody is real",
        "new: new was made by hand",
    ]
    (tmp_path / "out").mkdir()
    write_comparison(load_runs(folders), tmp_path / "out")
    assert "\n- nobody is real.\n" in (tmp_path / "out/report.md").read_text()


def test_groups_are_compared_by_what_their_verdict_is_by(tmp_path):
    """All points of everybody are right; the second calls half of them hidden, which they are not."""
    people = [somebody(k, [1] * 6, team="red" if k % 2 else "blue") for k in range(50)]
    runs = []
    for name, seen in (("old", [1.0] * 6), ("new", [1.0] * 3 + [0.0] * 3)):
        scored = judged(people, [answer(one, [0.0] * 6, seen) for one in people])
        figures = results(scored, FairnessConfig(["team"])) | {"notes": [], "metadata": None, "min_group": 20}
        about = {"file": f"{name}.task", "sha256": ""}
        runs.append(Run(tmp_path / name, figures | about, scored, ["team"], people))
    figures = comparison(runs)
    assert figures["group_metrics"] == {"team": "pdj@0.2"}
    assert figures["groups"]["team"]["red"]["values"] == [100, 50]
    assert figures["groups"]["team"]["red"]["changes"][0]["value"] == -50


def test_the_report_of_three(evaluated, tmp_path):
    folders = [evaluated("old", [WRIST]), evaluated("new"), evaluated("worse", [WRIST, HIP], roi="jitter")]
    (tmp_path / "out").mkdir()
    said = write_comparison(load_runs(folders), tmp_path / "out")
    first, second = said.split("\n")
    assert re.fullmatch(
        r"new is better: PCK@0\.2 \d+\.\d of old, 100\.0 of new, \+\d\.\d \(\+.* to \+.*\)", first
    )
    assert second.startswith("worse is worse: ")
    text = (tmp_path / "out/report.md").read_text()
    quoted = ",".join(f"'{folder}'" for folder in folders)
    assert f'```\npython eval.py "compare=[{quoted}]"\n```' in text
    assert "crop from annotation of old, annotation of new, jitter of worse" in text
    assert re.search(
        r"\| left_wrist \| 0\.0 \| 100\.0 \| 0\.0 \| \+100\.0 \(\+\d+\.\d to \+100\.0\) \| \+0\.0 \(", text
    )
    assert "| blue |" in text
    figures = json.loads((tmp_path / "out/comparison.json").read_text())
    assert figures["overall"]["pck@0.2"]["values"][1] == 100
    pictures = re.findall(r"\((\w+\.png)\)", text)
    assert pictures == ["changes.png", "changes_2.png", "people.png", "people_2.png"]
    assert all(cv2.imread(str(tmp_path / "out" / name)).std() > 5 for name in pictures)
    assert (tmp_path / "out/report.html").read_text().count("data:image/png;base64,") == 4


def test_changes_by_chance_are_said(evaluated, tmp_path):
    """Of the two teams one is large enough for an interval."""
    folders = [evaluated("old", [WRIST]), evaluated("new"), evaluated("same", [WRIST])]
    table = tmp_path / "people.csv"
    table.write_text(table.read_text().replace("blue", "red", 9))
    (tmp_path / "out").mkdir()
    write_comparison(load_runs(folders), tmp_path / "out")
    said = " Intervals beside 0, of 1 in all: 1 with new, 0 with same; up to about 1 would be by"
    assert said in (tmp_path / "out/report.md").read_text()


def test_what_cannot_be_compared_is_one_sentence(evaluated, tmp_path):
    one, other = evaluated("one"), evaluated("other", torso="midline")
    (tmp_path / "empty").mkdir()
    (tmp_path / "old").mkdir()
    (tmp_path / "old/results.json").write_text('{"pck@0.2": 3}')
    for folders, sentence in (
        ([one], r"compare=\[.*\]: name two different folders of eval\.py or more"),
        ([one, one], "name two different folders"),
        ([one, str(tmp_path / "empty")], r"empty/results\.json is missing; name folders that eval\.py wrote"),
        (
            [one, str(tmp_path / "old")],
            r"old/results\.json has no data, metadata, .*: another version wrote it",
        ),
        ([one, other], "evaluations by different torso cannot be compared: .*one across, .*other midline"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=sentence):
            load_runs(folders)


def test_other_people_cannot_be_compared(evaluated, tmp_path):
    one, other = evaluated("one"), Path(evaluated("other"))
    lines = [json.loads(line) for line in (other / "predictions.jsonl").read_text().splitlines()]
    moved = "\n".join(json.dumps(line | {"image": f"/elsewhere/{k}.jpg"}) for k, line in enumerate(lines))
    (other / "predictions.jsonl").write_text(moved)
    with pytest.raises(ValueError, match="have nobody in common"):
        load_runs([one, str(other)])


def test_folders_of_one_name_are_told_apart(evaluated, tmp_path):
    runs = load_runs([evaluated("one"), evaluated("other")])
    moved = [run._replace(folder=Path("runs") / run.folder.name / "eval") for run in runs]
    assert short_names(moved) == ["one/eval", "other/eval"]
