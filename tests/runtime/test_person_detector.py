"""Detection of people in an image, with a stub network."""

import math
from pathlib import Path

import numpy as np
import pytest

from blazepose.anchors import DETECTOR_ANCHORS
from blazepose.geometry import Roi
from blazepose.runtime.engines import DetectorEngine
from blazepose.runtime.person_detector import PersonDetector
from blazepose.topologies import FULL_BODY
from blazepose.topologies.upper_body import UPPER_BODY
from tests.mediapipe_runtime import picture
from tests.runtime.test_parity import numbers

MIDDLE = 1568 + 2 * (7 * 14 + 7)
"""An anchor at (120, 120) of 224 pixels."""


class StubEngine(DetectorEngine):
    """Engine with these outputs: {anchor: (logit, 12 coordinates in pixels from its center)}."""

    def __init__(self, anchors: dict[int, tuple[float, list[float]]]) -> None:
        self.images: list[np.ndarray] = []
        self.anchors, self.metadata = DETECTOR_ANCHORS, {}
        self._boxes = np.zeros((1, 2254, 12), np.float32)
        self._logits = np.full((1, 2254, 1), -9, np.float32)
        for anchor, (logit, coordinates) in anchors.items():
            self._boxes[0, anchor], self._logits[0, anchor] = coordinates, logit

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.images.append(images)
        return self._boxes, self._logits


UPRIGHT = [-8, -40, 16, 32, -8, -8, -8, -64, 0, -16, 0, -72]
"""Face from (104, 64) to (120, 96); hips at (112, 112), the middle; circle point 56 above; shoulders (120,
104)."""


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [(448, 224, (208, 16, 240, 80)), (224, 448, (96, 128, 128, 192)), (224, 224, (104, 64, 120, 96))],
)
def test_the_letterbox_is_undone(width, height, box):
    (person,) = PersonDetector(StubEngine({MIDDLE: (math.log(4), UPRIGHT)}))(
        np.zeros((height, width, 3), np.uint8)
    )
    zoom = max(width, height) / 224
    assert person.score == pytest.approx(0.8)
    np.testing.assert_allclose(person.box_xyxy, box, atol=1e-3)
    center = np.array([width, height]) / 2
    shifts = np.array([[0, 0], [0, -56], [8, -8], [8, -64]])
    np.testing.assert_allclose(person.points_px, center + shifts * zoom, atol=1e-3)
    roi = person.roi_for()
    assert (roi.center_x, roi.center_y) == pytest.approx(tuple(center), abs=1e-3)
    assert roi.side == pytest.approx(2 * 1.25 * 56 * zoom, abs=1e-3)
    assert roi.rotation_rad == pytest.approx(0, abs=1e-4)
    upper = person.roi_for(UPPER_BODY)
    assert (upper.center_x, upper.center_y) == pytest.approx(tuple(center + shifts[2] * zoom), abs=1e-3)
    assert upper.side == pytest.approx(2 * 1.5 * 56 * zoom, abs=1e-3)


def test_the_input_is_the_whole_image_on_black():
    engine = StubEngine({})
    image = np.full((100, 400, 3), 255, np.uint8)
    image[:, :200, 1:] = 0
    assert PersonDetector(engine)(image) == []
    (crop,) = engine.images[0]
    assert crop.shape == (224, 224, 3)
    assert not crop[:84].any()
    assert not crop[140:].any()
    np.testing.assert_array_equal(crop[112, 10], [255, 0, 0])
    np.testing.assert_array_equal(crop[112, 214], [255, 255, 255])


def test_nan_outputs_are_refused():
    for box, logit in ((math.nan, 2.0), (1.0, math.nan)):
        with pytest.raises(ValueError, match="the detector outputs NaN or infinity; choose other weights"):
            PersonDetector(StubEngine({MIDDLE: (logit, [box] * 12)}))(np.zeros((9, 9, 3), np.uint8))


def test_people_are_sorted_by_score_and_merged():
    aside = [100.0, *UPRIGHT[1:]]
    anchors = {MIDDLE: (1.0, UPRIGHT), MIDDLE + 1: (2.0, UPRIGHT), 0: (3.0, aside), 5: (-0.1, UPRIGHT)}
    detections = PersonDetector(StubEngine(anchors))(np.zeros((224, 224, 3), np.uint8))
    assert [person.score for person in detections] == pytest.approx([1 / (1 + math.exp(-x)) for x in (3, 2)])
    assert len(PersonDetector(StubEngine(anchors), min_score=0.9)(np.zeros((224, 224, 3), np.uint8))) == 1


def test_a_threshold_of_zero_returns_every_anchor():
    """Even those whose score is 0 in float32."""
    engine = StubEngine({MIDDLE: (5.0, UPRIGHT)})
    engine._logits[0, :MIDDLE] = -200
    detections = PersonDetector(engine, min_score=0.0)(np.zeros((224, 224, 3), np.uint8))
    assert len(detections) == 2254  # all other boxes have no area
    assert detections[0].score == pytest.approx(1 / (1 + math.exp(-5)))
    assert detections[-1].score == 0


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8000, 4000), (3, 2000)])
def test_images_of_any_size(width, height):
    image = np.broadcast_to(np.uint8(9), (height, width, 3)).copy()
    (person,) = PersonDetector(StubEngine({MIDDLE: (5.0, UPRIGHT)}))(image)
    assert person.roi_for().side == pytest.approx(2.5 * 56 / 224 * max(width, height), rel=1e-4)
    assert person.roi_for().center_x == pytest.approx(width / 2, abs=max(width, height) * 1e-5)


@pytest.mark.shared
def test_google_s_detector_finds_the_person_of_its_own_test(shared: Path):
    folder = shared / "data/mp_reference"
    image = picture(folder / "pose.jpg")
    height, width = image.shape[:2]
    rect = (folder / "pose_expected_expanded_rect.pbtxt").read_text()
    x, y, side, turn = (
        float(numbers(rect, name)[0]) for name in ("x_center", "y_center", "height", "rotation")
    )
    expected = Roi(x * width, y * height, side * height, turn)
    (person,) = PersonDetector.load(shared / "models/pose_detection.tflite", num_threads=1)(image)
    assert person.roi_for().center_x == pytest.approx(expected.center_x, abs=0.005 * expected.side)
    assert person.roi_for().center_y == pytest.approx(expected.center_y, abs=0.005 * expected.side)
    assert person.roi_for().side == pytest.approx(expected.side, rel=0.005)
    assert math.degrees(abs(person.roi_for().rotation_rad - expected.rotation_rad)) < 1
    detection = (folder / "pose_expected_detection.pbtxt").read_text()
    assert person.score == pytest.approx(float(numbers(detection, "score")[0]), abs=0.01)


@pytest.mark.shared
def test_the_detector_of_2021_finds_that_person_too(shared: Path):
    image = picture(shared / "data/mp_reference/pose.jpg")
    (now,), (earlier,) = (
        PersonDetector.load(shared / "models" / name, num_threads=1)(image)
        for name in ("pose_detection.tflite", "pose_detection_2021.tflite")
    )
    for topology in (FULL_BODY, UPPER_BODY):
        roi, expected = earlier.roi_for(topology), now.roi_for(topology)
        shift = math.hypot(roi.center_x - expected.center_x, roi.center_y - expected.center_y)
        assert shift < 0.1 * expected.side
        assert roi.side == pytest.approx(expected.side, rel=0.2)
        assert math.degrees(abs(roi.rotation_rad - expected.rotation_rad)) < 8


def test_a_detector_that_has_not_learned_the_points_of_a_topology_is_refused():
    engine = StubEngine({})
    detector = PersonDetector(engine)
    detector.check_points(UPPER_BODY)
    engine.metadata = {"trained": {"outputs": ["scores", "boxes"], "points": ["hips", "circle", "shoulders"]}}
    detector.check_points(FULL_BODY)
    with pytest.raises(ValueError, match=r"has not learned the point upper_circle, .* topology upper_body"):
        detector.check_points(UPPER_BODY)


@pytest.mark.shared
def test_google_s_detector_finds_no_person_in_noise(shared: Path):
    detector = PersonDetector.load(shared / "models/pose_landmarker_full.task", num_threads=1)
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert detector(noise) == []
    assert detector(np.zeros((480, 640, 3), np.uint8)) == []


@pytest.mark.parametrize(("confident_score", "shift"), [(None, 2 * 0.475), (0.5, 0)])
def test_low_scores_are_averaged_in_as_in_mediapipe(confident_score, shift):
    """Unless confident detections are to be independent of them."""
    aside = [UPRIGHT[0] + 2, *UPRIGHT[1:]]
    anchors = StubEngine({MIDDLE: (0.1, UPRIGHT), MIDDLE + 1: (-0.1, aside)})
    (person,) = PersonDetector(anchors, 0.4, confident_score)(np.zeros((224, 224, 3), np.uint8))
    np.testing.assert_allclose(person.box_xyxy, [104 + shift, 64, 120 + shift, 96], atol=1e-3)
