"""Checks of the caller's ROIs and boxes."""

import numpy as np
import pytest

from blazepose.geometry import Roi
from blazepose.runtime.roi_inputs import is_valid_roi, parse_rois, rois_from_boxes


def test_none_differs_from_an_empty_list():
    assert parse_rois(None) is None
    assert rois_from_boxes(None) is None
    assert parse_rois([]) == []
    assert rois_from_boxes([]) == []
    assert rois_from_boxes(np.zeros((0, 4))) == []


def test_boxes_are_upright_rois():
    """1.25 times the larger side, around the middle."""
    expected = [Roi(450.0, 340.0, 775.0, 0.0)]
    for boxes in ([(300, 30, 600, 650)], np.array([[300, 30, 600, 650]]), [np.array([300, 30, 600, 650.0])]):
        assert rois_from_boxes(boxes) == expected


@pytest.mark.parametrize(
    "boxes",
    [
        [300, 30, 600, 650],
        [(300, 30, 600, 650, 0.9)],
        [(300, 30, 600, 650, 0.9, 0.0)],
        [(300, 30, 600, 650), (1, 2)],
        [{"box": 1}],
        "box",
        5,
        np.zeros((2, 4, 1)),
    ],
)
def test_boxes_of_other_shapes_are_refused(boxes):
    with pytest.raises(
        ValueError, match="boxes_xyxy= must be a list of boxes, each left, top, right, bottom in"
    ):
        rois_from_boxes(boxes)


@pytest.mark.parametrize(
    "rois", [Roi(100.0, 240.0, 100.0, 0.0), [(100, 240, 100, 0)], [None], 5, "roi", np.zeros((1, 4))]
)
def test_rois_of_other_types_are_refused(rois):
    with pytest.raises(
        ValueError, match=r"rois= must be a list of blazepose\.runtime\.Roi\(center_x, center_y,"
    ):
        parse_rois(rois)


def test_invalid_rois():
    assert is_valid_roi(Roi(0.0, 0.0, 1.1, 0.0))
    for roi in (Roi(0.0, 0.0, 1.0, 0.0), Roi(np.nan, 0.0, 9.0, 0.0), Roi(0.0, 0.0, np.inf, 0.0)):
        assert not is_valid_roi(roi)
