"""The metrics of detectors: keys, titles and definitions."""

from typing import NamedTuple


class DetectorMetric(NamedTuple):
    """A metric of a detector.

    Attributes:
        key: its key in metrics.detection.detection_metrics and in results.json.
        column: title of its column in a table of several detectors.
        definition: what it measures.
        limits: smallest and largest possible value; None is no limit.
    """

    key: str
    column: str
    definition: str
    limits: tuple[float | None, float | None] = (0, 100)


DETECTOR_METRICS = (
    DetectorMetric(
        "recall",
        "recall %",
        "people matched by a detection with a score of 0.5 or more, whose center is less than half a box "
        "side off",
    ),
    DetectorMetric("precision", "precision %", "detections with a score of 0.5 or more that match a person"),
    DetectorMetric(
        "ap",
        "AP50",
        "average precision over all detections, matched by a box IoU of 0.5; all boxes of Google's detector "
        "have the same size",
    ),
    DetectorMetric(
        "ap_place",
        "AP center",
        "average precision over all detections, matched by a center less than half a box side off",
    ),
    DetectorMetric(
        "roi_good",
        "good ROI %",
        "people whose ROI is accurate enough for the landmark network: center and size within a tenth of its "
        "side, rotation within 8 degrees",
    ),
    DetectorMetric(
        "roi_center",
        "center err %",
        "median error of the ROI's center over detected people, in sides",
        (0, None),
    ),
    DetectorMetric(
        "roi_side", "size err %", "median error of the ROI's side over detected people", (0, None)
    ),
    DetectorMetric(
        "roi_rotation_deg",
        "rotation err deg",
        "median error of the ROI's rotation over detected people",
        (0, 180),
    ),
)
"""Metrics of detectors, in the order of tables."""

IGNORED = (
    "Images without a person whose hips, shoulders and head are labelled are skipped. People without these "
    "labels, crowds, and people smaller than 3 % of the image are ignored."
)
