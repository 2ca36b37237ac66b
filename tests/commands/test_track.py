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
from tests.constant_network import write_upper_body_network
from tests.mediapipe_runtime import frames

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "pytorch_lightning", "hydra", "matplotlib", "scipy", "pycocotools", "jaxtyping"}


@pytest.fixture
def track(tmp_path, monkeypatch, capsys):
    """Run track.py in an empty folder; return exit status, stdout and stderr."""
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
    """Write the first frames of the squats, half as large."""
    path = tmp_path_factory.mktemp("clip") / "squats.mp4"
    with VideoWriter(path, Fraction(5)) as video:
        for k, image in enumerate(frames(shared / "data/mp_reference/pose_squats.mp4", 10)):
            video.write(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 200.0 * k)
    return path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.shared
def test_an_image(track, shared, bundle, tmp_path):
    image_path = shared / "data/mp_reference/pose.jpg"
    outputs = ["--out", "out.jpg", "--landmarks", "out.jsonl", "--threads", "1"]
    status, output, _ = track(image_path, "--weights", bundle, *outputs)
    assert (status, output) == (0, "people in 1 of 1 images\nout.jpg\nout.jsonl\n")
    (line,) = lines(tmp_path / "out.jsonl")
    assert line["image"] == str(image_path)
    (pose,) = line["poses"]
    assert np.shape(pose["landmarks"]) == (33, 5)
    drawn, original = (cv2.imread(str(path)).astype(int) for path in (tmp_path / "out.jpg", image_path))
    assert drawn.shape == original.shape
    assert 0.001 < (np.abs(drawn - original).max(axis=2) > 60).mean() < 0.2


@pytest.mark.shared
def test_sigterm_keeps_the_frames_so_far(track, bundle, clip, tmp_path, monkeypatch):
    def draw(image, poses, supervised):
        signal.raise_signal(signal.SIGTERM)
        return image

    monkeypatch.setattr("blazepose.runtime.session.draw_poses", draw)
    status, output, err = track(clip, "--weights", bundle, "--out", "out.mp4", "--landmarks", "out.jsonl")
    assert (status, output) == (
        143,
        "stopped; people in 1 of 1 frames, 1 person in total\nout.mp4\nout.jsonl\n",
    )
    message = "out.mp4 and out.jsonl contain the first 1 frames; for all of them name other files"
    assert err.splitlines()[-1] == f"ended by SIGTERM: {message}"
    assert len(lines(tmp_path / "out.jsonl")) == len(list(open_source("out.mp4").frames)) == 1


@pytest.mark.shared
def test_a_video(track, bundle, clip, tmp_path):
    outputs = [
        "--out",
        "out.mp4",
        "--landmarks",
        "out.jsonl",
        "--output-segmentation-masks",
        "--threads",
        "1",
    ]
    status, output, _ = track(clip, "--weights", bundle, *outputs)
    assert (status, output) == (0, "people in 10 of 10 frames, 1 person in total\nout.mp4\nout.jsonl\n")
    records, overlay = lines(tmp_path / "out.jsonl"), list(open_source("out.mp4").frames)
    assert [line["time_ms"] for line in records] == pytest.approx([200 * k for k in range(10)], abs=1)
    assert [frame.time_ms for frame in overlay] == pytest.approx([200 * k for k in range(10)], abs=1)
    assert {pose["id"] for line in records for pose in line["poses"]} == {0}
    originals = list(open_source(str(clip)).frames)
    assert all(
        np.abs(a.image.astype(int) - b.image).mean() > 1 for a, b in zip(overlay, originals, strict=True)
    )


@pytest.mark.shared
def test_a_given_roi_needs_no_detector(track, shared, bundle, clip, tmp_path):
    weights = shared / "models/pose_landmark_full.tflite"
    status, _, err = track(clip, "--weights", weights, "--landmarks", "out.jsonl")
    assert (status, err) == (
        1,
        f"{weights} has no detector: name a file that has one with --detector, "
        "or give the person's ROI with --roi\n",
    )
    assert list(tmp_path.iterdir()) == []
    track(clip, "--weights", bundle, "--landmarks", "detected.jsonl", "--no-smooth-landmarks")
    roi = lines(tmp_path / "detected.jsonl")[0]["poses"][0]["roi"]
    values = [roi["center_x"], roi["center_y"], roi["side"], np.degrees(roi["rotation_rad"])]
    given = [f"--roi={','.join(map(str, values))}", "--no-smooth-landmarks"]
    assert track(clip, "--weights", weights, "--landmarks", "given.jsonl", *given)[0] == 0
    detected, with_roi = (lines(tmp_path / f"{name}.jsonl") for name in ("detected", "given"))
    assert [len(line["poses"]) for line in with_roi] == [1] * 10
    one, other = (np.array(run[0]["poses"][0]["landmarks"])[:, :2] for run in (with_roi, detected))
    np.testing.assert_allclose(one, other, atol=0.5)


@pytest.mark.shared
@pytest.mark.parametrize("roi", ["1,2,3", "a,b,c,d", "1,2,3,4,5", ""])
def test_an_roi_is_four_numbers(track, bundle, clip, tmp_path, roi):
    status, _, err = track(clip, "--weights", bundle, "--landmarks", "out.jsonl", f"--roi={roi}")
    message = f"--roi {roi}: four numbers, X,Y,SIDE,DEGREES, as in --roi 310,240,420,0\n"
    assert (status, err) == (1, message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--roi=5,5,0,0"], "side must be > 1 px and all values finite"),
        (["--roi=nan,5,9,0"], "invalid Roi(center_x=nan"),
        (["--roi=5,5,9,0", "--roi=50,5,9,0"], "got 2 --roi but --num-poses 1; set it to 2"),
        (
            ["--min-pose-presence-confidence", "2"],
            "min_pose_presence_confidence=2.0 must be a number from 0 to 1",
        ),
        (["--num-poses", "0"], "num_poses=0 must be a whole number from 1 up"),
        (["--threads", "-1"], "num_threads must be 1 or more, not -1"),
        (["--threads", "0"], "num_threads must be 1 or more, not 0"),
        (["--out", "out.avi"], "--out out.avi: an overlay of a video ends in .mkv, .mov, .mp4"),
        (["--out", "out.jsonl"], "out.jsonl cannot be both the overlay and the JSON lines"),
        (["--detector", "gone.task"], "gone.task is missing"),
        (["--output-segmentation-masks"], "tints people in the overlay; name one with --out"),
    ],
)
def test_invalid_options_are_refused(track, bundle, clip, tmp_path, arguments, message):
    status, _, err = track(clip, "--weights", bundle, "--landmarks", "out.jsonl", *arguments)
    assert status == 1
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
def test_originals_and_existing_files_are_not_overwritten(track, shared, bundle, tmp_path):
    image_path = tmp_path / "in.jpg"
    image_path.write_bytes((shared / "data/mp_reference/pose.jpg").read_bytes())
    before = image_path.read_bytes()
    for option in ("--out", "--landmarks"):
        status, _, err = track("in.jpg", "--weights", bundle, "--threads", "1", option, "in.jpg")
        assert (status, err) == (1, "in.jpg exists; choose another name, or delete it first\n")
    assert image_path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [image_path]


def test_an_output_is_required(track):
    status, _, err = track("gone.mp4", "--weights", "gone.task")
    assert status == 1
    assert err == "nothing to write: name an overlay with --out, JSON lines with --landmarks, or both\n"


@pytest.mark.parametrize("name", ["gone.mp4", "text.mp4"])
def test_missing_and_foreign_inputs_are_refused(track, tmp_path, name):
    (tmp_path / "text.mp4").write_text("no video\n" * 99)
    status, _, err = track(name, "--weights", "gone.task", "--landmarks", "out.jsonl")
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
    """It needs numpy, OpenCV, LiteRT and PyAV only."""
    modules = "tracker, media, jsonl, session, draw, person_detector, landmarker, engines, inference_sessions"
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


def test_an_upper_body_network(track, tmp_path):
    """It needs a detector or an ROI, and writes 25 landmarks."""
    write_upper_body_network(tmp_path / "upper.onnx")
    cv2.imwrite(str(tmp_path / "desk.png"), np.zeros((200, 300, 3), np.uint8))
    status, _, err = track("desk.png", "--weights", "upper.onnx", "--landmarks", "out.jsonl")
    assert (status, err.partition(":")[0]) == (1, "upper.onnx has no detector")
    outputs = ("--out", "out.png", "--landmarks", "out.jsonl")
    assert track("desk.png", "--weights", "upper.onnx", "--roi", "150,100,90,0", *outputs)[0] == 0
    (person,) = lines(tmp_path / "out.jsonl")[0]["poses"]
    assert np.shape(person["landmarks"]) == (25, 5)
    assert person["landmarks"][0][:2] == pytest.approx([150, 70], abs=0.01)
    assert person["landmarks_world"] is None
    assert cv2.imread(str(tmp_path / "out.png"))[85, 150].any()
