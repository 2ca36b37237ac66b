"""The sheet of gains and losses, looked at by numbers."""

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.data.readers import read_source
from blazepose.evaluation.compare.before_after import PersonChange, save_before_after
from blazepose.evaluation.compare.forgetting import CropOutputs, changes, labels_of
from blazepose.evaluation.predict import plan_label_crops


def test_everybody_who_changed_is_drawn(tiny_lsp, tmp_path):
    jobs = plan_label_crops([read_source(f"lsp:{tiny_lsp}")], "annotation", 0)[:5]
    labels = labels_of(jobs)
    people = len(jobs)
    right = np.concatenate([labels.points, np.zeros((people, 6, 2))], axis=1)
    wrong = right + 0.5
    rest = np.zeros((people, 33, 3)), np.ones((people, 33)), np.ones(people), np.ones((people, 4, 4), bool)

    def heights(first: np.ndarray, second: np.ndarray) -> int:
        before, after = CropOutputs(first, *rest), CropOutputs(second, *rest)
        save_before_after(
            changes(jobs, before, after, labels), ("old", "new"), tmp_path / "sheet.png", count=4
        )
        return cv2.imread(str(tmp_path / "sheet.png")).shape[0]

    mixed = right.copy()
    mixed[0] += 0.5  # one is lost, four are gained
    start = wrong.copy()
    start[0] -= 0.5
    empty, gained, both = heights(right, right), heights(wrong, right), heights(start, mixed)
    assert empty < gained < both


def test_captions_name_the_weights_and_who_was_not_found(tiny_lsp, tmp_path, monkeypatch):
    written = []
    for kind, method in ((Figure, "suptitle"), (Axes, "set_title")):
        monkeypatch.setattr(kind, method, lambda self, text, **_: written.append(text))
    (job,) = plan_label_crops([read_source(f"lsp:{tiny_lsp}")], "annotation", 0)[:1]
    points = labels_of([job]).points[0, :33]
    known = np.flatnonzero(job.annotation.labelled)
    right = np.isin(np.arange(33), known)
    lost = np.full((33, 2), np.nan)
    change = PersonChange(job.annotation, job.roi, lost, points, right, right & False, right, len(known))
    save_before_after([change], ("old", "new"), tmp_path / "sheet.png")
    assert written[0].startswith("labels, old, new (orange is the person's left): 1 helped most, then nobody")
    assert written[1].endswith(f": +{len(known)}, of {len(known)} points: not found, then {len(known)} right")
