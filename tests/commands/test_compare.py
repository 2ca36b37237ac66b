"""The command that measures what a fine-tuning gained and forgot."""

import json
import re
from pathlib import Path

import cv2
import pytest

from blazepose.commands import compare
from blazepose.evaluation.compare import pair
from blazepose.exceptions import InputError
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from tests.constant_network import write_network, write_upper_body_network

FIRST, SECOND = "first.onnx", "second.onnx"


@pytest.fixture
def folder(tmp_path: Path, tiny_lsp: Path, monkeypatch) -> Path:
    """Return a working directory with people, a table of two teams, and two networks with equal outputs."""
    (tmp_path / "people").symlink_to(tiny_lsp)
    lines = [f"im{k:05d}.jpg,{'red' if k % 2 else 'blue'}" for k in range(1, 25)]
    (tmp_path / "people.csv").write_text("\n".join(["image,team", *lines]))
    write_network(tmp_path / FIRST)
    write_network(tmp_path / SECOND, {"trained": {"landmarks": ["left_wrist", "left_knee"], "outputs": []}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


DATA = ("--data", "lsp:people")


def test_weights_to_report(folder, capsys):
    compare.main(
        [FIRST, SECOND, *DATA, "--metadata", "people.csv", "--out", "out", "--pictures", "sheet.png"]
    )
    printed = capsys.readouterr().out
    assert "lsp:people, 24 people, roi=annotation" in printed
    assert printed.endswith("\nout/report.md\n")
    text = Path("out/report.md").read_text()
    headings = re.findall(r"^## (.+)", text, re.MULTILINE)
    assert headings[:3] == ["What was gained", "For whom", "What was forgotten"]
    assert "| blue |" in text
    assert f"blazepose compare {FIRST} {SECOND} --data lsp:people --metadata people.csv --out out" in text
    assert cv2.imread("sheet.png").shape == cv2.imread("out/people.png").shape
    comparison = json.loads(Path("out/comparison.json").read_text())
    assert list(comparison["per_landmark"]) == ["left_wrist", "left_knee"], "those that both were trained on"
    assert list(comparison["fairness"]) == ["team"]
    assert comparison["forgotten"]["data_sets"]["lsp:people"]["hands, % of torso"]["change"] == 0
    overall = comparison["overall"]["pck@0.2"]
    evaluation = json.loads(Path("out/second/results.json").read_text())
    assert evaluation["pck@0.2"] == overall["values"][1]
    assert (
        f"PCK@0.2 {overall['values'][0]:.1f} -> {evaluation['pck@0.2']:.1f}: +0.0, 95 % interval -" in printed
    )


def test_one_decoding_for_both(folder):
    compare.main([FIRST, SECOND, *DATA, "--decode", "regression", "--out", "out"])
    compare.main(["out/first", "out/second", "--out", "saved"])
    for name in ("out", "saved"):
        runs = json.loads(Path(name, "comparison.json").read_text())["runs"]
        assert [run["decoding"] for run in runs] == ["regression"] * 2


def test_saved_evaluations_are_compared_like_their_weights(folder, capsys):
    compare.main([FIRST, SECOND, *DATA, "--out", "out"])
    compare.main(["out/first", "out/second", "--out", "saved"])
    compare.main([FIRST, "out/second", *DATA, "--out", "mixed"])
    weights, saved, mixed = (
        json.loads(Path(name, "comparison.json").read_text()) for name in ("out", "saved", "mixed")
    )
    for other in (saved, mixed):
        assert {**other, "runs": 0} == {**weights, "runs": 0}
    assert [run["folder"] for run in mixed["runs"]] == ["mixed/first", "out/second"]
    assert not Path("mixed/second").exists()


def test_forgetting_needs_the_weights_of_the_evaluations(folder, capsys):
    compare.main([FIRST, SECOND, *DATA, "--out", "out"])
    assert "not measured" not in capsys.readouterr().out
    sentence = "the weights second.onnx have changed since their evaluation"
    write_network(folder / SECOND)
    for number in range(2):
        compare.main(["out/first", "out/second", "--out", f"again{number}"])
        assert f"what was forgotten is not measured: {sentence}" in capsys.readouterr().out
        assert (
            f"## What was forgotten\n\nNot measured: {sentence}."
            in Path(f"again{number}/report.md").read_text()
        )
        (folder / SECOND).unlink(missing_ok=True)
        sentence = "the weights second.onnx are missing"


def test_weights_of_equal_names_are_before_and_after(folder):
    compare.main([FIRST, FIRST, *DATA, "--out", "out"])
    comparison = json.loads(Path("out/comparison.json").read_text())
    assert [run["name"] for run in comparison["runs"]] == ["before", "after"]


def test_a_shifted_crop_changes_outputs_slightly(shared, capsys, tmp_path):
    weights = str(shared / "models" / "pose_landmark_lite.tflite")
    data = f"coco:{shared}/data/coco_mini:train2017"
    compare.main([weights, weights, "--data", data, "--roi", "jitter", "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "roi=jitter" in printed
    assert ": +0.0, 95 % interval -" in printed
    hands = re.search(r"hands, % of torso +(\S+) +(\S+)", printed)
    masks = re.search(r"mask IoU, % +(\S+) +(\S+)", printed)
    assert hands
    assert masks
    assert float(hands[1]) == 0
    assert float(masks[1]) == 100
    assert 0.1 < float(hands[2]) < 5
    assert 90 < float(masks[2]) < 100


def test_a_video_alone_has_a_report(folder, monkeypatch, capsys):
    change = {"file": "a.mp4", "frames": 9, "without_pose": [1, 2]}
    change |= {"hips_moved": 0.5, "circle_moved": 1.5, "crop_growth": -2.0}
    monkeypatch.setattr(compare, "check_video", lambda pair, video: None)
    monkeypatch.setattr(compare, "measure_video", lambda pair, video: change)
    compare.main([FIRST, SECOND, "--video", "a.mp4", "--out", "out"])
    assert "frames without a pose 1 -> 2" in capsys.readouterr().out
    assert "## In a video" in Path("out/report.md").read_text()
    assert Path("out/report.html").exists()
    compare.main([FIRST, SECOND, *DATA, "--video", "a.mp4", "--out", "both"])
    text = Path("both/report.md").read_text()
    assert text.index("## What was forgotten") < text.index("## In a video")
    assert json.loads(Path("both/comparison.json").read_text())["video"] == change


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to evaluate: give labelled people with --data, or a --video"),
        (["--video", "gone.mp4"], "--video gone.mp4 is missing"),
        (["--video", "text.mp4"], "text.mp4 cannot be read as a video: Invalid data"),
        (["--data", "lsp:a", "--pictures", "gone/a.png"], "--pictures gone/a.png: its folder does not exist"),
        (["--video", "text.mp4", "--pictures", "a.png"], "--pictures needs labelled people"),
        (["--video", "text.mp4", "--roi", "jitter"], "--metadata, --roi and --decode need --data"),
        (["--data", "lsp:a", "--out", "full"], "--out full exists and is not empty; choose another --out"),
    ],
)
def test_errors(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    (tmp_path / "a.task").write_bytes(pack({DETECTOR_ENTRY: b"", LANDMARKS_ENTRY: b""}))
    with pytest.raises(SystemExit):
        compare.main(["a.task", "a.task", *arguments])
    assert sentence in capsys.readouterr().err


def test_the_first_evaluation_is_kept_if_the_second_fails(folder, monkeypatch, capsys):
    evaluate = pair._evaluate

    def fail_at_second(evaluated, *arguments):
        if evaluated.file == Path(SECOND):
            raise InputError("the network returns NaN")
        return evaluate(evaluated, *arguments)

    monkeypatch.setattr(pair, "_evaluate", fail_at_second)
    with pytest.raises(SystemExit):
        compare.main([FIRST, SECOND, *DATA, "--out", "out"])
    expected = (
        "the network returns NaN; saved: out/first; pass this instead of its weights, with another --out"
    )
    assert expected in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    compare.main(["out/first", SECOND, *DATA, "--out", "again"])


def test_evaluations_have_their_own_people(folder, capsys):
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "results.json").write_text("{}")
    with pytest.raises(SystemExit):
        compare.main(["a", "b", *DATA])
    assert "--data is for weights, but both are saved evaluations" in capsys.readouterr().err


def test_an_upper_body_network_is_compared_on_its_landmarks(folder, capsys):
    write_upper_body_network(folder / "upper.onnx")
    compare.main([FIRST, "upper.onnx", *DATA, "--out", "out"])
    comparison = json.loads(Path("out/comparison.json").read_text())
    assert set(comparison["per_part"]) == {"shoulders", "elbows", "wrists", "hips"}
    assert comparison["forgotten"]["not_measured"] == "the networks have different landmarks and crops"
    assert "compared on the 25 landmarks of upper_body" in Path("out/report.md").read_text()
    compare.main(["upper.onnx", "out/upper", *DATA, "--out", "same"])
    forgotten = json.loads(Path("same/comparison.json").read_text())["forgotten"]["data_sets"]["lsp:people"]
    assert forgotten["pose score agrees, %"]["change"] == 100
    assert (forgotten["feet, % of torso"]["change"], forgotten["world, cm"]["change"]) == (None, None)
