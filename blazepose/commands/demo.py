"""The main job at small scale: fine-tune Google's weights on rendered people, and show what it gained.

It runs the commands of the README, one after the other, and writes a page with figures and pictures.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.evaluation.report.demo_page import Demo, write_fine_tuning_page, write_from_scratch_page
from blazepose.exceptions import MissingFileError, ProcessError
from blazepose.runs import LANDMARK_RUNS, RUNS, new_run_folder
from blazepose.synthetic.dataset.starter import STARTER

GOOGLE = Path("pose_landmarker_full.task")

FLOOR = Path("data/floor_exercises")
"""People in postures that Google's weights are weak at."""

_FLOOR_FAMILIES = (
    "plank=60,push_up=60,downward_dog=60,lie_on_front=60,lie_on_side=60,bridge=60,mountain_climber=60,"
    "all_fours=60,side_plank=60,lie_on_back=60"
)
_PEOPLE = {
    STARTER: ("--num", "300", "--val", "100"),
    FLOOR: ("--num", "500", "--val", "200", "--seed", "1", "--families", _FLOOR_FAMILIES),
}
"""{folder: options of `blazepose synth`}. Chosen: what two slow cores render and train on in minutes."""

_PATIENCE_S = 20.0
"""Time that a command has after Ctrl-C to state how to resume."""


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Run the commands, write the page, and open it where there is a display.

    Raises:
        ValueError: if one of the commands fails.
    """
    args = parse("demo", arguments)
    demo = Demo(new_run_folder(RUNS, "demo"))
    google = None if args.from_scratch else _find_google(args.weights, demo)
    _render(demo, STARTER, "Render people with exact labels")
    page = _fine_tune(demo, google, args.overrides) if google else _from_scratch(demo, args.overrides)
    print(f"\nDone in {demo.minutes:.1f} minutes. Figures, pictures and the next steps: {page}")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(page.resolve().as_uri())


def _find_google(given: Path | None, demo: Demo) -> Path | None:
    """Return Google's weights; None if they cannot be fetched, after a note.

    Raises:
        FileNotFoundError: if the given file is missing.
    """
    path = given.expanduser() if given else GOOGLE
    if path.is_file():
        return path
    if given:
        raise MissingFileError(
            f"--weights {given} is missing; `blazepose weights full` fetches Google's file"
        )
    try:
        _run(demo, "Fetch Google's weights", "weights", "full")
    except ProcessError:
        print(
            "\nWithout Google's weights, the demo trains from nothing; --weights FILE takes a file at hand."
        )
        return None
    return GOOGLE


def _render(demo: Demo, folder: Path, title: str) -> None:
    """Render a set, unless it is there."""
    if not all((folder / split / "labels.json").is_file() for split in ("train", "val")):
        _run(demo, title, "synth", *_PEOPLE[folder], "--out", str(folder))


def _fine_tune(demo: Demo, google: Path, overrides: list[str]) -> Path:
    """Fine-tune Google's weights, compare before and after, and return the page."""
    _render(demo, FLOOR, "Render people who exercise on the floor, where Google's weights are weak")
    data, bundle = f"data.test=[synthetic:{FLOOR}:val]", demo.folder / "my_pose.task"
    before, after, comparison = (demo.folder / name for name in ("before", "after", "comparison"))
    _run(demo, "Evaluate Google's weights", "eval", f"weights={google}", data, f"out={before}")
    run = _train(demo, "Fine-tune them on other people", f"init={google}", "experiment=demo", *overrides)
    # With few people, halfway between both weights is better than either: docs/benchmarks/fine-tuning.md.
    pair, halfway = (str(google), str(run)), str(demo.folder / "my_pose.ckpt")
    _run(demo, "Go halfway", "interpolate", *pair, "--alpha", "0.5", "--out", halfway)
    _run(demo, "Export", "export", "--target", "task", "--weights", halfway, "--out", str(bundle))
    _run(demo, "Evaluate the exported file", "eval", f"weights={bundle}", data, f"out={after}")
    compared = f"compare=[{before},{after}]"
    _run(demo, "Compare both, person by person", "eval", compared, f"out={comparison}")
    folder, tracked = FLOOR / "val/images", str(demo.folder / "tracked")
    _run(demo, "Detect people in images", "track", str(folder), "--weights", str(bundle), "--out", tracked)
    has_mediapipe = importlib.util.find_spec("mediapipe") is not None
    return write_fine_tuning_page(demo, google, run, sorted(folder.iterdir()) if has_mediapipe else [])


def _from_scratch(demo: Demo, overrides: list[str]) -> Path:
    """Train lite from nothing, evaluate it, and return the page."""
    after, exported = demo.folder / "after", demo.folder / "my_pose.tflite"
    run = _train(demo, "Train lite from nothing", "experiment=demo_from_scratch", *overrides)
    _run(demo, "Export", "export", "--target", "tflite", "--weights", str(run), "--out", str(exported))
    data = f"data.test=[synthetic:{STARTER}:val]"
    _run(demo, "Evaluate the exported file", "eval", f"weights={exported}", data, f"out={after}")
    return write_from_scratch_page(demo, run)


def _train(demo: Demo, title: str, *arguments: str) -> Path:
    """Train, and return the run folder."""
    earlier = set(LANDMARK_RUNS.glob("*"))
    _run(demo, title, "train", *arguments)
    (run,) = set(LANDMARK_RUNS.glob("*")) - earlier
    return run


def _run(demo: Demo, title: str, command: str, *arguments: str) -> None:
    """Run a command of the console; it prints its own output.

    Raises:
        ChildProcessError: if it fails.
    """
    line = " ".join(["blazepose", command, *(f'"{word}"' if "[" in word else word for word in arguments)])
    seconds = round(60 * demo.minutes)
    print(f"\n{seconds // 60}:{seconds % 60:02} {title}\n$ {line}", flush=True)
    start = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "blazepose", command, *arguments]) as process:
        try:
            process.wait()
        except KeyboardInterrupt as error:
            # Ctrl-C reaches the command too; another signal only this process.
            if error.args[:1] != (signal.SIGINT,):
                process.terminate()
            _wait_or_kill(process)
            raise
    if process.returncode:
        raise ProcessError(f"blazepose {command} failed; its message is above")
    demo.commands.append((title, line, time.monotonic() - start))


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    main()
