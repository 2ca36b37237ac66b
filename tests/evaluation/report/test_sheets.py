"""Choice of the people on the sheets of a report."""

from dataclasses import replace

import cv2
import numpy as np

from blazepose.evaluation.report.sheets import random_people, swapped_people, worst_cases
from blazepose.evaluation.report.write import write_report
from blazepose.evaluation.results import results
from blazepose.topologies.full_body import INDEX, MIRROR
from tests.evaluation.report.test_write import ABOUT


def test_worst_cases_first(scored):
    errors = np.zeros_like(scored.errors)
    errors[2] = 0.3
    errors[5] = 0.4
    errors[0] = 0.19
    changed = replace(scored, errors=errors)
    assert worst_cases(changed, 3) == [5, 2, 0]
    assert len(worst_cases(changed, 100)) == 7


def test_people_with_the_most_swaps_first(scored, tmp_path):
    """Of one person all sides are swapped, of another those of the shoulders."""
    assert swapped_people(scored, 3) == []
    points = scored.target_px.copy()
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    points[1, shoulders] = points[1, shoulders[::-1]]
    points[4] = points[4, MIRROR[:33]]
    changed = replace(scored, points_px=points)
    assert swapped_people(changed, 3) == [4, 1]
    assert swapped_people(changed, 1) == [4]
    write_report(changed, results(changed) | ABOUT, "", 0, tmp_path)
    assert "swapped.png)" in (tmp_path / "report.md").read_text()
    assert cv2.imread(str(tmp_path / "swapped.png")).std() > 10


def test_random_people_are_the_same_for_a_seed(scored):
    assert random_people(scored, 3, seed=1) == random_people(scored, 3, seed=1)
    assert random_people(scored, 100, seed=0) == list(range(7))
