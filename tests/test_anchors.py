"""The detector's anchors, its decoding, and non-maximum suppression."""

import numpy as np
import pytest

from blazepose.anchors import (
    CIRCLE,
    DETECTOR_2021_ANCHORS,
    DETECTOR_ANCHORS,
    HIPS,
    NUM_COORDINATES,
    SHOULDERS,
    UPPER_CIRCLE,
    Detections,
    box_iou,
    decode_anchors,
    is_detector_output,
    layout_of_input,
    weighted_nms,
)

MIDDLE_LEVEL, COARSE_LEVEL = 1568, 1960


@pytest.mark.parametrize(
    ("anchor", "center"),
    [
        (0, (0.5 / 28, 0.5 / 28)),
        (1, (0.5 / 28, 0.5 / 28)),
        (2, (1.5 / 28, 0.5 / 28)),
        (56, (0.5 / 28, 1.5 / 28)),
        (MIDDLE_LEVEL - 1, (27.5 / 28, 27.5 / 28)),
        (MIDDLE_LEVEL, (0.5 / 14, 0.5 / 14)),
        (MIDDLE_LEVEL + 3, (1.5 / 14, 0.5 / 14)),
        (COARSE_LEVEL - 1, (13.5 / 14, 13.5 / 14)),
        (COARSE_LEVEL + 5, (0.5 / 7, 0.5 / 7)),
        (COARSE_LEVEL + 6, (1.5 / 7, 0.5 / 7)),
        (2253, (6.5 / 7, 6.5 / 7)),
    ],
)
def test_centers_are_in_order_of_level_row_column_and_anchor(anchor, center):
    assert DETECTOR_ANCHORS.centers.shape == (2254, 2)
    assert DETECTOR_ANCHORS.centers[anchor] == pytest.approx(center, abs=1e-12)


@pytest.mark.parametrize(
    ("anchor", "center"),
    [
        (0, (0.5 / 16, 0.5 / 16)),
        (3, (1.5 / 16, 0.5 / 16)),
        (511, (15.5 / 16, 15.5 / 16)),
        (512, (0.5 / 8, 0.5 / 8)),
        (512 + 5, (0.5 / 8, 0.5 / 8)),
        (512 + 8 * 6, (0.5 / 8, 1.5 / 8)),
        (895, (7.5 / 8, 7.5 / 8)),
    ],
)
def test_centers_of_the_detector_of_2021(anchor, center):
    assert DETECTOR_2021_ANCHORS.centers.shape == (DETECTOR_2021_ANCHORS.num_anchors, 2) == (896, 2)
    assert DETECTOR_2021_ANCHORS.centers[anchor] == pytest.approx(center, abs=1e-12)


def test_a_detector_is_recognized_by_its_input_and_its_output():
    assert layout_of_input((1, 128, 128, 3, "float32")) == DETECTOR_2021_ANCHORS
    for shape in ((1, 224, 224, 3), (1, 256, 256, 3), (1,), ()):
        assert layout_of_input(shape) == DETECTOR_ANCHORS
    assert [is_detector_output(shape) for shape in ([1, 2254, 12], ["batch", 896, 12])] == [True, True]
    assert not any(is_detector_output(shape) for shape in ([1, 195], [1, 896, 16], [1], []))


def raw(**anchors: list[float]) -> np.ndarray:
    """Return the network's coordinates, zero except `a7=[...]`, anchor 7's first ones."""
    coordinates = np.zeros((2254, NUM_COORDINATES), np.float32)
    for name, values in anchors.items():
        coordinates[int(name[1:]), : len(values)] = values
    return coordinates


def scores(**anchors: float) -> np.ndarray:
    values = np.zeros(2254, np.float32)
    for name, score in anchors.items():
        values[int(name[1:])] = score
    return values


def test_decode_by_hand():
    """Anchor 1568 is at (8, 8) of 224 pixels."""
    coordinates = raw(a1568=[24, 48, 64, 32, 1, 2, 3, 4, 5, 6, 7, -8])
    detections = decode_anchors(coordinates, scores(a1568=0.75), DETECTOR_ANCHORS, 0.5)
    assert detections.scores.tolist() == [0.75]
    np.testing.assert_allclose(detections.boxes_xyxy * 224, [[0, 40, 64, 72]], atol=1e-4)
    points = detections.points[0] * 224
    np.testing.assert_allclose(points[HIPS], [9, 10], atol=1e-4)
    np.testing.assert_allclose(points[CIRCLE], [11, 12], atol=1e-4)
    np.testing.assert_allclose(points[SHOULDERS], [13, 14], atol=1e-4)
    np.testing.assert_allclose(points[UPPER_CIRCLE], [15, 0], atol=1e-4)


def test_detections_from_the_threshold_are_sorted_by_score():
    detections = decode_anchors(raw(), scores(a0=0.5, a2=0.9, a4=0.49, a6=0.7), DETECTOR_ANCHORS, 0.5)
    assert detections.scores == pytest.approx([0.9, 0.7, 0.5])
    assert detections.boxes_xyxy[:, 0] * 28 == pytest.approx([1.5, 3.5, 0.5])


def test_boxes_of_negative_size_are_dropped():
    coordinates = raw(a0=[0, 0, -1, 5], a2=[0, 0, 5, -1], a4=[0, 0, 0, 0])
    detections = decode_anchors(coordinates, scores(a0=0.9, a2=0.9, a4=0.9), DETECTOR_ANCHORS, 0.5)
    assert detections.boxes_xyxy[:, 0] * 28 == pytest.approx([2.5])


@pytest.mark.parametrize("min_score", [0.0, 0.5])
def test_nan_is_no_detection(min_score):
    confidence = np.full(2254, np.nan, np.float32)
    confidence[:2] = 0.9
    detections = decode_anchors(raw(a0=[0, 0, np.nan, 1]), confidence, DETECTOR_ANCHORS, min_score)
    assert detections.scores == pytest.approx([0.9])


def test_box_iou_by_hand():
    boxes = np.array([[0.0, 0.0, 4.0, 4.0], [1.0, 1.0, 1.0, 1.0]])
    others = np.array(
        [[0.0, 0.0, 4.0, 4.0], [2.0, 0.0, 6.0, 4.0], [1.0, 1.0, 3.0, 2.0], [4.0, 0.0, 8.0, 4.0]]
    )
    np.testing.assert_allclose(box_iou(boxes, others), [[1, 8 / 24, 2 / 16, 0], [0, 0, 0, 0]])


def people(*rows: tuple[float, list[float]]) -> Detections:
    """Return detections of these scores and boxes; every point is at the box's left upper corner."""
    boxes = np.array([box for _, box in rows], float)
    points = np.repeat(boxes[:, None, :2], 4, axis=1)
    return Detections(np.array([score for score, _ in rows]), boxes, points)


def test_overlapping_boxes_are_averaged_by_score():
    detections = people((0.9, [0, 0, 4, 4]), (0.8, [10, 0, 14, 4]), (0.6, [1, 0, 5, 4]))
    merged = weighted_nms(detections, 0.5)  # the first and the last share 12 of 20
    assert merged.scores.tolist() == [0.9, 0.8]
    np.testing.assert_allclose(merged.boxes_xyxy, [[0.4, 0, 4.4, 4], [10, 0, 14, 4]])
    np.testing.assert_allclose(merged.points, np.repeat([[[0.4, 0]], [[10, 0]]], 4, axis=1))


def test_low_scores_do_not_change_confident_detections():
    """So that lowering the score threshold does not change the boxes above it."""
    confident = people((0.5, [0, 0, 4, 4]), (0.49, [1, 0, 5, 4]))
    np.testing.assert_array_equal(weighted_nms(confident, 0.5).boxes_xyxy, [[0, 0, 4, 4]])
    unsure = people((0.4, [0, 0, 4, 4]), (0.4, [1, 0, 5, 4]))
    np.testing.assert_allclose(weighted_nms(unsure, 0.5).boxes_xyxy, [[0.5, 0, 4.5, 4]])


def test_the_threshold_itself_keeps_boxes_apart():
    detections = people((0.9, [0, 0, 4, 4]), (0.6, [0, 0, 4, 2]))  # they share a half
    assert len(weighted_nms(detections, 0.5).scores) == 2
    assert len(weighted_nms(detections, 0.49).scores) == 1


def test_a_box_that_overlaps_only_the_second_best_stays():
    """Merging goes by the best box, not along a chain."""
    detections = people((0.9, [0, 0, 10, 4]), (0.8, [3, 0, 13, 4]), (0.7, [6, 0, 16, 4]))
    assert weighted_nms(detections, 0.5).scores.tolist() == [0.9, 0.7]


def test_a_box_without_area_is_kept():
    detections = people((0.9, [1, 1, 1, 1]), (0.6, [1, 1, 1, 1]))
    np.testing.assert_array_equal(weighted_nms(detections, 0.5).boxes_xyxy, detections.boxes_xyxy)


def test_scores_of_zero_merge_too():
    """With a threshold of 0 every anchor is a detection, and some sigmoids are 0 in float32."""
    merged = weighted_nms(people((0.0, [0, 0, 4, 4]), (0.0, [2, 0, 6, 4])), 0.3)
    assert merged.scores.tolist() == [0.0]


def test_no_detection_keeps_the_shapes():
    merged = weighted_nms(decode_anchors(raw(), scores(), DETECTOR_ANCHORS, 0.5), 0.5)
    assert [part.shape for part in merged] == [(0,), (0, 4), (0, 4, 2)]
