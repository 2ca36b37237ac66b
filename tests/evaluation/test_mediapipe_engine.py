"""MediaPipe on our crops, against our decoding of the same network."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from blazepose.data.align import aligned_roi
from blazepose.data.readers import read_source
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.mediapipe_runtime import track_video
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.decode import decode_landmarks, refine_by_heatmap, sigmoid
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from tests.mediapipe_runtime import frames


@pytest.mark.slow
def test_mediapipe_outputs_equal_our_decoding(shared, lite_bundle):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    people = read_source(f"lsp:{shared}/data/lspet_val").annotations[::170]
    crops = np.stack(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), 256) for p in people]
    )
    theirs, ours = (open_weights(lite_bundle, engine)(crops) for engine in ("mediapipe", "litert"))
    landmarks, expected = (decode_landmarks(raw.landmarks, 256)[:, :33] for raw in (theirs, ours))
    expected[..., :2] = refine_by_heatmap(expected[..., :2], ours.heatmaps[..., :33])
    np.testing.assert_allclose(landmarks[..., :3], expected[..., :3], atol=0.01 / 256)
    np.testing.assert_allclose(landmarks[..., 3:], expected[..., 3:], atol=1e-4)
    np.testing.assert_allclose(theirs.world[:, :99], ours.world[:, :99], atol=1e-4)
    np.testing.assert_allclose(sigmoid(theirs.segmentation), sigmoid(ours.segmentation), atol=1e-2)
    assert np.isnan(theirs.pose_presence).all()
    assert theirs.heatmaps is None, "landmarks refined by MediaPipe must not be refined again"


@pytest.mark.slow
def test_a_person_without_a_pose_is_missed(tiny_lsp, lite_bundle, monkeypatch):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    engine = open_weights(lite_bundle, "mediapipe")
    detect = engine._landmarker.detect
    results = iter([SimpleNamespace(pose_landmarks=[])])
    monkeypatch.setattr(engine._landmarker, "detect", lambda image: next(results, None) or detect(image))
    jobs = plan_label_crops([read_source(f"lsp:{tiny_lsp}")], "annotation", seed=0)[:2]
    assert [person.detected for person in predict(engine, jobs, "annotation")] == [False, True]


@pytest.fixture
def bundle(tmp_path) -> Path:
    (tmp_path / "pose.task").write_bytes(pack({DETECTOR_ENTRY: b"", LANDMARKS_ENTRY: b""}))
    return tmp_path / "pose.task"


def test_without_mediapipe_the_extra_is_named(monkeypatch, bundle):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    for use in (lambda: open_weights(bundle, "mediapipe"), lambda: track_video(bundle, [])):
        with pytest.raises(ImportError, match=r"MediaPipe is not installed: pip install"):
            use()


def test_only_bundles_are_accepted(tmp_path):
    with pytest.raises(
        ValueError, match=r"net\.tflite is not a \.task bundle.*blazepose export --target task writes one"
    ):
        track_video(tmp_path / "net.tflite", [])
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        track_video(tmp_path / "gone.task", [])


def test_a_bundle_that_mediapipe_rejects_is_refused(bundle):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    with pytest.raises(ValueError, match=r"MediaPipe rejects .*pose\.task: "):
        track_video(bundle, [])


@pytest.mark.slow
def test_a_person_is_tracked(shared):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    images = frames(shared / "data" / "mp_reference" / "pose_squats.mp4", 3)
    empty = np.zeros_like(images[0])
    poses = track_video(shared / "models" / "pose_landmarker_full.task", [empty, *images])
    assert [pose is None for pose in poses] == [True, False, False, False]
    height, width = empty.shape[:2]
    assert all(((pose > 0) & (pose < (width, height))).all() for pose in poses[1:])


def test_num_threads_is_refused():
    with pytest.raises(ValueError, match="omit num_threads"):
        open_weights(Path("pose.task"), "mediapipe", num_threads=2)
