import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.config.evaluate import EvaluationConfig
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.report.markdown import verdict_sentence
from blazepose.evaluation.report.write import new_folder, repeat_command, write_report
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import score
from blazepose.runtime.decode import RawOutputs
from tests.evaluation.crowd import UPPER_BODY, ConstantEngine, source_of, upper_body

ABOUT = {"file": "net.tflite", "sha256": "abc", "detector": None, "data": ["lsp:here"]}
ABOUT |= {"annotators": False, "notes": []}


def test_a_report_states_its_setup(scored, tmp_path):
    metrics = results(scored) | ABOUT | {"file": "models/net.tflite"}
    (tmp_path / "out").mkdir()
    write_report(scored, metrics, "blazepose eval weights=models/net.tflite", 0, tmp_path / "out")
    text = (tmp_path / "out/report.md").read_text()
    interval = "{:.1f} to {:.1f}".format(*metrics["pck@0.2_ci95"])
    assert re.search(rf"\| PCK@0.2, landmarks as .* \| {metrics['pck@0.2']:.1f} \| {interval} \|", text)
    assert "7 people, crop from jitter, decoding mediapipe, torso left shoulder to right hip." in text
    assert "| left_wrist |" in text
    assert "blazepose eval weights=models/net.tflite" in text
    assert "sha256 `abc`" in text
    assert json.loads((tmp_path / "out/results.json").read_text()) == metrics
    images = re.findall(r"\((\w+\.png)\)", text)
    assert images == [f"{name}.png" for name in ("pck_curve", "body", "difficulty", "worst", "random")]
    for name in images:
        image = cv2.imread(str(tmp_path / "out" / name))
        assert min(image.shape[:2]) > 200
        assert image.std() > 10


def test_missing_outputs_of_an_engine_have_no_metrics(crowd, pose_roi, tmp_path):
    """MediaPipe returns refined landmarks only, and no pose score."""

    class RefinedOnly(ConstantEngine):
        def __call__(self, images: np.ndarray) -> RawOutputs:
            nothing = np.full((len(images), 1), np.nan)
            return super().__call__(images)._replace(heatmaps=None, pose_presence=nothing, refined=True)

    predicted = predict(RefinedOnly(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation")
    write_predictions(predicted, tmp_path / "predictions.jsonl")
    read = read_predictions(tmp_path / "predictions.jsonl")
    assert {(p.landmarks_raw, p.pose_presence) for p in read.values()} == {(None, None)}
    scored = score(read, [crowd])
    metrics = results(scored) | ABOUT | {"file": "pose.task"}
    assert metrics["pck@0.2"] == 100
    assert metrics["pck@0.2_raw"] is None
    assert "regression" not in headline(metrics)
    write_report(scored, metrics, "", 0, tmp_path)
    report = (tmp_path / "report.md").read_text()
    assert "regression output alone | not returned by this file or runtime |" in report


@pytest.mark.filterwarnings("error")
def test_a_report_without_any_detection(crowd, pose_roi, tmp_path):
    jobs = [job._replace(min_presence=1.0) for job in plan_label_crops([crowd], "annotation", 0)]
    predictions = {
        (p.reader, p.image, p.person): p for p in predict(ConstantEngine(pose_roi), jobs, "detector")
    }
    scored = score(predictions, [crowd])
    metrics = results(scored) | ABOUT
    assert metrics["pck@0.2"] == 0
    write_report(scored, metrics, "", 0, tmp_path)
    assert cv2.imread(str(tmp_path / "pck_curve.png")) is not None


def test_excluded_points_are_listed(scored, tmp_path):
    metrics = results(scored) | ABOUT
    metrics |= {"num_left_out": {"zero torso": 3}, "not_trained": {"nose": 5}}
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "People excluded: 3 (zero torso)." in text
    assert "not trained on them: nose (5)." in text


def test_results_are_never_overwritten(tmp_path):
    (tmp_path / "old").mkdir()
    assert new_folder(str(tmp_path / "old"), tmp_path / "net.tflite") == tmp_path / "old"
    (tmp_path / "old" / ".part.of_a_kill").mkdir()
    assert new_folder(str(tmp_path / "old"), tmp_path / "net.tflite") == tmp_path / "old"
    (tmp_path / "old/results.json").write_text("{}")
    with pytest.raises(FileExistsError, match=r"out=.*old exists and is not empty"):
        new_folder(str(tmp_path / "old"), tmp_path / "net.tflite")


def test_two_evaluations_in_one_second_have_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = (new_folder(None, tmp_path / "net.tflite") for _ in range(2))
    assert re.fullmatch(r"runs/eval/net-\d{8}-\d{6}", first.as_posix())
    assert first != second


def test_the_command_can_be_typed():
    command = repeat_command(EvaluationConfig(roi="jitter"), Path("my nets/a=1.ckpt"), ["lsp:a", "coco:b"])
    assert command == (
        "blazepose eval \"weights='my nets/a=1.ckpt'\" roi=jitter \"data.test=['lsp:a','coco:b']\" "
        "torso=across seed=0"
    )


def test_the_command_names_the_detector_and_the_engine():
    options = EvaluationConfig(roi="detector", detector="mine.ckpt", engine="mediapipe")
    command = repeat_command(options, Path("pose.task"), ["lsp:a"])
    assert "roi=detector" in command
    assert command.endswith("detector=mine.ckpt engine=mediapipe")


def test_the_command_names_groups_and_annotators():
    options = EvaluationConfig(intersect=["gender", "age"], annotators="reports/second", min_group_size=30)
    command = repeat_command(options, Path("a.task"), ["lsp:a"], "my people.csv")
    assert "\"data.metadata='my people.csv'\" \"intersect=['gender','age']\"" in command
    assert command.endswith("annotators=reports/second min_group_size=30")


def test_the_report_of_a_pipeline_names_its_detector(scored, tmp_path):
    detector = {"file": "people.tflite", "sha256": "def"}
    write_report(scored, results(scored) | ABOUT | {"detector": detector}, "", 0, tmp_path)
    assert "Detector: `people.tflite`, sha256 `def`." in (tmp_path / "report.md").read_text()


def test_the_command_of_scored_predictions_names_no_crop():
    options = EvaluationConfig(predictions="p.jsonl", torso="midline")
    command = repeat_command(options, Path("p.jsonl"), ["lsp:a"])
    assert command == "blazepose eval predictions=p.jsonl \"data.test=['lsp:a']\" torso=midline seed=0"


def test_only_tables_with_values(scored, tmp_path):
    metrics = results(scored) | ABOUT
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "3-D" not in text
    assert "Fairness" not in text
    columns = "| landmark | PCK@0.2 | mean error, % of torso | bias (right, down), % of torso | points |"
    assert columns in text
    assert re.search(r"\| left_hip \| \d+\.\d \| \d+\.\d \| [+-]\d+\.\d, [+-]\d+\.\d \| 7 \|", text)


def test_tables_of_other_outputs(scored, tmp_path):
    metrics = results(scored) | ABOUT
    metrics |= {"mpjpe_mm": 61.25, "mask_iou": 83.0, "outputs_not_trained": ["presence"]}
    metrics["classes"]["hidden"] = {"precision": None, "recall": 0.0, "f1": 0.0, "points": 9}
    metrics["calibration"] = {"visibility": {"error": 12.3, "bins": [[0.1, 0.3, 5], [0.9, 0.8, 70]]}}
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert re.search(r"\| MPJPE: .* \| 61.2 mm \|", text)
    assert "PA-MPJPE" not in text
    assert "| hidden | 0.0 |  | 0.0 | 9 |" in text
    assert "| visible |" not in text
    assert "| visibility, expected calibration error | 12.3 % |" in text
    assert "not trained on them: presence." in text
    assert min(cv2.imread(str(tmp_path / "calibration.png")).shape[:2]) > 200


def fair(**changed):
    """Return an entry of `fairness` with two judged groups and two small ones."""
    row = {"pck@0.2": 71.5, "pdj@0.2": None, "std": 8.0, "ci95": [69.0, 74.0], "mean_error": 20.0}
    row |= {"mpjpe_mm": 61.0, "mask_iou": None, "count": 50, "subjects": 50}
    few = row | {"count": 3, "subjects": 3}
    return {
        "metric": "pck@0.2",
        "groups": {
            "squat": row,
            "plank": row | {"mpjpe_mm": None},
            "few": few,
            "none": EMPTY,
        },
        "average": 71.5,
        "range": 9.0,
        "range_corrected": 8.5,
        "range_ci95": [8.0, 10.0],
        "worst": "plank",
        "apart": ["plank", "squat"],
        "criterion": 7.5,
        "criterion_from": None,
        "verdict": "unfair",
        "too_few": ["few", "none"],
        "min_group": 20,
        "judged": ["squat", "plank"],
        "without": 4,
    } | changed


_KEYS = ("pck@0.2", "pdj@0.2", "std", "ci95", "mean_error", "mpjpe_mm", "mask_iou")
EMPTY = dict.fromkeys(_KEYS) | {"count": 0, "subjects": 0}


def test_fairness_in_the_model_cards_shape(scored, tmp_path):
    metrics = results(scored) | ABOUT | {"fairness": {"pose_family": fair()}}
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "### Pose family" in text
    assert "| group | people | PCK@0.2 | std | 95 % interval | mean error, % of torso | MPJPE, mm |" in text
    assert "| plank | 50 | 71.5 | 8.0 | 69.0 to 74.0 | 20.0 |  |" in text
    assert "| **range of 2 groups** |  | **9.0** |" in text
    sentence = (
        "**unfair**: observed range 9.0 (lowest: plank); 95 % lower bound 8.0 (plank below squat), above the "
        "criterion of 7.5. Too few people to judge: few (3); none (0)."
    )
    assert text.count(sentence) == 2, "at the beginning, and under its table"
    assert "Compared by PCK, because visibility is not labelled for all people." in text
    assert "The criterion is that of MediaPipe's model card, for PDJ." in text
    assert "Fewer than 20 people: few (3); none (0). In no group: 4 people." in text
    assert min(cv2.imread(str(tmp_path / "fairness.png")).shape[:2]) > 150


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"verdict": "fair", "range_ci95": [0, 6.0]},
            "lowest: plank); 95 % upper bound 6.0, below the criterion of 7.5",
        ),
        ({"verdict": "undecided", "range_ci95": [2.0, 11.0]}, "(lowest: plank), bias-corrected 8.5; 95 %"),
        (
            {"verdict": "undecided", "range_ci95": [2.0, 11.0]},
            "2.0 to 11.0 includes the criterion of 7.5; evaluate more people",
        ),
        (
            {"verdict": "undecided", "range_ci95": [0, 6.0]},
            "95 % upper bound 6.0 among the judged groups, below the criterion of 7.5. Too few people",
        ),
        (
            {"verdict": "undecided", "range": None},
            "**undecided**: fewer than two groups have enough people (20 or more)",
        ),
    ],
)
def test_verdicts_are_sentences(changed, sentence):
    assert sentence in verdict_sentence(fair(**changed))


def test_the_html_is_one_file_with_everything(scored, tmp_path):
    metrics = results(scored) | ABOUT | {"file": "<my> & net.tflite"}
    write_report(scored, metrics, "blazepose eval a=<b>", 0, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "<title>&lt;my&gt; &amp; net on lsp:here</title>" in page
    assert "<my>" not in page
    assert '<a href="#per-landmark">Per landmark</a>' in page
    assert page.count("<table>") == (tmp_path / "report.md").read_text().count("| :---")
    assert "a=&lt;b&gt;" in page


def test_an_attribute_without_people_has_no_image(scored, tmp_path):
    """A column of the table of people may be empty."""
    empty = fair(groups={}, range=None, verdict="undecided", too_few=[], judged=[])
    metrics = results(scored) | ABOUT | {"fairness": {"team": empty}}
    write_report(scored, metrics, "", 0, tmp_path)
    assert "fairness.png" not in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "fairness.png").exists()


def test_the_report_of_annotators_names_them(scored, tmp_path):
    metrics = results(scored) | ABOUT | {"annotators": True, "not_trained": {"nose": 5}}
    metrics |= {"outputs_not_trained": ["presence"]}
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "PCK@0.2 of the second annotator against the first" in text
    assert "regression output alone" not in text
    assert "because the second annotator did not label them: nose (5)." in text
    assert "because the second annotator did not label them: presence." in text
    assert "weights" not in text.split("## Reproduce")[0]


def test_a_report_of_the_upper_body(crowd, tmp_path):
    """A network without world landmarks and heatmaps; two of seven people have no labelled hips."""
    people = source_of([upper_body(person, hips=k > 1) for k, person in enumerate(crowd.annotations)])
    engine = ConstantEngine(np.full((31, 2), 0.5), topology=UPPER_BODY)
    predicted = predict(engine, plan_label_crops([people], "annotation", 0), "annotation")
    write_predictions(predicted, tmp_path / "predictions.jsonl")
    scored = score(read_predictions(tmp_path / "predictions.jsonl"), [people])
    metrics = results(scored) | ABOUT
    write_report(scored, metrics, "", 0, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "1.81 shoulder widths for 2 without labelled hips." in text
    assert "| nose |" in text
    assert not re.search(r"knees|ankle|feet", text)
    body, plot = (cv2.imread(str(tmp_path / name)) for name in ("body.png", "pck_curve.png"))
    assert min(body.std(), plot.std()) > 10
