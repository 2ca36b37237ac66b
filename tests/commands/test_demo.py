"""`make demo`: its commands and its image."""

import json

import cv2
import numpy as np
import pytest

from blazepose.commands import demo
from blazepose.data.readers import read_source
from tests.evaluation.crowd import ConstantEngine


@pytest.fixture
def engine() -> ConstantEngine:
    return ConstantEngine(np.random.default_rng(0).uniform(0.2, 0.8, (33, 2)))


def test_people_are_drawn_with_their_landmarks(engine, tiny_rendered, tmp_path):
    people = read_source(f"synthetic:{tiny_rendered}:val").annotations[:3]
    demo.draw_people(engine, people, tmp_path / "drawn.png")
    image = cv2.imread(str(tmp_path / "drawn.png"), cv2.IMREAD_COLOR_RGB).astype(int)
    height, width, _ = image.shape
    assert 2 < width / height < 3  # three side by side
    orange, blue = image[..., 0] - image[..., 2] > 120, image[..., 2] - image[..., 0] > 120
    for k in range(3):  # left and right of each
        column = slice(k * width // 3, (k + 1) * width // 3)
        assert min(orange[:, column].sum(), blue[:, column].sum()) > 50


def test_one_command_after_the_other(engine, tiny_rendered, tmp_path, monkeypatch, capsys):
    commands = []

    def run(command, *arguments):
        commands.append((command, *arguments))
        run_folder = demo.LANDMARK_RUNS / "demo-1"
        (run_folder / "eval").mkdir(parents=True, exist_ok=True)
        if command == "eval":
            metrics = {"pck@0.2": 30.4, "pck@0.2_mean_pose": 17.2, "num_people": 212}
            (run_folder / "eval" / "results.json").write_text(json.dumps(metrics))
        if command == "export":
            (run_folder / "demo.tflite").touch()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.setattr(demo, "LandmarkEngine", lambda path: engine)
    monkeypatch.setattr(demo, "VALIDATION", f"synthetic:{tiny_rendered}:val")
    demo.main(["seed=3"])
    folder = "runs/landmark/demo-1"
    assert commands == [
        ("train", "experiment=demo", "seed=3"),
        ("eval", f"weights={folder}", f"out={folder}/eval"),
        ("export", "--target", "tflite", "--weights", folder),
    ]
    out = capsys.readouterr().out
    assert (
        "PCK@0.2 30.4 on 212 synthetic people held out; the mean pose as a constant prediction scores 17.2"
        in out
    )
    assert (tmp_path / folder / "landmarks.png").is_file()


def test_a_command_that_fails_ends_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        demo.main(["no_such_key=1"])
    assert "blazepose train failed; its message is above" in capsys.readouterr().err
