"""The detector's anchors, its decoding, and the merging of what overlaps."""

import numpy as np
import pytest

from blazepose.anchors import (
    CIRCLE,
    HIPS,
    NUM_COORDINATES,
    SHOULDERS,
    UPPER_CIRCLE,
    Detections,
    anchor_centers,
    box_iou,
    decode_anchors,
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
def test_centers_go_by_level_row_column_and_anchor(anchor, center):
    assert anchor_centers().shape == (2254, 2)
    assert anchor_centers()[anchor] == pytest.approx(center, abs=1e-12)


def raw(**anchors: list[float]) -> np.ndarray:
    """The network's coordinates, zero but for `a7=[...]`, anchor 7's first ones."""
    coordinates = np.zeros((2254, NUM_COORDINATES), np.float32)
    for name, values in anchors.items():
        coordinates[int(name[1:]), : len(values)] = values
    return coordinates


def scores(**anchors: float) -> np.ndarray:
    found = np.zeros(2254, np.float32)
    for name, score in anchors.items():
        found[int(name[1:])] = score
    return found


def test_decode_by_hand():
    """Anchor 1568 is at (8, 8) of 224 pixels."""
    coordinates = raw(a1568=[24, 48, 64, 32, 1, 2, 3, 4, 5, 6, 7, -8])
    found = decode_anchors(coordinates, scores(a1568=0.75), 224, 0.5)
    assert found.scores.tolist() == [0.75]
    np.testing.assert_allclose(found.boxes_xyxy * 224, [[0, 40, 64, 72]], atol=1e-4)
    points = found.points[0] * 224
    np.testing.assert_allclose(points[HIPS], [9, 10], atol=1e-4)
    np.testing.assert_allclose(points[CIRCLE], [11, 12], atol=1e-4)
    np.testing.assert_allclose(points[SHOULDERS], [13, 14], atol=1e-4)
    np.testing.assert_allclose(points[UPPER_CIRCLE], [15, 0], atol=1e-4)


def test_best_first_from_the_threshold_on():
    found = decode_anchors(raw(), scores(a0=0.5, a2=0.9, a4=0.49, a6=0.7), 224, 0.5)
    assert found.scores == pytest.approx([0.9, 0.7, 0.5])
    assert found.boxes_xyxy[:, 0] * 28 == pytest.approx([1.5, 3.5, 0.5])


def test_boxes_turned_inside_out_are_dropped():
    coordinates = raw(a0=[0, 0, -1, 5], a2=[0, 0, 5, -1], a4=[0, 0, 0, 0])
    found = decode_anchors(coordinates, scores(a0=0.9, a2=0.9, a4=0.9), 224, 0.5)
    assert found.boxes_xyxy[:, 0] * 28 == pytest.approx([2.5])


@pytest.mark.parametrize("least", [0.0, 0.5])
def test_what_is_no_number_is_nobody(least):
    confidence = np.full(2254, np.nan, np.float32)
    confidence[:2] = 0.9
    found = decode_anchors(raw(a0=[0, 0, np.nan, 1]), confidence, 224, least)
    assert found.scores == pytest.approx([0.9])


def test_overlap_by_hand():
    boxes = np.array([[0.0, 0.0, 4.0, 4.0], [1.0, 1.0, 1.0, 1.0]])
    others = np.array(
        [[0.0, 0.0, 4.0, 4.0], [2.0, 0.0, 6.0, 4.0], [1.0, 1.0, 3.0, 2.0], [4.0, 0.0, 8.0, 4.0]]
    )
    np.testing.assert_allclose(box_iou(boxes, others), [[1, 8 / 24, 2 / 16, 0], [0, 0, 0, 0]])


def people(*rows: tuple[float, list[float]]) -> Detections:
    """Scores and boxes; every point at the box's left upper corner."""
    boxes = np.array([box for _, box in rows], float)
    points = np.repeat(boxes[:, None, :2], 4, axis=1)
    return Detections(np.array([score for score, _ in rows]), boxes, points)


def test_overlapping_boxes_are_averaged_by_score():
    found = people((0.9, [0, 0, 4, 4]), (0.8, [10, 0, 14, 4]), (0.6, [1, 0, 5, 4]))
    merged = weighted_nms(found, 0.5)  # the first and the last share 12 of 20
    assert merged.scores.tolist() == [0.9, 0.8]
    np.testing.assert_allclose(merged.boxes_xyxy, [[0.4, 0, 4.4, 4], [10, 0, 14, 4]])
    np.testing.assert_allclose(merged.points, np.repeat([[[0.4, 0]], [[10, 0]]], 4, axis=1))


def test_unsure_answers_do_not_move_sure_ones():
    """So that who asks for less sure ones, too, gets the same sure ones."""
    sure = people((0.5, [0, 0, 4, 4]), (0.49, [1, 0, 5, 4]))
    np.testing.assert_array_equal(weighted_nms(sure, 0.5).boxes_xyxy, [[0, 0, 4, 4]])
    unsure = people((0.4, [0, 0, 4, 4]), (0.4, [1, 0, 5, 4]))
    np.testing.assert_allclose(weighted_nms(unsure, 0.5).boxes_xyxy, [[0.5, 0, 4.5, 4]])


def test_the_threshold_itself_keeps_boxes_apart():
    found = people((0.9, [0, 0, 4, 4]), (0.6, [0, 0, 4, 2]))  # they share a half
    assert len(weighted_nms(found, 0.5).scores) == 2
    assert len(weighted_nms(found, 0.49).scores) == 1


def test_who_overlaps_only_the_second_best_stays():
    """Merging goes by the best box, not along a chain."""
    found = people((0.9, [0, 0, 10, 4]), (0.8, [3, 0, 13, 4]), (0.7, [6, 0, 16, 4]))
    assert weighted_nms(found, 0.5).scores.tolist() == [0.9, 0.7]


def test_a_box_without_area_keeps_itself():
    found = people((0.9, [1, 1, 1, 1]), (0.6, [1, 1, 1, 1]))
    np.testing.assert_array_equal(weighted_nms(found, 0.5).boxes_xyxy, found.boxes_xyxy)


def test_scores_of_zero_merge_too():
    """A threshold of 0 counts every anchor, and far down the sigmoid is 0 in float32."""
    merged = weighted_nms(people((0.0, [0, 0, 4, 4]), (0.0, [2, 0, 6, 4])), 0.3)
    assert merged.scores.tolist() == [0.0]


def test_nobody_keeps_the_shapes():
    merged = weighted_nms(decode_anchors(raw(), scores(), 224, 0.5), 0.5)
    assert [part.shape for part in merged] == [(0,), (0, 4), (0, 4, 2)]
