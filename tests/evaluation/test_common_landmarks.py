"""Landmarks that networks of different topologies have in common."""

from dataclasses import replace

import numpy as np
import pytest

from blazepose.evaluation.common_landmarks import common_topology, select_landmarks
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from tests.evaluation.crowd import UPPER_BODY, ConstantEngine


def test_landmarks_of_a_smaller_topology_are_selected(crowd, pose_roi):
    (whole, *_) = predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation")
    selected = select_landmarks(whole, UPPER_BODY)
    np.testing.assert_array_equal(selected.landmarks, whole.landmarks[:25])
    np.testing.assert_array_equal(selected.landmarks_world, whole.landmarks_world[:25])


def test_the_common_topology_is_the_smaller_one():
    assert common_topology([FULL_BODY, UPPER_BODY]) == common_topology([UPPER_BODY, FULL_BODY]) == UPPER_BODY
    other = replace(UPPER_BODY, name="hand", landmarks=("left_wrist", "left_palm"))
    with pytest.raises(InputError, match=r"lacks landmarks of hand: .* landmarks="):
        common_topology([UPPER_BODY, other])
