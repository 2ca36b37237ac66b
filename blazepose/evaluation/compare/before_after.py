"""Before and after as pictures: whom new weights helped most, and whom they harmed most."""

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
    """What two networks say of a person.

    Attributes:
        person: with the labels.
        roi: the square to show.
        before_px: (33, 2) landmarks by the first one.
        after_px: (33, 2) by the second.
        shown: (33,) bool, landmarks that both learned.
        was: (33,) bool, which points the first has right; of those that count.
        now: (33,) bool, which the second has.
        counted: how many count.
    """

    person: Annotation
    roi: Roi
    before_px: np.ndarray
    after_px: np.ndarray
    shown: np.ndarray
    was: np.ndarray
    now: np.ndarray
    counted: int

    @property
    def gain(self) -> int:
        """Points that became right, less those that became wrong."""
        return int(self.now.sum()) - int(self.was.sum())


def save_before_after(
    people: Sequence[PersonChange], names: tuple[str, str], file: Path, count: int = 12
) -> None:
    """Write a sheet of the people with the largest gains, then of those with the largest losses.

    Each is shown three times: labels, first weights, second weights.

    Args:
        people: seen twice.
        names: of both weights.
        file: PNG to write.
        count: of people in each half.
    """
    best_first = sorted(people, key=lambda change: -change.gain)
    gained = [change for change in best_first[:count] if change.gain > 0]
    lost = [change for change in best_first[::-1][:count] if change.gain < 0]
    lines = [-(-len(half) // _COLUMNS) for half in (gained, lost)]
    figure = Figure(figsize=(6.4 * _COLUMNS, 0.8 + 2.6 * sum(lines)), layout="constrained")
    title = f"labels, {names[0]}, {names[1]} (orange is the person's left)"
    figure.suptitle(
        f"{title}: {len(gained) or 'nobody'} helped most, then {len(lost) or 'nobody'} harmed most",
        fontsize=13,
    )
    grid = figure.subplots(max(1, sum(lines)), _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    places = [*grid[: lines[0]].flat][: len(gained)] + [*grid[lines[0] :].flat][: len(lost)]
    for axes, change in zip(places, [*gained, *lost], strict=True):
        axes.imshow(_triple(change))
        was, now = (
            f"{right.sum()} right" if np.isfinite(points).any() else "not found"
            for right, points in ((change.was, change.before_px), (change.now, change.after_px))
        )
        points = f"of {change.counted} points: {was}, then {now}"
        name = f"{change.person.image.name} #{change.person.person}"
        axes.set_title(f"{name}: {change.gain:+d}, {points}", fontsize=9)
    figure.savefig(file, dpi=_DPI)


def _triple(change: PersonChange) -> np.ndarray:
    person = change.person
    crop = crop_image(read_image(person.image, person.image_size), roi_to_image_matrix(change.roi), _TILE)
    gap = np.full((_TILE, _GAP, 3), 255, np.uint8)
    label = draw_pose(crop, _on_tile(change.roi, person.landmarks_px), person.labelled)
    was, now = (
        draw_pose(crop, _on_tile(change.roi, points), change.shown)
        for points in (change.before_px, change.after_px)
    )
    return np.hstack([label, gap, was, gap, now])


def _on_tile(roi: Roi, points_px: np.ndarray) -> np.ndarray:
    return image_to_roi(roi, points_px.astype(np.float64)) * _TILE
