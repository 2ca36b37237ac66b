"""The command that measures what a fine-tuning gained and forgot."""

import re

import numpy as np
import pytest

from blazepose.commands import compare as drift
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from tests.mediapipe_runtime import frames


def test_equal_weights_have_no_gain_and_no_forgetting(shared, capsys):
    weights = str(shared / "models" / "pose_landmark_lite.tflite")
    drift.main([weights, weights, "--data", f"coco:{shared}/data/coco_mini:train2017", "--roi", "jitter"])
    printed = capsys.readouterr().out
    assert "roi=jitter" in printed
    assert ": +0.0, 95 % interval -" in printed
    hands = re.search(r"hands, % of torso +(\S+) +(\S+)", printed)
    masks = re.search(r"mask IoU, % +(\S+) +(\S+)", printed)
    assert hands
    assert masks
    assert float(hands[1]) == 0
    assert float(masks[1]) == 100
    # A crop shifted by two pixels changes the outputs, but only slightly.
    assert 0.1 < float(hands[2]) < 5
    assert 90 < float(masks[2]) < 100


@pytest.mark.slow
def test_a_video_is_tracked_by_both_bundles(shared, capsys, monkeypatch):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    video = shared / "data" / "mp_reference" / "pose_squats.mp4"
    few = frames(video, 4)
    monkeypatch.setattr(drift, "_frames", lambda path: iter([np.zeros_like(few[0]), *few]))
    bundle = str(shared / "models" / "pose_landmarker_full.task")
    drift.main([bundle, bundle, "--video", str(video)])
    printed = capsys.readouterr().out
    assert "5 frames, MediaPipe's VIDEO mode" in printed
    assert "frames without a pose 1 -> 1" in printed
    assert "moved by 0.00 % (hips) and 0.00 % (circle)" in printed
    monkeypatch.setattr(drift, "_frames", lambda path: iter([np.zeros_like(few[0])]))
    with pytest.raises(SystemExit):
        drift.main([bundle, bundle, "--video", str(video)])
    assert "detects no person in it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to evaluate: give labelled people with --data, or a --video"),
        (["--video", "gone.mp4"], "--video gone.mp4 is missing"),
        (["--video", "text.mp4"], "text.mp4 cannot be read as a video: Invalid data"),
        (["--data", "lsp:a", "--pictures", "gone/a.png"], "--pictures gone/a.png: its folder does not exist"),
        (
            ["--data", "lsp:a", "--data", "lsp:b", "--pictures", "a.png"],
            "--pictures needs exactly one --data",
        ),
    ],
)
def test_errors(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "a.task").write_bytes(pack({DETECTOR_ENTRY: b"", LANDMARKS_ENTRY: b""}))
    with pytest.raises(SystemExit):
        drift.main(["a.task", "a.task", *arguments])
    assert sentence in capsys.readouterr().err


def test_frames_come_from_the_video(shared):
    read = list(drift._frames(shared / "data" / "mp_reference" / "pose_squats.mp4"))
    assert len(read) == 65
    assert read[0].dtype == np.uint8
