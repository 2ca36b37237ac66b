"""The before/after sheet: its size and captions."""

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.data.readers import read_source
from blazepose.evaluation.compare.before_after import PersonChange, save_before_after
from blazepose.evaluation.compare.forgetting import CropOutputs, labels_of, person_changes
from blazepose.evaluation.predict import plan_label_crops


def test_all_changed_people_are_drawn(tiny_lsp, tmp_path):
    jobs = plan_label_crops([read_source(f"lsp:{tiny_lsp}")], "annotation", 0)[:5]
    labels = labels_of(jobs)
    people = len(jobs)
    correct = np.concatenate([labels.points, np.zeros((people, 6, 2))], axis=1)
    wrong = correct + 0.5
    rest = np.zeros((people, 33, 3)), np.ones((people, 33)), np.ones(people), np.ones((people, 4, 4), bool)

    def heights(first: np.ndarray, second: np.ndarray) -> int:
        before, after = CropOutputs(first, *rest), CropOutputs(second, *rest)
        save_before_after(
            person_changes(jobs, before, after, labels), ("old", "new"), tmp_path / "sheet.png", count=4
        )
        return cv2.imread(str(tmp_path / "sheet.png")).shape[0]

    mixed = correct.copy()
    mixed[0] += 0.5  # one loss, four gains
    start = wrong.copy()
    start[0] -= 0.5
    empty, gained, both = heights(correct, correct), heights(wrong, correct), heights(start, mixed)
    assert empty < gained < both


def test_captions_name_the_weights_and_missed_people(tiny_lsp, tmp_path, monkeypatch):
    written = []
    for kind, method in ((Figure, "suptitle"), (Axes, "set_title")):
        monkeypatch.setattr(kind, method, lambda self, text, **_: written.append(text))
    (job,) = plan_label_crops([read_source(f"lsp:{tiny_lsp}")], "annotation", 0)[:1]
    points = labels_of([job]).points[0, :33]
    labelled = np.flatnonzero(job.annotation.labelled)
    correct = np.isin(np.arange(33), labelled)
    missed = np.full((33, 2), np.nan)
    change = PersonChange(
        job.annotation, job.roi, missed, points, correct, correct & False, correct, len(labelled)
    )
    save_before_after([change], ("old", "new"), tmp_path / "sheet.png")
    assert written[0].startswith("labels, old, new (orange: the person's left side): 1 largest gains, then 0")
    assert written[1].endswith(
        f": +{len(labelled)}, of {len(labelled)} points: missed, then {len(labelled)} correct"
    )
