"""Detection metrics by hand."""

import math

import numpy as np
import pytest

from blazepose.anchors import CIRCLE, HIPS, SHOULDERS, UPPER_CIRCLE, Detections
from blazepose.metrics.detection import (
    GroundTruth,
    Matches,
    average_precision,
    detection_metrics,
    match_detections,
)
from blazepose.topologies.upper_body import UPPER_BODY

Points = tuple[tuple[float, float], tuple[float, float]]
UPRIGHT: Points = ((100.0, 140.0), (100.0, 60.0))
"""Hips and circle: an ROI of 200 around (100, 140)."""


def detected(*people: tuple[float, float, float, float, Points]) -> Detections:
    """Build detections from score, center and side of the box, hips and circle of each."""
    scores, x, y, side = (np.array([person[k] for person in people]) for k in range(4))
    points = np.zeros((len(people), 4, 2))
    points[:, [HIPS, CIRCLE]] = np.array([person[4] for person in people]).reshape(-1, 2, 2)
    boxes = np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1)
    return Detections(scores, boxes, points)


def truth(
    *people: tuple[float, float, float], points=UPRIGHT, circle_labelled=True, ignored=()
) -> GroundTruth:
    """Build people from center and side of the box of each, with equal alignment points."""
    all_points = np.zeros((len(people), 4, 2))
    all_points[:, [HIPS, CIRCLE]] = points
    labelled = np.ones((len(people), 4), bool)
    labelled[:, CIRCLE] = circle_labelled
    boxes = np.array(people, float).reshape(-1, 3)
    return GroundTruth(boxes, all_points, labelled, np.array(ignored, float).reshape(-1, 4))


def test_the_roi_of_another_topology_is_compared_by_its_own_points():
    """The upper body's center is 12 px off, at a side of 3 times 40 px; the whole body's is exact."""
    people, found = truth((100, 100, 40)), detected((0.8, 100, 100, 40, UPRIGHT))
    people.points[0, [SHOULDERS, UPPER_CIRCLE]] = [[100, 100], [100, 60]]
    found.points[0, [SHOULDERS, UPPER_CIRCLE]] = [[112, 100], [112, 60]]
    assert match_detections(found, people).people[0, 2:] == pytest.approx([0, 0, 0])
    assert match_detections(found, people, UPPER_BODY).people[0, 2:] == pytest.approx([0.1, 0, 0])


@pytest.mark.parametrize(
    ("people", "expected"),
    [(2, (1 + 2 / 3) / 2), (3, (1 + 2 / 3) / 3)],
)
def test_average_precision_by_hand(people, expected):
    """Correct, false alarm, correct: precision 1, 1/2, 2/3."""
    scores, correct = np.array([0.6, 0.9, 0.8]), np.array([True, True, False])
    assert average_precision(scores, correct, people) == pytest.approx(100 * expected)


def test_precision_is_the_best_at_a_recall_or_beyond():
    """False alarm, correct, correct: 1/2 becomes 2/3."""
    assert average_precision(np.array([0.9, 0.8, 0.7]), np.array([False, True, True]), 2) == pytest.approx(
        200 / 3
    )


def test_average_precision_of_nothing():
    nothing = np.zeros(0), np.zeros(0, bool)
    assert average_precision(*nothing, 3) == 0
    assert math.isnan(average_precision(*nothing, 0))


@pytest.mark.parametrize(
    ("x", "side", "overlap", "place"),
    [
        (100, 40, 1, 1),
        (112, 40, 1, 1),  # 28 of 52; 0.3 sides away
        (118, 40, 0, 1),  # 22 of 58; 0.45
        (121, 40, 0, 0),
        (100, 20, 0, 1),  # a quarter
        (100, 90, 0, 1),
    ],
)
def test_correct_by_overlap_and_by_place(x, side, overlap, place):
    matches = match_detections(detected((0.8, x, 100, side, UPRIGHT)), truth((100, 100, 40)))
    assert matches.detections.tolist() == [[0.8, overlap, place]]
    assert matches.people[0, 0] == (0.8 if place else 0)


def test_a_duplicate_detection_counts_as_wrong():
    twice = detected((0.9, 102, 100, 40, UPRIGHT), (0.7, 100, 100, 40, UPRIGHT))
    matches = match_detections(twice, truth((100, 100, 40), (300, 100, 40)))
    assert matches.detections.tolist() == [[0.9, 1, 1], [0.7, 0, 0]]
    assert matches.people[:, 0].tolist() == [0.9, 0]


def test_the_best_detection_takes_the_nearest_person_and_leaves_the_other_to_the_next():
    """At 100 and 110: 106 matches the second, so 107, with a lower score, gets the first."""
    detections = detected((0.9, 106, 100, 40, UPRIGHT), (0.7, 107, 100, 40, UPRIGHT))
    matches = match_detections(detections, truth((100, 100, 40), (110, 100, 40)))
    assert matches.detections[:, 1:].tolist() == [[1, 1], [1, 1]]
    assert matches.people[:, 0].tolist() == [0.7, 0.9]


def test_detections_in_ignored_regions_count_only_if_correct():
    region = [(280, 80, 320, 120), (0, 0, 0, 0)]
    detections = detected(
        (0.9, 300, 100, 40, UPRIGHT), (0.8, 100, 100, 40, UPRIGHT), (0.6, 325, 100, 40, UPRIGHT)
    )
    matches = match_detections(detections, truth((100, 100, 40), ignored=region))
    assert matches.detections.tolist() == [[0.8, 1, 1], [0.6, 0, 0]]
    inside = match_detections(detections, truth((300, 100, 40), ignored=region))
    assert inside.detections.tolist() == [[0.9, 1, 1], [0.8, 0, 0], [0.6, 0, 0]]


@pytest.mark.parametrize(
    ("points", "true_points", "center", "side", "degrees"),
    [
        (UPRIGHT, UPRIGHT, 0, 0, 0),
        (((110.0, 140.0), (110.0, 52.0)), UPRIGHT, 10 / 200, 0.1, 0),
        (((100.0, 144.0), (100.0, 104.0)), UPRIGHT, 4 / 200, 0.5, 0),
        (((100.0, 140.0), (180.0, 140.0)), UPRIGHT, 0, 0, 90),
        # Upside down, 5 degrees to either side of it.
        (
            ((0.0, 0.0), (math.sin(math.radians(5)), math.cos(math.radians(5)))),
            ((0.0, 0.0), (-math.sin(math.radians(5)), math.cos(math.radians(5)))),
            0,
            0,
            10,
        ),
    ],
)
def test_roi_errors_by_hand(points, true_points, center, side, degrees):
    matches = match_detections(
        detected((0.8, 100, 100, 40, points)), truth((100, 100, 40), points=true_points)
    )
    expected = [0.8, 1, center, side, math.radians(degrees)]
    assert matches.people[0] == pytest.approx(expected, abs=1e-9)


def test_no_roi_errors_without_a_detection_or_a_labelled_circle():
    missed = match_detections(detected(), truth((100, 100, 40)))
    np.testing.assert_array_equal(missed.people, [[0, 1, *[np.nan] * 3]])
    assert missed.detections.shape == (0, 3)
    unknown = match_detections(
        detected((0.8, 100, 100, 40, UPRIGHT)), truth((100, 100, 40), circle_labelled=False)
    )
    np.testing.assert_array_equal(unknown.people, [[0.8, 0, *[np.nan] * 3]])
    alarm = match_detections(detected((0.8, 100, 100, 40, UPRIGHT)), truth())
    assert alarm.detections.tolist() == [[0.8, 0, 0]]
    assert alarm.people.shape == (0, 5)


def test_metrics_by_hand():
    """Five people: good ROI, bad ROI, good ROI with a low score, missed, detected without a labelled ROI."""
    nan = math.nan
    detections = [[0.9, 1, 1], [0.8, 0, 1], [0.7, 0, 0], [0.6, 0, 1], [0.4, 1, 1]]
    people = [
        [0.9, 1, 0.02, 0.04, math.radians(3)],
        [0.8, 1, 0.06, 0.2, math.radians(5)],
        [0.4, 1, 0.01, 0.01, 0.01],
        [0, 1, nan, nan, nan],
        [0.6, 0, nan, nan, nan],
    ]
    metrics = detection_metrics(np.array(detections), np.array(people))
    assert metrics == pytest.approx(
        {
            "ap": 100 * (1 + 2 / 5) / 5,
            "ap_place": 100 * (1 + 1 + 4 / 5 + 4 / 5) / 5,
            "recall": 60,
            "precision": 75,
            "roi_center": 4,
            "roi_side": 12,
            "roi_rotation_deg": 4,
            "roi_good": 25,
        }
    )


@pytest.mark.parametrize(
    ("errors", "good"),
    [
        ((0.09, 0.09, math.radians(7.9)), 100),
        ((0.11, 0.0, 0.0), 0),
        ((0.0, 0.11, 0.0), 0),
        ((0.0, 0.0, math.radians(8.1)), 0),
    ],
)
def test_a_good_roi_is_one_that_the_landmark_network_tolerates(errors, good):
    metrics = detection_metrics(np.zeros((0, 3)), np.array([[0.9, 1, *errors]]))
    assert metrics["roi_good"] == good


def test_empty_inputs_have_no_metrics():
    assert all(math.isnan(value) for value in detection_metrics(np.zeros((0, 3)), np.zeros((0, 5))).values())
    missed: Matches = match_detections(detected(), truth((100, 100, 40)))
    metrics = detection_metrics(missed.detections, missed.people)
    assert [metrics[name] for name in ("ap", "ap_place", "recall", "roi_good")] == [0, 0, 0, 0]
    assert math.isnan(metrics["precision"])
    assert math.isnan(metrics["roi_center"])
