from pathlib import Path

import numpy as np

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE, Annotation, source_to_landmarks

SKELETON = {0: "nose", 2: "left_heel", 3: "right_heel"}
KEYPOINTS = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]], np.float32)
VISIBILITY = np.array([VISIBLE, HIDDEN, HIDDEN, VISIBLE, UNKNOWN], np.int8)


def test_keypoints_go_to_their_landmarks():
    labelled = np.array([True, True, True, False, True])
    points, valid, visibility, extra = source_to_landmarks(KEYPOINTS, labelled, VISIBILITY, SKELETON)
    assert np.flatnonzero(valid).tolist() == [0, 29]
    assert points[[0, 29]].tolist() == [[1, 2], [5, 6]]
    assert visibility[[0, 29, 30]].tolist() == [VISIBLE, HIDDEN, UNKNOWN]
    assert extra.tolist() == [[3, 4], [9, 10]]


def test_unlabelled_points_are_zero_and_unknown():
    keypoints = np.full((5, 2), np.nan, np.float32)
    points, valid, visibility, extra = source_to_landmarks(keypoints, np.zeros(5, bool), VISIBILITY, SKELETON)
    assert not valid.any()
    assert not points.any()
    assert (visibility == UNKNOWN).all()
    assert extra.shape == (0, 2)


def test_an_unlabelled_nan_point_beside_labelled_ones():
    keypoints = KEYPOINTS.copy()
    keypoints[[1, 2]] = np.nan
    labelled = np.array([True, False, False, True, True])
    points, valid, visibility, extra = source_to_landmarks(keypoints, labelled, VISIBILITY, SKELETON)
    assert points[[0, 29, 30]].tolist() == [[1, 2], [0, 0], [7, 8]]
    assert valid[[0, 29, 30]].tolist() == [True, False, True]
    assert visibility[[0, 29, 30]].tolist() == [VISIBLE, UNKNOWN, VISIBLE]
    assert extra.tolist() == [[9, 10]]


def test_small_types():
    arrays = source_to_landmarks(KEYPOINTS.astype(float), np.ones(5, bool), VISIBILITY, SKELETON)
    assert [array.dtype for array in arrays] == [np.float32, bool, np.int8, np.float32]


def test_keypoints_of_the_source_include_the_extra_ones():
    points = source_to_landmarks(KEYPOINTS, np.ones(5, bool), VISIBILITY, SKELETON)
    person = Annotation(Path("a.jpg"), "1", *points)
    assert sorted(person.keypoints_px.tolist()) == KEYPOINTS.tolist()
