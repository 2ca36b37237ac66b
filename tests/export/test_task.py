"""Bundles: Google's own through our networks and back, and detectors that are rejected."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.export.landmark_export import export_landmark_net
from blazepose.export.task import find_detector, read_detector
from blazepose.models.detector_net import DetectorNet
from blazepose.models.variants import DETECTOR_2021_VARIANT
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite
from blazepose.tflite.metadata import NORMALIZATION_KEY, Normalization, normalization_metadata, with_metadata
from blazepose.training.checkpoint import detector_metadata, write_checkpoint
from tests.mediapipe_runtime import frames, look, picture


@pytest.fixture(scope="module")
def ours(lite_bundle, shared, tmp_path_factory) -> Path:
    """Import Google's bundle into our network and export it again."""
    out = tmp_path_factory.mktemp("exported") / "pose.task"
    export_landmark_net(lite_bundle, "task", "fp16", out, shared / "data" / "lspet_val" / "images")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("video", [False, True])
def test_googles_runtime_gives_the_same_results_for_reexported_weights(lite_bundle, ours, shared, video):
    folder = shared / "data" / "mp_reference"
    images = frames(folder / "pose_squats.mp4", 12) if video else [picture(folder / "pose.jpg")]
    for one, other in zip(look(lite_bundle, images, video), look(ours, images, video), strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.landmarks[:, :3], other.landmarks[:, :3], atol=0.01)
        np.testing.assert_allclose(one.landmarks[:, 3:], other.landmarks[:, 3:], atol=1e-4)
        np.testing.assert_allclose(one.world, other.world, atol=1e-4)
        np.testing.assert_allclose(one.mask, other.mask, atol=1e-2)


@pytest.mark.slow
def test_the_detector_is_that_of_the_bundle(lite_bundle, ours):
    assert read_tflite(ours, DETECTOR_ENTRY) == read_tflite(lite_bundle, DETECTOR_ENTRY)
    sizes = [len(read_tflite(bundle, LANDMARKS_ENTRY)) for bundle in (ours, lite_bundle)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.06)


def test_source_of_the_detector(tmp_path):
    user, weights, init = tmp_path / "user.tflite", tmp_path / "net.task", tmp_path / "init.task"
    for path in (weights, init):
        path.touch()
    metadata = {"recipe": {"init": str(init)}}
    assert find_detector(user, weights, metadata) == user
    assert find_detector(None, weights, metadata) == weights
    assert find_detector(None, tmp_path / "best.ckpt", metadata) == init
    for without_bundle in ({}, {"recipe": {"init": None}}, {"recipe": {"init": str(tmp_path / "gone.task")}}):
        with pytest.raises(ValueError, match=r"needs a detector: pass a .* with --detector"):
            find_detector(None, tmp_path / "best.ckpt", without_bundle)


def test_missing_metadata_is_added_to_a_detector(shared, tmp_path):
    official = (shared / "models" / "pose_detection.tflite").read_bytes()
    assert read_detector(shared / "models" / "pose_landmarker_full.task") == official
    wrong = normalization_metadata(Normalization(0, 255))
    plain = official.replace(NORMALIZATION_KEY.encode(), b"SOMETHING_ELSE_")
    (tmp_path / "plain.tflite").write_bytes(plain)
    assert read_detector(tmp_path / "plain.tflite") == with_metadata(
        plain, {NORMALIZATION_KEY: normalization_metadata(Normalization(127.5, 127.5))}
    )
    (tmp_path / "wrong.tflite").write_bytes(with_metadata(plain, {NORMALIZATION_KEY: wrong}))
    with pytest.raises(
        ValueError, match=r"wrong\.tflite has metadata .* mean 0 and deviation 255; .* need 127\.5"
    ):
        read_detector(tmp_path / "wrong.tflite")


def test_a_detector_of_other_anchors_is_refused(shared, tmp_path):
    net = DetectorNet(DETECTOR_2021_VARIANT)
    write_checkpoint(tmp_path / "a.ckpt", net, detector_metadata(net, {"train": [], "val": []}, {}))
    for path in (shared / "models" / "pose_detection_2021.tflite", tmp_path / "a.ckpt"):
        with pytest.raises(ValueError, match=r"896 anchors; MediaPipe Tasks decode 2254, so no \.task"):
            read_detector(path)


def test_files_without_a_detector_are_rejected(shared, tmp_path):
    with pytest.raises(
        ValueError, match=r"has no detector for the bundle: .*full\.tflite is not a pose detector"
    ):
        read_detector(shared / "models" / "pose_landmark_full.tflite")
    (tmp_path / "no.tflite").write_bytes(b"text, no network")
    with pytest.raises(ValueError, match=r"no\.tflite cannot be read as a TFLite file: it has no iden"):
        read_detector(tmp_path / "no.tflite")
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        read_detector(tmp_path / "gone.task")
