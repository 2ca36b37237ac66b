"""Bundles: Google's own through our networks and back, and what may not go into one."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.export.landmark_export import export_landmark_net
from blazepose.export.task import find_detector, read_detector
from blazepose.export.tflite import with_metadata
from blazepose.export.tflite_metadata import NORMALIZATION_KEY, Normalization, normalization_metadata
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite
from tests.mediapipe_runtime import frames, look, picture


@pytest.fixture(scope="module")
def ours(lite_bundle, shared, tmp_path_factory) -> Path:
    """Google's bundle, imported into our network and written again."""
    out = tmp_path_factory.mktemp("exported") / "pose.task"
    export_landmark_net(lite_bundle, "task", "fp16", out, shared / "data" / "lspet_val" / "images")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("video", [False, True])
def test_googles_runtime_says_the_same_of_googles_weights_from_us(lite_bundle, ours, shared, video):
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
def test_the_detector_is_the_bundles_own(lite_bundle, ours):
    assert read_tflite(ours, DETECTOR_ENTRY) == read_tflite(lite_bundle, DETECTOR_ENTRY)
    sizes = [len(read_tflite(bundle, LANDMARKS_ENTRY)) for bundle in (ours, lite_bundle)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.06)


def test_where_the_detector_comes_from(tmp_path):
    given, weights, began = tmp_path / "given.tflite", tmp_path / "net.task", tmp_path / "init.task"
    for path in (weights, began):
        path.touch()
    about = {"recipe": {"init": str(began)}}
    assert find_detector(given, weights, about) == given
    assert find_detector(None, weights, about) == weights
    assert find_detector(None, tmp_path / "best.ckpt", about) == began
    for unknown in ({}, {"recipe": {"init": None}}, {"recipe": {"init": str(tmp_path / "gone.task")}}):
        with pytest.raises(ValueError, match=r"holds a detector, too: name a .* with --detector"):
            find_detector(None, tmp_path / "best.ckpt", unknown)


def test_a_detector_without_metadata_gets_them(shared, tmp_path):
    known = (shared / "models" / "pose_detection.tflite").read_bytes()
    assert read_detector(shared / "models" / "pose_landmarker_full.task") == known
    wrong = normalization_metadata(Normalization(0, 255))
    plain = known.replace(NORMALIZATION_KEY.encode(), b"SOMETHING_ELSE_")
    (tmp_path / "plain.tflite").write_bytes(plain)
    assert read_detector(tmp_path / "plain.tflite") == with_metadata(
        plain, {NORMALIZATION_KEY: normalization_metadata(Normalization(127.5, 127.5))}
    )
    (tmp_path / "wrong.tflite").write_bytes(with_metadata(plain, {NORMALIZATION_KEY: wrong}))
    with pytest.raises(
        ValueError, match=r"wrong\.tflite tells MediaPipe .* mean 0 and deviation 255; .* take 127\.5"
    ):
        read_detector(tmp_path / "wrong.tflite")


def test_what_is_no_detector_is_told(shared, tmp_path):
    with pytest.raises(ValueError, match=r"full\.tflite holds a landmark network where the bundle needs a"):
        read_detector(shared / "models" / "pose_landmark_full.tflite")
    (tmp_path / "no.tflite").write_bytes(b"text, no network")
    with pytest.raises(ValueError, match=r"no\.tflite cannot be read as a TFLite file: it has no iden"):
        read_detector(tmp_path / "no.tflite")
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        read_detector(tmp_path / "gone.task")
