"""Before/after image sheets: the people with the largest gains and the largest losses."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from blazepose.evaluation.score import ScoredPeople
from blazepose.geometry import crop_image, image_to_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.runtime.draw import draw_pose

BETTER, WORSE = (0.13, 0.5, 0.2), (0.8, 0.2, 0.15)
"""Colors of gains and losses."""

_TILE = 256
_GAP = 6
_COLUMNS = 3
_DPI = 100


def save_before_after(
    first: ScoredPeople, second: ScoredPeople, names: tuple[str, str], file: Path, count: int = 12
) -> None:
    """Write a sheet of the people with the largest gains, then of those with the largest losses.

    Each person is shown three times: labels, first weights, second weights. A gain is the number of points
    that became correct by PCK@0.2, minus those that became wrong.

    Args:
        first: people scored with the first weights.
        second: the same people scored with the second weights.
        names: names of both weights.
        file: PNG to write.
        count: number of people in each half.
    """
    counted = first.counted & second.counted
    correct = np.stack(
        [((scored.errors < PCK_THRESHOLD) & counted).sum(axis=1) for scored in (first, second)]
    )
    gain = correct[1] - correct[0]
    order = np.argsort(-gain, kind="stable").tolist()
    halves = [
        [row for row in order[:count] if gain[row] > 0],
        [row for row in order[::-1][:count] if gain[row] < 0],
    ]
    lines = [-(-len(half) // _COLUMNS) for half in halves]
    figure = Figure(figsize=(6.4 * _COLUMNS, 0.7 + 2.5 * sum(lines)), layout="constrained")
    title = f"labels, {names[0]}, {names[1]} (orange: the person's left side)"
    figure.suptitle(
        f"{title}: {len(halves[0])} largest gains, then {len(halves[1])} largest losses", fontsize=15
    )
    grid = figure.subplots(max(1, sum(lines)), _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    used = [*grid[: lines[0]].flat][: len(halves[0])] + [*grid[lines[0] :].flat][: len(halves[1])]
    for axes, row in zip(used, [*halves[0], *halves[1]], strict=True):
        axes.imshow(_triple(first, second, row))
        person = first.annotations[row]
        results = " → ".join(
            f"{points[row]} correct" if scored.detected[row] else "missed"
            for scored, points in zip((first, second), correct, strict=True)
        )
        caption = (
            f"{gain[row]:+d} of {counted[row].sum()} points: {results} ({person.image.name} #{person.person})"
        )
        axes.set_title(caption, fontsize=11, color=BETTER if gain[row] > 0 else WORSE)
    figure.savefig(file, dpi=_DPI)


def _triple(first: ScoredPeople, second: ScoredPeople, row: int) -> np.ndarray:
    person, roi = first.annotations[row], first.predictions[row].roi
    crop = crop_image(read_image(person.image, person.image_size), roi_to_image_matrix(roi), _TILE)
    gap = np.full((_TILE, _GAP, 3), 255, np.uint8)
    supervised = first.supervised[row] & second.supervised[row]
    label, before, after = (
        draw_pose(
            crop, image_to_roi(roi, points_px.astype(np.float64)) * _TILE, drawn, topology=first.topology
        )
        for points_px, drawn in (
            (person.landmarks_px, person.labelled),
            (first.predictions[row].landmarks[:, :2], supervised),
            (second.predictions[row].landmarks[:, :2], supervised),
        )
    )
    return np.hstack([label, gap, before, gap, after])
