"""`blazepose demo`: its commands, its way without a registry, and all of it at the smallest scale."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blazepose.commands import demo
from blazepose.evaluation.report.demo_page import Demo
from blazepose.exceptions import ProcessError
from blazepose.synthetic.poses.families import FAMILIES, parse_weights
from tests.forked_command import run_script

ROOT = Path(__file__).parents[2]


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Record commands instead of running them; those in `failing` fail, a training leaves its run folder."""
    recorded: list[tuple[str, ...]] = []
    failing: set[str] = set()

    def run(_, title, command, *arguments):
        recorded.append((command, *arguments))
        if command in failing:
            raise ProcessError(f"blazepose {command} failed")
        if command == "train":
            (demo.LANDMARK_RUNS / "demo-1").mkdir(parents=True)
        if command == "synth":
            write_people(Path(arguments[-1]))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.setattr(demo, "write_fine_tuning_page", lambda *_: Path("fine_tuned.html"))
    monkeypatch.setattr(demo, "write_from_scratch_page", lambda *_: Path("from_scratch.html"))
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    recorded_and_failing = (recorded, failing)
    return recorded_and_failing


def write_people(folder: Path) -> None:
    for split in ("train", "val"):
        (folder / split / "images").mkdir(parents=True)
        (folder / split / "images" / "000000.jpg").touch()
        (folder / split / "labels.json").touch()


def result_folder() -> Path:
    (folder,) = Path("runs").glob("demo-*")
    return folder


def test_googles_weights_are_fetched_fine_tuned_and_compared(commands, capsys):
    recorded, _ = commands
    demo.main(["seed=3"])
    out, people = result_folder(), "data.test=[synthetic:data/floor_exercises:val]"
    families = recorded[2][8]
    assert recorded == [
        ("weights", "full"),
        ("synth", "--num", "300", "--val", "100", "--out", "data/synthetic"),
        (
            *("synth", "--num", "500", "--val", "200", "--seed", "1", "--families", families),
            *("--out", "data/floor_exercises"),
        ),
        ("eval", "weights=pose_landmarker_full.task", people, f"out={out}/before"),
        ("train", "init=pose_landmarker_full.task", "experiment=demo", "seed=3"),
        (
            *("interpolate", "pose_landmarker_full.task", "runs/landmark/demo-1"),
            *("--alpha", "0.5", "--out", f"{out}/my_pose.ckpt"),
        ),
        ("export", "--target", "task", "--weights", f"{out}/my_pose.ckpt", "--out", f"{out}/my_pose.task"),
        ("eval", f"weights={out}/my_pose.task", people, f"out={out}/after"),
        ("eval", f"compare=[{out}/before,{out}/after]", f"out={out}/comparison"),
        (
            "track",
            "data/floor_exercises/val/images",
            "--weights",
            f"{out}/my_pose.task",
            "--out",
            f"{out}/tracked",
        ),
    ]
    assert set(parse_weights(families)) < set(FAMILIES)
    assert "the next steps: fine_tuned.html" in capsys.readouterr().out


def test_what_is_there_is_neither_fetched_nor_rendered_again(commands):
    recorded, _ = commands
    Path("pose_landmarker_full.task").touch()
    write_people(demo.STARTER)
    write_people(demo.FLOOR)
    demo.main([])
    assert [command for command, *_ in recorded] == [
        "eval",
        "train",
        "interpolate",
        "export",
        "eval",
        "eval",
        "track",
    ]


def test_weights_by_hand(commands):
    recorded, _ = commands
    Path("google.tflite").touch()
    demo.main(["--weights", "google.tflite"])
    assert recorded[0][0] == "synth"
    assert ("train", "init=google.tflite", "experiment=demo") in recorded


def test_without_a_registry_it_trains_from_nothing(commands, capsys):
    recorded, failing = commands
    failing.add("weights")
    demo.main([])
    assert [command for command, *_ in recorded] == ["weights", "synth", "train", "export", "eval"]
    assert ("train", "experiment=demo_from_scratch") in recorded
    out = capsys.readouterr().out
    assert "Without Google's weights, the demo trains from nothing; --weights FILE takes a file" in out
    assert "the next steps: from_scratch.html" in out


def test_from_scratch_fetches_nothing(commands):
    recorded, _ = commands
    demo.main(["--from-scratch"])
    assert [command for command, *_ in recorded] == ["synth", "train", "export", "eval"]


def test_the_page_opens_where_there_is_a_display(commands, monkeypatch):
    opened = []
    monkeypatch.setattr(demo.webbrowser, "open", opened.append)
    demo.main([])
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    shutil.rmtree("runs")
    demo.main([])
    assert opened == [Path("fine_tuned.html").resolve().as_uri()]


def test_a_command_is_printed_as_it_is_typed(tmp_path, capfd):
    steps = Demo(tmp_path)
    demo._run(steps, "Learn", "eval", "--help", "data.test=[lsp:here]")
    out = capfd.readouterr().out
    assert '0:00 Learn\n$ blazepose eval --help "data.test=[lsp:here]"\n' in out
    assert "usage: blazepose eval" in out
    ((title, line, seconds),) = steps.commands
    assert (title, line) == ("Learn", 'blazepose eval --help "data.test=[lsp:here]"')
    assert seconds > 0


def test_missing_weights_are_reported_before_any_work(commands, capsys):
    recorded, _ = commands
    with pytest.raises(SystemExit):
        demo.main(["--weights", "no.task"])
    assert (
        "--weights no.task is missing; `blazepose weights full` fetches Google's" in capsys.readouterr().err
    )
    assert recorded == []


def test_a_command_that_fails_ends_it(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write_people(demo.STARTER)
    write_people(demo.FLOOR)
    Path("damaged.task").write_text("no bundle")
    with pytest.raises(SystemExit) as ended:
        demo.main(["--weights", "damaged.task"])
    assert ended.value.code == 1
    assert capfd.readouterr().err.strip().splitlines()[-1] == "blazepose eval failed; its message is above"


@pytest.mark.slow
def test_sigterm_ends_the_command_too(tmp_path):
    """The command gets the signal, and ends before the demo does."""
    write_people(tmp_path / demo.STARTER)
    write_people(tmp_path / demo.FLOOR)
    (tmp_path / "google.task").touch()
    code = f"""import subprocess, sys, time
from blazepose.commands import demo
popen = subprocess.Popen
demo.subprocess.Popen = lambda *_: popen([sys.executable, "-c", {SLEEPER!r}])
demo.main(["--weights", "google.task"])"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / "sleeping").exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        message = process.communicate(timeout=600)[1]
    assert process.returncode == 143
    assert "ended by SIGTERM: run the command again" in message
    assert (tmp_path / "ended").is_file()


SLEEPER = """import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("ended").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
pathlib.Path("sleeping").touch()
time.sleep(600)"""


@pytest.fixture
def run_demo(tiny_rendered, tmp_path, monkeypatch, capsys):
    """Return a function that runs the demo on a few rendered people: its output and the folder of results."""

    def run(done: Demo, title: str, command: str, *arguments: str) -> None:
        finished = run_script(Path.cwd(), "blazepose/__main__.py", command, *arguments)
        assert not finished.returncode, finished.stdout[-1000:] + finished.stderr[-3000:]
        done.commands.append((title, f"blazepose {command}", 1.0))

    def call(*arguments: str) -> tuple[str, Path]:
        small = ("trainer.limit_train_batches=2", "stages.joint=1")
        demo.main([*arguments, *small, "loader.num_workers=0", "loader.batch_size=2"])
        (results,) = (tmp_path / "runs").glob("demo-*")
        return capsys.readouterr().out, results

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.delenv("DISPLAY", raising=False)
    for people in (demo.STARTER, demo.FLOOR):
        shutil.copytree(tiny_rendered, people)
    return call


def test_a_command_is_printed_and_listed_with_its_time(tmp_path, capfd):
    done = Demo(tmp_path)
    demo._run(done, "Show the help", "track", "--help")
    assert "\n0:00 Show the help\n$ blazepose track --help\nusage: blazepose track" in capfd.readouterr().out
    ((title, line, seconds),) = done.commands
    assert (title, line) == ("Show the help", "blazepose track --help")
    assert seconds > 0


@pytest.mark.slow
@pytest.mark.shared
def test_fine_tuning_at_the_smallest_scale(shared, run_demo, tmp_path):
    google = shared / "models" / "pose_landmarker_full.task"
    # Hardly any learning: in half precision, outputs for painted figures would differ more than allowed.
    small = "optimizer.lr=1e-6"
    out, results = run_demo("--weights", str(google), small)
    scores = [
        json.loads((results / name / "results.json").read_text())["pck@0.2"] for name in ("before", "after")
    ]
    page = (results / "index.html").read_text()
    for text in (out, page):
        assert "PCK@0.2 {:.1f} before, {:.1f} after".format(*scores) in text
        assert "in 4 of 4 images on whether there is a person" in text
    assert page.count("data:image/png;base64,") == 1
    for file in ("my_pose.task", "comparison/report.html"):
        assert (results / file).is_file()
    assert len(list((results / "tracked").iterdir())) == 4
    assert f"Figures, pictures and the next steps: {results.relative_to(tmp_path)}/index.html" in out


@pytest.mark.slow
def test_from_scratch_at_the_smallest_scale(run_demo):
    out, results = run_demo("--from-scratch")
    score = json.loads((results / "after" / "results.json").read_text())["pck@0.2"]
    page = (results / "index.html").read_text()
    for text in (out, page):
        assert f"PCK@0.2 {score:.1f} on 4 rendered people who were not in training; the mean pose" in text
    assert page.count("data:image/png;base64,") == 1
    assert (results / "my_pose.tflite").is_file()
