import numpy as np
import pytest

from blazepose.metrics.detection import Matches, detection_metrics
from blazepose.metrics.detection_metric import DetectionMetric

pytestmark = pytest.mark.filterwarnings("ignore:The ``compute`` method of metric DetectionMetric was called")

NAN = [np.nan] * 3
PICTURES = [
    Matches(np.array([[0.9, 1, 1], [0.7, 0, 0]]), np.array([[0.9, 1, 0.02, 0.3, 0.1], [0, 1, *NAN]])),
    Matches(np.array([[0.8, 0, 1]]), np.array([[0.8, 1, 0.04, 0.1, 0.2]])),
    Matches(np.zeros((0, 3)), np.array([[0, 1, *NAN]])),
    Matches(np.array([[0.6, 0, 0]]), np.zeros((0, 5))),
    Matches(np.zeros((0, 3)), np.zeros((0, 5))),
]


def expected(pictures: list[Matches]) -> dict[str, float]:
    answers, people = (np.concatenate(tables) for tables in zip(*pictures, strict=True))
    return dict(detection_metrics(answers, people))


def test_equals_the_functions_in_any_order():
    metric = DetectionMetric()
    for picture in (3, 0, 4, 2, 1):
        metric.update(picture, PICTURES[picture])
    assert metric.compute() == pytest.approx(expected(PICTURES), rel=1e-5)


def test_a_new_epoch_begins_with_nothing():
    metric = DetectionMetric()
    metric.update(0, PICTURES[0])
    metric.reset()
    metric.update(1, PICTURES[1])
    assert metric.compute() == pytest.approx(expected(PICTURES[1:2]), rel=1e-5)


def test_a_picture_that_two_processes_saw_counts_once():
    first, second = DetectionMetric(0), DetectionMetric(1)
    for metric, pictures in ((first, (0, 2, 4)), (second, (1, 3, 0))):
        for picture in pictures:
            metric.update(picture, PICTURES[picture])
    both = DetectionMetric()
    both.answers, both.people = second.answers + first.answers, second.people + first.people
    assert both.compute() == pytest.approx(expected(PICTURES), rel=1e-5)


def test_pictures_of_nobody_are_no_error():
    metric = DetectionMetric()
    metric.update(4, PICTURES[4])
    assert all(np.isnan(value) for value in metric.compute().values())


def test_empty_is_no_error():
    assert all(np.isnan(value) for value in DetectionMetric().compute().values())
