"""The page of `blazepose demo`."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.evaluation.compare.comparison_inputs import Run
from blazepose.evaluation.report import demo_page
from blazepose.evaluation.report.demo_page import compare_runtimes, draw_pairs
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people


def run_with(people, wrong: int) -> Run:
    """Return an evaluation in which this number of points of each person is wrong."""
    off = [0.0] * (6 - wrong) + [1.0] * wrong
    scored = score_people(people, [prediction_for(person, off) for person in people])
    return Run(Path(), {}, scored, [], people, {})


def test_pairs_of_people_have_their_points_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people = [labelled_person(number) for number in range(5)]
    for person in people:
        cv2.imwrite(str(person.image), np.full((120, 160, 3), 90, np.uint8))
    titles = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda axes, text, **_: titles.append(text))
    draw_pairs(run_with(people, 4), run_with(people, 1), tmp_path / "pairs.png")
    assert titles == ["2, then 5 of 6 points correct"] * 5
    image = cv2.imread(str(tmp_path / "pairs.png"))
    assert image.shape[1] == 1560


def tracker_of(poses):
    """Return a stand-in for PoseTracker that returns the next of these (33, 2) poses, or nothing."""

    class Pose:
        def __init__(self, points):
            self.landmarks = points

    class Tracker:
        @staticmethod
        def load(*_, **__):
            remaining = iter(poses)
            return lambda image: [Pose(points) for points in [next(remaining)] if points is not None]

    return Tracker


@pytest.fixture
def images(tmp_path) -> list[Path]:
    paths = [tmp_path / f"{k}.png" for k in range(4)]
    for path in paths:
        cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    return paths


def test_agreement_of_both_runtimes(images, monkeypatch):
    base = np.zeros((33, 2))
    moved = [base + np.array([0, shift]) for shift in (0.1, 0.5)]
    monkeypatch.setattr(demo_page, "PoseTracker", tracker_of([base, base, None, base]))
    monkeypatch.setattr(demo_page, "detect_in_images", lambda *_: [*moved, None, None])
    assert compare_runtimes(Path("my.task"), images) == (
        "blazepose and MediaPipe agree in 3 of 4 images on whether there is a person; the largest difference "
        "of a landmark is 0.30 px in the median image, 0.50 px in the worst."
    )


def test_no_people_in_any_image(images, monkeypatch):
    monkeypatch.setattr(demo_page, "PoseTracker", tracker_of([None] * 4))
    monkeypatch.setattr(demo_page, "detect_in_images", lambda *_: [None] * 4)
    assert compare_runtimes(Path("my.task"), images).endswith(
        "in 4 of 4 images on whether there is a person."
    )


def test_without_mediapipe():
    assert compare_runtimes(Path("my.task"), []).startswith("MediaPipe is not installed, so it was not run")
