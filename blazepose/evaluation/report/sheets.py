"""Image sheets of evaluated people, with the labels next to the prediction."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from blazepose.evaluation.metric_values import swap_rate
from blazepose.evaluation.score import ScoredPeople
from blazepose.geometry import crop_image, image_to_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.runtime.draw import draw_pose

_TILE = 224
_COLUMNS = 4
_GAP = 6
_DPI = 110


def worst_cases(scored: ScoredPeople, count: int) -> list[int]:
    """Return the rows of the people with the lowest PCK@0.2, ties ordered by the largest error."""
    counted = scored.counted
    hits = ((scored.errors < PCK_THRESHOLD) & counted).sum(axis=1) / counted.sum(axis=1).clip(min=1)
    rows = np.flatnonzero(counted.any(axis=1))
    errors = np.nan_to_num(mean_errors(scored), nan=np.inf)
    return rows[np.lexsort((-errors[rows], hits[rows]))[:count]].tolist()


def swapped_people(scored: ScoredPeople, count: int) -> list[int]:
    """Return the rows of the people with the most left/right swaps, without those who have none."""
    swapped, _ = swap_rate(scored)
    pairs = swapped.sum(axis=1)
    rows = np.argsort(-pairs, kind="stable")[:count]
    return rows[pairs[rows] > 0].tolist()


def random_people(scored: ScoredPeople, count: int, seed: int) -> list[int]:
    """Sample rows of people at random, in ascending order."""
    total = len(scored.annotations)
    return sorted(np.random.default_rng(seed).choice(total, min(count, total), replace=False).tolist())


def draw_sheet(scored: ScoredPeople, rows: list[int], title: str, file: Path) -> None:
    """Write a sheet of people: labels on the left, prediction on the right, errors below."""
    num_lines = -(-len(rows) // _COLUMNS)
    figure = Figure(figsize=(4.2 * _COLUMNS, 0.7 + 2.45 * num_lines), layout="constrained")
    figure.suptitle(title, fontsize=12)
    errors = mean_errors(scored)
    for axes in figure.subplots(num_lines, _COLUMNS, squeeze=False).flat:
        axes.axis("off")
    for axes, row in zip(figure.axes, rows, strict=False):
        annotation, counted = scored.annotations[row], scored.counted[row]
        hits = int(((scored.errors[row] < PCK_THRESHOLD) & counted).sum())
        axes.imshow(_pair(scored, row))
        result = f"mean error {errors[row]:.0f} % of torso, {hits} of {counted.sum()} points correct"
        caption = f"{annotation.image.name} #{annotation.person}\n"
        caption += result if scored.detected[row] else "missed"
        axes.text(0.5, -0.02, caption, fontsize=9, ha="center", va="top", transform=axes.transAxes)
    figure.savefig(file, dpi=_DPI)


def mean_errors(scored: ScoredPeople) -> np.ndarray:
    """Compute the mean error of each person, (people,) percent of the torso size.

    Infinite for missed people; NaN without a scored point that is predicted as a number.
    """
    counted = scored.counted & ~np.isnan(scored.errors)
    points = np.where(counted.any(axis=1), counted.sum(axis=1), np.nan)
    return 100 * np.where(counted, scored.errors, 0).sum(axis=1) / points


def _pair(scored: ScoredPeople, row: int) -> np.ndarray:
    annotation, prediction = scored.annotations[row], scored.predictions[row]
    crop = crop_image(read_image(annotation.image), roi_to_image_matrix(prediction.roi), _TILE)
    labels = image_to_roi(prediction.roi, annotation.landmarks_px.astype(np.float64)) * _TILE
    predicted = image_to_roi(prediction.roi, prediction.landmarks[:, :2]) * _TILE
    gap = np.full((_TILE, _GAP, 3), 255, np.uint8)
    left = draw_pose(crop, labels, annotation.labelled, topology=scored.topology)
    right = draw_pose(crop, predicted, scored.supervised[row], topology=scored.topology)
    return np.hstack([left, gap, right])
