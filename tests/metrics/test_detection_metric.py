import numpy as np
import pytest

from blazepose.metrics.detection import Matches, detection_metrics
from blazepose.metrics.detection_metric import DetectionMetric

pytestmark = pytest.mark.filterwarnings("ignore:The ``compute`` method of metric DetectionMetric was called")

NAN = [np.nan] * 3
IMAGES = [
    Matches(np.array([[0.9, 1, 1], [0.7, 0, 0]]), np.array([[0.9, 1, 0.02, 0.3, 0.1], [0, 1, *NAN]])),
    Matches(np.array([[0.8, 0, 1]]), np.array([[0.8, 1, 0.04, 0.1, 0.2]])),
    Matches(np.zeros((0, 3)), np.array([[0, 1, *NAN]])),
    Matches(np.array([[0.6, 0, 0]]), np.zeros((0, 5))),
    Matches(np.zeros((0, 3)), np.zeros((0, 5))),
]


def expected(images: list[Matches]) -> dict[str, float]:
    detections, people = (np.concatenate(tables) for tables in zip(*images, strict=True))
    return dict(detection_metrics(detections, people))


def test_equals_the_functions_in_any_order():
    metric = DetectionMetric()
    for index in (3, 0, 4, 2, 1):
        metric.update(index, IMAGES[index])
    assert metric.compute() == pytest.approx(expected(IMAGES), rel=1e-5)


def test_reset_clears_the_state():
    metric = DetectionMetric()
    metric.update(0, IMAGES[0])
    metric.reset()
    metric.update(1, IMAGES[1])
    assert metric.compute() == pytest.approx(expected(IMAGES[1:2]), rel=1e-5)


def test_an_image_of_two_processes_counts_once():
    first, second = DetectionMetric(0), DetectionMetric(1)
    for metric, images in ((first, (0, 2, 4)), (second, (1, 3, 0))):
        for index in images:
            metric.update(index, IMAGES[index])
    both = DetectionMetric()
    both.detections, both.people = second.detections + first.detections, second.people + first.people
    assert both.compute() == pytest.approx(expected(IMAGES), rel=1e-5)


def test_images_without_people_are_no_error():
    metric = DetectionMetric()
    metric.update(4, IMAGES[4])
    assert all(np.isnan(value) for value in metric.compute().values())


def test_empty_is_no_error():
    assert all(np.isnan(value) for value in DetectionMetric().compute().values())
