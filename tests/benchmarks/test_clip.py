"""The rendered clip behind docs/benchmarks/decoding.md."""

import json
import sys

import numpy as np
import pytest

from benchmarks import clip
from blazepose.runtime.media import open_source


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command in an empty folder, on a clip of two frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clip, "FAMILIES", ("squat", "press"))
    monkeypatch.setattr(clip, "_STEPS", 2)

    def call(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["clip.py", *arguments])
        clip.main()
        return capsys.readouterr().out.splitlines()

    return call


@pytest.mark.shared
def test_a_clip_is_rendered_and_scored(run, tmp_path, shared):
    assert run("render", "clip.mp4") == ["clip.mp4: 2 frames"]
    labels = np.array(json.loads((tmp_path / "clip.json").read_text()))
    assert labels.shape == (2, 33, 2)
    frames = [frame.image for frame in open_source("clip.mp4").frames]
    assert len(frames) == 2
    assert 0 < np.abs(np.diff(labels, axis=0)).max() < 200, "the person moves"
    bundle = str(shared / "models/pose_landmarker_full.task")
    lines = run("jumps", "clip.mp4", bundle, bundle)
    rows = [line.strip("| ").split(" | ") for line in lines[2:]]
    assert [row[0] for row in rows] == [
        "MediaPipe, regression",
        "MediaPipe, heatmap",
        "our tracker, mediapipe",
        "our tracker, heatmap",
    ]
    assert rows[0][1:] == rows[1][1:], "the same file"
    for row in rows:
        median, high, largest, pck, missed = map(float, row[1:])
        assert 0 < median <= high
        assert largest < 500
        assert 20 < pck <= 100
        assert missed == 0


def test_the_motion_is_slow_at_each_posture():
    from blazepose.synthetic.poses.posture import Posture

    first, second = (
        Posture({"left_knee_flexion": 0.0}),
        Posture({"left_knee_flexion": 100.0, "spine_bend": 10.0}),
    )
    frames = list(clip.between([first, second, first]))
    assert len(frames) == 60
    knee = np.array([frame.angles["left_knee_flexion"] for frame in frames])
    assert knee[0] == 0
    assert knee[30] == 100
    assert np.abs(np.diff(knee)).max() < 6, "degrees a frame"
    assert np.diff(knee)[0] < 1
    assert frames[15].angles["spine_bend"] == pytest.approx(5)
