"""Two bundles on a video, in MediaPipe."""

import numpy as np
import pytest

from blazepose.evaluation.compare import video_change
from blazepose.evaluation.compare.comparison_summary import video_lines
from tests.mediapipe_runtime import frames


@pytest.mark.slow
def test_a_video_is_tracked_by_both_bundles(shared, monkeypatch):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    video = shared / "data" / "mp_reference" / "pose_squats.mp4"
    few = frames(video, 4)
    monkeypatch.setattr(video_change, "_frames", lambda path: iter([np.zeros_like(few[0]), *few]))
    bundle = shared / "models" / "pose_landmarker_full.task"
    change = video_change.measure_video((bundle, bundle), video)
    assert (change["frames"], change["without_pose"]) == (5, [1, 1])
    assert (change["hips_moved"], change["circle_moved"], change["crop_growth"]) == (0, 0, 0)
    assert "moved by 0.00 % (hips) and 0.00 % (circle)" in video_lines(change)[2]
    monkeypatch.setattr(video_change, "_frames", lambda path: iter([np.zeros_like(few[0])]))
    with pytest.raises(ValueError, match="detects no person in it"):
        video_change.measure_video((bundle, bundle), video)


def test_frames_come_from_the_video(shared):
    read = list(video_change._frames(shared / "data" / "mp_reference" / "pose_squats.mp4"))
    assert len(read) == 65
    assert read[0].dtype == np.uint8
