"""Before/after image sheets: the people with the largest gains and the largest losses."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from blazepose.data.annotation import Annotation
from blazepose.geometry import Roi, crop_image, image_to_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.draw import draw_pose

_TILE = 256
_GAP = 6
_COLUMNS = 3
_DPI = 100


class PersonChange(NamedTuple):
    """The predictions of two networks for one person.

    Attributes:
        person: the person, with the labels.
        roi: the square to show.
        before_px: (33, 2) landmarks of the first network.
        after_px: (33, 2) landmarks of the second network.
        drawn: (33,) bool, landmarks that both networks were trained on.
        correct_before: (33,) bool, counted points that the first network has correct.
        correct_after: (33,) bool, counted points that the second network has correct.
        counted: number of counted points.
    """

    person: Annotation
    roi: Roi
    before_px: np.ndarray
    after_px: np.ndarray
    drawn: np.ndarray
    correct_before: np.ndarray
    correct_after: np.ndarray
    counted: int

    @property
    def gain(self) -> int:
        """Points that became correct, minus those that became wrong."""
        return int(self.correct_after.sum()) - int(self.correct_before.sum())


def save_before_after(
    people: Sequence[PersonChange], names: tuple[str, str], file: Path, count: int = 12
) -> None:
    """Write a sheet of the people with the largest gains, then of those with the largest losses.

    Each person is shown three times: labels, first weights, second weights.

    Args:
        people: the changes of all people.
        names: names of both weights.
        file: PNG to write.
        count: number of people in each half.
    """
    by_gain = sorted(people, key=lambda change: -change.gain)
    gained = [change for change in by_gain[:count] if change.gain > 0]
    lost = [change for change in by_gain[::-1][:count] if change.gain < 0]
    num_lines = [-(-len(half) // _COLUMNS) for half in (gained, lost)]
    figure = Figure(figsize=(6.4 * _COLUMNS, 0.8 + 2.6 * sum(num_lines)), layout="constrained")
    title = f"labels, {names[0]}, {names[1]} (orange: the person's left side)"
    figure.suptitle(f"{title}: {len(gained)} largest gains, then {len(lost)} largest losses", fontsize=13)
    grid = figure.subplots(max(1, sum(num_lines)), _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    used = [*grid[: num_lines[0]].flat][: len(gained)] + [*grid[num_lines[0] :].flat][: len(lost)]
    for axes, change in zip(used, [*gained, *lost], strict=True):
        axes.imshow(_triple(change))
        before, after = (
            f"{correct.sum()} correct" if np.isfinite(points).any() else "missed"
            for correct, points in (
                (change.correct_before, change.before_px),
                (change.correct_after, change.after_px),
            )
        )
        name = f"{change.person.image.name} #{change.person.person}"
        axes.set_title(
            f"{name}: {change.gain:+d}, of {change.counted} points: {before}, then {after}", fontsize=9
        )
    figure.savefig(file, dpi=_DPI)


def _triple(change: PersonChange) -> np.ndarray:
    person = change.person
    crop = crop_image(read_image(person.image, person.image_size), roi_to_image_matrix(change.roi), _TILE)
    gap = np.full((_TILE, _GAP, 3), 255, np.uint8)
    label = draw_pose(crop, _to_tile(change.roi, person.landmarks_px), person.labelled)
    before, after = (
        draw_pose(crop, _to_tile(change.roi, points), change.drawn)
        for points in (change.before_px, change.after_px)
    )
    return np.hstack([label, gap, before, gap, after])


def _to_tile(roi: Roi, points_px: np.ndarray) -> np.ndarray:
    return image_to_roi(roi, points_px.astype(np.float64)) * _TILE
