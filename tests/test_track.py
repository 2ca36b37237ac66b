"""track.py from the command line."""

import json
import runpy
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.runtime.media import VideoWriter, open_source
from tests.mediapipe_runtime import frames

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "pytorch_lightning", "hydra", "matplotlib", "scipy", "pycocotools", "jaxtyping"}


@pytest.fixture
def track(tmp_path, monkeypatch, capsys):
    """Runs track.py in an empty folder; returns exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLAZEPOSE_TRACEBACK", raising=False)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["track.py", *map(str, arguments)])
        status = 0
        try:
            runpy.run_path(str(ROOT / "track.py"), run_name="__main__")
        except SystemExit as leave:
            status = int(leave.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def bundle(shared: Path) -> Path:
    return shared / "models/pose_landmarker_full.task"


@pytest.fixture(scope="module")
def clip(shared: Path, tmp_path_factory) -> Path:
    """The first frames of the squats, half as large."""
    path = tmp_path_factory.mktemp("clip") / "squats.mp4"
    with VideoWriter(path, Fraction(5)) as video:
        for k, image in enumerate(frames(shared / "data/mp_reference/pose_squats.mp4", 10)):
            video.write(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 200.0 * k)
    return path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.shared
def test_a_picture(track, shared, bundle, tmp_path):
    picture = shared / "data/mp_reference/pose.jpg"
    outputs = ["--out", "seen.jpg", "--landmarks", "seen.jsonl", "--threads", "1"]
    status, said, _ = track(picture, "--weights", bundle, *outputs)
    assert (status, said) == (0, "people in 1 of 1 pictures\nseen.jpg\nseen.jsonl\n")
    (line,) = lines(tmp_path / "seen.jsonl")
    assert line["image"] == str(picture)
    (pose,) = line["poses"]
    assert np.shape(pose["landmarks"]) == (33, 5)
    drawn, original = (cv2.imread(str(path)).astype(int) for path in (tmp_path / "seen.jpg", picture))
    assert drawn.shape == original.shape
    assert 0.001 < (np.abs(drawn - original).max(axis=2) > 60).mean() < 0.2


@pytest.mark.shared
def test_what_was_seen_until_sigterm_is_kept(track, bundle, clip, tmp_path, monkeypatch):
    def draw(image, poses, trained):
        signal.raise_signal(signal.SIGTERM)
        return image

    monkeypatch.setattr("blazepose.runtime.session.draw_poses", draw)
    status, said, err = track(clip, "--weights", bundle, "--out", "seen.mp4", "--landmarks", "seen.jsonl")
    assert (status, said) == (143, "stopped; people in 1 of 1 frames, 1 different\nseen.mp4\nseen.jsonl\n")
    kept = (
        "ended by SIGTERM: seen.mp4 and seen.jsonl hold the first 1 frames; for all of them name other files"
    )
    assert err.splitlines()[-1] == kept
    assert len(lines(tmp_path / "seen.jsonl")) == len(list(open_source("seen.mp4").frames)) == 1


@pytest.mark.shared
def test_a_video(track, bundle, clip, tmp_path):
    outputs = ["--out", "seen.mp4", "--landmarks", "seen.jsonl", "--mask", "--threads", "1"]
    status, said, _ = track(clip, "--weights", bundle, *outputs)
    assert (status, said) == (0, "people in 10 of 10 frames, 1 different\nseen.mp4\nseen.jsonl\n")
    said_lines, overlay = lines(tmp_path / "seen.jsonl"), list(open_source("seen.mp4").frames)
    assert [line["time_ms"] for line in said_lines] == pytest.approx([200 * k for k in range(10)], abs=1)
    assert [frame.time_ms for frame in overlay] == pytest.approx([200 * k for k in range(10)], abs=1)
    assert {pose["id"] for line in said_lines for pose in line["poses"]} == {0}
    originals = list(open_source(str(clip)).frames)
    assert all(
        np.abs(a.image.astype(int) - b.image).mean() > 1 for a, b in zip(overlay, originals, strict=True)
    )


@pytest.mark.shared
def test_a_given_roi_needs_no_detector(track, shared, bundle, clip, tmp_path):
    weights = shared / "models/pose_landmark_full.tflite"
    status, _, err = track(clip, "--weights", weights, "--landmarks", "seen.jsonl")
    assert (status, err) == (
        1,
        f"{weights} holds no detector: name a file that has one with --detector, "
        "or say with --roi where the person is\n",
    )
    assert list(tmp_path.iterdir()) == []
    track(clip, "--weights", bundle, "--landmarks", "found.jsonl", "--no-smooth")
    roi = lines(tmp_path / "found.jsonl")[0]["poses"][0]["roi"]
    place = [roi["center_x"], roi["center_y"], roi["side"], np.degrees(roi["rotation_rad"])]
    given = [f"--roi={','.join(map(str, place))}", "--no-smooth"]
    assert track(clip, "--weights", weights, "--landmarks", "given.jsonl", *given)[0] == 0
    found, told = (lines(tmp_path / f"{name}.jsonl") for name in ("found", "given"))
    assert [len(line["poses"]) for line in told] == [1] * 10
    one, other = (np.array(run[0]["poses"][0]["landmarks"])[:, :2] for run in (told, found))
    np.testing.assert_allclose(one, other, atol=0.5)


@pytest.mark.shared
@pytest.mark.parametrize("roi", ["1,2,3", "a,b,c,d", "1,2,3,4,5", ""])
def test_a_roi_is_four_numbers(track, bundle, clip, tmp_path, roi):
    status, _, err = track(clip, "--weights", bundle, "--landmarks", "seen.jsonl", f"--roi={roi}")
    sentence = f"--roi {roi}: four numbers, X,Y,SIDE,DEGREES, as in --roi 310,240,420,0\n"
    assert (status, err) == (1, sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--roi=5,5,0,0"], "is nowhere: a side has to be above 1 pixel"),
        (["--roi=nan,5,9,0"], "is nowhere"),
        (["--roi=5,5,9,0", "--roi=50,5,9,0"], "--roi names 2 people; follow them with --people 2"),
        (["--min-presence", "2"], "min_presence=2.0: a number from 0 to 1"),
        (["--people", "0"], "people=0: follow one person or more"),
        (["--threads", "-1"], "-1 threads: a number from 1 up"),
        (["--threads", "0"], "0 threads: a number from 1 up"),
        (["--out", "seen.avi"], "--out seen.avi: an overlay of a video ends in .mkv, .mov, .mp4"),
        (["--out", "seen.jsonl"], "seen.jsonl cannot be both the overlay and the JSON lines"),
        (["--detector", "gone.task"], "gone.task is missing"),
        (["--mask"], "--mask tints people in the overlay; name one with --out"),
    ],
)
def test_bad_options_are_one_sentence(track, bundle, clip, tmp_path, arguments, sentence):
    status, _, err = track(clip, "--weights", bundle, "--landmarks", "seen.jsonl", *arguments)
    assert status == 1
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
def test_originals_and_earlier_files_are_one_sentence(track, shared, bundle, tmp_path):
    picture = tmp_path / "in.jpg"
    picture.write_bytes((shared / "data/mp_reference/pose.jpg").read_bytes())
    before = picture.read_bytes()
    for option in ("--out", "--landmarks"):
        status, _, err = track("in.jpg", "--weights", bundle, "--threads", "1", option, "in.jpg")
        assert (status, err) == (1, "in.jpg exists; choose another name, or delete it first\n")
    assert picture.read_bytes() == before
    assert list(tmp_path.iterdir()) == [picture]


def test_there_has_to_be_something_to_write(track):
    status, _, err = track("gone.mp4", "--weights", "gone.task")
    assert status == 1
    assert err == "nothing to write: name an overlay with --out, JSON lines with --landmarks, or both\n"


@pytest.mark.parametrize("name", ["gone.mp4", "text.mp4"])
def test_what_is_no_footage_is_one_sentence(track, tmp_path, name):
    (tmp_path / "text.mp4").write_text("no video\n" * 99)
    status, _, err = track(name, "--weights", "gone.task", "--landmarks", "seen.jsonl")
    assert status == 1
    assert err.startswith(name)
    assert err.count("\n") == 1


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=3600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


LOADED = f"print(sorted({HEAVY!r} & set(sys.modules)))"


def test_the_runtime_is_light():
    """A phone-like install pays for numpy, OpenCV, LiteRT and PyAV only."""
    modules = "tracker, media, record, session, draw, detector, landmarker, engines, graphs"
    assert python(f"import sys, blazepose.runtime; from blazepose.runtime import {modules}; {LOADED}") == "[]"


def test_track_is_light():
    run = (
        "import runpy, sys; sys.argv = ['track.py', '--help']\n"
        "try:\n    runpy.run_path('track.py', run_name='__main__')\n"
        f"except SystemExit as leave:\n    assert not leave.code\n{LOADED}"
    )
    assert python(run) == "[]"


def test_importing_the_runtime_is_quick():
    """It loads NumPy and OpenCV; LiteRT, ONNX Runtime and PyAV are loaded by what uses them."""
    loaded = "{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names"
    run = f"import sys; before = set(sys.modules); import blazepose.runtime; print(sorted({loaded}))"
    assert python(run) == "['blazepose', 'cv2', 'numpy']"
