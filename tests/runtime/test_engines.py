from pathlib import Path

import numpy as np
import pytest

from blazepose.anchors import DETECTOR_2021_ANCHORS
from blazepose.runtime.decode import NUM_RAW_OUTPUTS
from blazepose.runtime.engines import DetectorEngine, LandmarkEngine
from tests.runtime.written_onnx import DETECTOR_OUTPUTS, LANDMARK_OUTPUTS, write_onnx


def red_images(size: int) -> np.ndarray:
    """Return three images whose red is 0, 51 and 255."""
    images = np.zeros((3, size, size, 3), np.uint8)
    images[..., 0] = np.array([0, 51, 255])[:, None, None]
    return images


def test_the_input_of_the_landmark_network_is_0_to_1(tmp_path):
    engine = LandmarkEngine(write_onnx(tmp_path / "net.onnx"), 1)
    assert engine.input_size == 256
    assert engine.metadata == {}
    raw = engine(red_images(256))
    assert [output.shape for output in raw[:NUM_RAW_OUTPUTS]] == [(3, *shape) for shape in LANDMARK_OUTPUTS]
    assert raw.landmarks[:, 0] == pytest.approx([0, 0.2, 1], rel=1e-3)
    assert raw.world[:, 0] == pytest.approx([0, 1, 5], rel=1e-3)


def write_detector(path: Path, **options) -> Path:
    return write_onnx(path, **{"outputs": DETECTOR_OUTPUTS, "size": 224, **options})


def test_the_input_of_the_detector_is_minus_1_to_1(tmp_path):
    engine = DetectorEngine(write_detector(tmp_path / "net.onnx", metadata={"topology": "pose"}), 1)
    assert engine.metadata == {"topology": "pose"}
    boxes, logits = engine(red_images(224))
    assert boxes.shape == (3, 2254, 12)
    assert logits.shape == (3, 2254, 1)
    assert boxes[:, 0, 0] == pytest.approx([-1, 51 / 127.5 - 1, 1], rel=1e-3)
    assert logits[:, 0, 0] == pytest.approx([-2, 2 * (51 / 127.5 - 1), 2], rel=1e-3)


def test_the_detector_of_2021_is_recognized_by_its_input(tmp_path):
    engine = DetectorEngine(write_onnx(tmp_path / "net.onnx", outputs=([896, 12], [896, 1]), size=128), 1)
    assert engine.anchors == DETECTOR_2021_ANCHORS
    boxes, logits = engine(red_images(128))
    assert (boxes.shape, logits.shape) == ((3, 896, 12), (3, 896, 1))
    assert boxes[:, 0, 0] == pytest.approx([-1, 51 / 127.5 - 1, 1], rel=1e-3)
    mixed = write_detector(tmp_path / "mixed.onnx", size=128)
    with pytest.raises(ValueError, match=r"its outputs are \[batch, 2254, 12\], .* expected \[1, 896, 12\]"):
        DetectorEngine(mixed)


def test_further_outputs_are_ignored(tmp_path):
    engine = LandmarkEngine(write_onnx(tmp_path / "net.onnx", outputs=(*LANDMARK_OUTPUTS, [7])), 1)
    assert engine(red_images(256)).world.shape == (3, 117)
    detector = DetectorEngine(write_detector(tmp_path / "det.onnx", outputs=(*DETECTOR_OUTPUTS, [7])), 1)
    assert len(detector(red_images(224))) == 2


@pytest.mark.parametrize(
    "outputs", [LANDMARK_OUTPUTS[:4], LANDMARK_OUTPUTS[::-1], ([195], [1, 1, 1], *LANDMARK_OUTPUTS[2:])]
)
def test_outputs_are_matched_by_position_and_shape(tmp_path, outputs):
    path = write_onnx(tmp_path / "net.onnx", outputs=outputs)
    with pytest.raises(ValueError, match=r"net\.onnx is not a landmark network: its outputs are \[batch, "):
        LandmarkEngine(path)


def test_outputs_of_a_detector_are_matched_by_position(tmp_path):
    path = write_detector(tmp_path / "net.onnx", outputs=DETECTOR_OUTPUTS[::-1])
    with pytest.raises(ValueError, match=r"expected \[1, 2254, 12\], \[1, 2254, 1\] in this order"):
        DetectorEngine(path)


def test_another_input_shape_is_refused(tmp_path):
    path = write_onnx(tmp_path / "net.onnx", batch=4)
    with pytest.raises(ValueError, match=r"its inputs are \[4, 256, 256, 3, float32\], expected \[1, 256"):
        LandmarkEngine(path)


def test_networks_of_the_other_kind_are_refused(tmp_path):
    landmarks, detector = write_onnx(tmp_path / "land.onnx"), write_detector(tmp_path / "det.onnx")
    with pytest.raises(ValueError, match=r"det\.onnx is not a landmark network: its outputs are \[batch, 22"):
        LandmarkEngine(detector)
    with pytest.raises(
        ValueError,
        match=r"land\.onnx is not a pose detector: its inputs are \[1, 256, .* expected \[1, 224",
    ):
        DetectorEngine(landmarks)


@pytest.mark.shared
def test_published_networks(shared: Path):
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    engine = LandmarkEngine(shared / "models/pose_landmark_full.tflite", 2)
    assert engine.input_size == 256
    assert engine.metadata == {}
    batch = engine(images)
    assert [output.shape for output in batch[:NUM_RAW_OUTPUTS]] == [(2, *shape) for shape in LANDMARK_OUTPUTS]
    for k in range(2):
        single = engine(images[k : k + 1])
        for together, alone in zip(batch[:NUM_RAW_OUTPUTS], single, strict=False):
            np.testing.assert_array_equal(together[k : k + 1], alone)
    bundle = LandmarkEngine(shared / "models/pose_landmarker_full.task", 2)(images)
    np.testing.assert_array_equal(bundle.landmarks, batch.landmarks)


@pytest.mark.shared
def test_the_published_detectors_of_file_and_bundle_are_equal(shared: Path):
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    alone, bundled = (
        DetectorEngine(shared / "models" / name, 1)(images)
        for name in ("pose_detection.tflite", "pose_landmarker_full.task")
    )
    assert [output.shape for output in alone] == [(2, 2254, 12), (2, 2254, 1)]
    for one, other in zip(alone, bundled, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.shared
def test_published_networks_of_the_other_kind_are_refused(shared: Path):
    with pytest.raises(
        ValueError, match=r"pose_detection\.tflite is not a landmark network: its outputs are \[1, 2254"
    ):
        LandmarkEngine(shared / "models/pose_detection.tflite")
    with pytest.raises(ValueError, match=r"pose_landmark_full\.tflite is not a pose detector: its inputs"):
        DetectorEngine(shared / "models/pose_landmark_full.tflite")
