"""The before/after sheet: its size and captions."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.data.readers import read_source
from blazepose.evaluation.compare.before_after import save_before_after
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import person_key
from blazepose.evaluation.score import ScoredPeople, score
from tests.evaluation.crowd import ConstantEngine


@pytest.fixture
def scored(tiny_lsp: Path):
    """Return a function that scores people, all points of each either right, wrong or missed."""
    source = read_source(f"lsp:{tiny_lsp}")
    jobs = plan_label_crops([source], "annotation", 0)[:5]
    predictions = list(predict(ConstantEngine(np.full((33, 2), 0.5)), jobs, "annotation"))

    def people(right: list[bool], missed: bool = False) -> ScoredPeople:
        result = {}
        for job, prediction, correct in zip(jobs, predictions, right, strict=False):
            landmarks = np.ones((33, 5))
            landmarks[:, :2] = job.annotation.landmarks_px + (0 if correct else 1000)
            landmarks = np.full((33, 5), np.nan) if missed else landmarks
            result[person_key("lsp", job.annotation)] = replace(prediction, landmarks=landmarks)
        annotations = [job.annotation for job in jobs[: len(right)]]
        return score(result, [replace(source, annotations=annotations)])

    return people


def test_all_changed_people_are_drawn(scored, tmp_path):
    def height(first: list[bool], second: list[bool]) -> int:
        save_before_after(scored(first), scored(second), ("old", "new"), tmp_path / "sheet.png", count=4)
        return cv2.imread(str(tmp_path / "sheet.png")).shape[0]

    right, wrong = [True] * 5, [False] * 5
    empty, gained = height(right, right), height(wrong, right)
    both = height([True, *wrong[1:]], [False, *right[1:]])  # one loss, four gains
    assert empty < gained < both


def test_captions_name_the_weights_and_missed_people(scored, tmp_path, monkeypatch):
    written = []
    for kind, method in ((Figure, "suptitle"), (Axes, "set_title")):
        monkeypatch.setattr(kind, method, lambda self, text, **_: written.append(text))
    before, after = scored([True], missed=True), scored([True])
    points = int(after.counted.sum())
    save_before_after(before, after, ("old", "new"), tmp_path / "sheet.png")
    assert written[0].startswith("labels, old, new (orange: the person's left side): 1 largest gains, then 0")
    assert written[1].startswith(f"+{points} of {points} points: missed → {points} correct (")
