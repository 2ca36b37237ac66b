"""Before and after as pictures: whom a fine-tuning helped most, and whom it harmed most."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from blazepose.evaluation.drift import Labels, Said, right_points
from blazepose.evaluation.predict import Job, cut_crop
from blazepose.runtime.draw import draw_pose
from blazepose.topology import NUM_LANDMARKS

_TILE = 256
_GAP = 6
_COLUMNS = 3
_DPI = 100


def draw_changes(
    jobs: list[Job], before: Said, after: Said, labels: Labels, file: Path, count: int = 12
) -> None:
    """Write a sheet of the people with the largest gains, then of those with the largest losses.

    Each is shown three times: labels, first weights, second weights.

    Args:
        jobs: the people, in the order of the other arguments.
        before: what the first weights say.
        after: what the second weights say.
        labels: of the people.
        file: PNG to write.
        count: of people in each half.
    """
    was, now, counted = (part.astype(int) for part in right_points(before, after, labels))
    gain = (now - was).sum(axis=1)
    order = np.argsort(-gain, kind="stable").tolist()
    gained = [row for row in order[:count] if gain[row] > 0]
    lost = [row for row in order[::-1][:count] if gain[row] < 0]
    lines = [-(-len(rows) // _COLUMNS) for rows in (gained, lost)]
    figure = Figure(figsize=(6.4 * _COLUMNS, 0.8 + 2.6 * sum(lines)), layout="constrained")
    title = "labels, before, after (orange is the person's left)"
    figure.suptitle(
        f"{title}: {len(gained) or 'nobody'} helped most, then {len(lost) or 'nobody'} harmed most",
        fontsize=13,
    )
    grid = figure.subplots(max(1, sum(lines)), _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    places = [*grid[: lines[0]].flat][: len(gained)] + [*grid[lines[0] :].flat][: len(lost)]
    for axes, row in zip(places, [*gained, *lost], strict=True):
        axes.imshow(_triple(jobs[row], before.points[row], after.points[row], labels, row))
        person = jobs[row].annotation
        right = (
            f"{gain[row]:+d}, {was[row].sum()} of {counted[row].sum()} points right, then {now[row].sum()}"
        )
        axes.set_title(f"{person.image.name} #{person.person}: {right}", fontsize=9)
    figure.savefig(file, dpi=_DPI)


def _triple(job: Job, before: np.ndarray, after: np.ndarray, labels: Labels, row: int) -> np.ndarray:
    crop = cut_crop(job, _TILE)
    gap = np.full((_TILE, _GAP, 3), 255, np.uint8)
    everything = np.ones(NUM_LANDMARKS, bool)
    label = draw_pose(crop, labels.points[row] * _TILE, labels.labelled[row])
    was, now = (draw_pose(crop, points[:NUM_LANDMARKS] * _TILE, everything) for points in (before, after))
    return np.hstack([label, gap, was, gap, now])
