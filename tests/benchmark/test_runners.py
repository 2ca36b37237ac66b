"""Our tracker and MediaPipe's as functions of a frame."""

import sys

import numpy as np
import pytest

from blazepose.benchmark.runners import has_mediapipe, our_runner
from blazepose.evaluation.mediapipe_runtime import mediapipe_runner
from blazepose.exceptions import InputError
from blazepose.topologies.full_body import INDEX
from tests.constant_bundle import CENTER, NOSE, write_bundle

FRAME = np.zeros((100, 100, 3), np.uint8)


def test_both_return_the_landmarks_in_pixels(tmp_path):
    bundle = write_bundle(tmp_path / "a.task")
    points = our_runner(bundle)(FRAME, 0)
    assert points.shape == (33, 2)
    np.testing.assert_allclose(points[INDEX["nose"]], 100 * np.array(NOSE), atol=1)
    np.testing.assert_allclose(points[INDEX["left_hip"]], 100 * np.array(CENTER), atol=1)


@pytest.mark.shared
def test_mediapipe_on_a_picture(shared, capfd):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    from blazepose.image import read_image

    bundle = shared / "models/pose_landmarker_full.task"
    picture = read_image(shared / "data/mp_reference/pose.jpg")
    with mediapipe_runner(bundle, "image") as run:
        theirs = run(picture, 0)
        assert run(np.zeros((64, 64, 3), np.uint8), 0) is None
    assert (
        np.median(np.linalg.norm(theirs - our_runner(bundle, running_mode="image")(picture, 0), axis=1)) < 0.1
    )
    assert "landmark_projection" not in capfd.readouterr().err


def test_a_bundle_that_mediapipe_rejects(tmp_path):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    with (
        pytest.raises(InputError, match=r"MediaPipe rejects .*a\.task"),
        mediapipe_runner(
            write_bundle(tmp_path / "a.task")  # it has no metadata
        ),
    ):
        pass


def test_without_mediapipe(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    assert not has_mediapipe()
