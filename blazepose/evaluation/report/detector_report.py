"""Write results.json, report.md and report.html of a detector."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from matplotlib.figure import Figure

from blazepose import __version__
from blazepose.anchors import DEFAULT_MIN_SCORE
from blazepose.evaluation.detector_metrics import DETECTOR_METRICS, IGNORED
from blazepose.evaluation.detector_score import ScoredImage
from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.tables import markdown_table
from blazepose.image import read_image

_SHEET_PEOPLE, _COLUMNS = 12, 4
_TILE, _DPI = 320, 110
_MISSED, _DETECTED = (214, 39, 40), (40, 160, 255)
"""Colors of boxes, RGB."""


class _Miss(NamedTuple):
    """A missed person, and the box side relative to the image."""

    size: float
    entry: ScoredImage
    row: int


def write_detector_report(
    scored: Sequence[ScoredImage], metrics: Mapping[str, Any], command: str, folder: Path
) -> None:
    """Write results.json, the report, and a sheet of the largest missed people.

    Args:
        scored: the images with their detections.
        metrics: content of results.json.
        command: command line that reproduces the evaluation.
        folder: folder to write to.
    """
    (folder / "results.json").write_text(json.dumps(metrics, indent=2) + "\n")
    if misses := _largest_misses(scored):
        _draw_misses(misses, folder / "missed.png")
    text = _markdown(metrics, command, bool(misses))
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")


def detector_headline(metrics: Mapping[str, Any]) -> str:
    """Summarize the results in a sentence."""
    values = ", ".join(f"{row.column} {_value(metrics[row.key])}" for row in DETECTOR_METRICS[:5])
    return f"{values}; {_setup(metrics)}"


def _setup(metrics: Mapping[str, Any]) -> str:
    text = f"{metrics['num_people']} people in {metrics['num_images']} images"
    return f"{text}, {metrics['num_negatives']} negative images" if metrics["num_negatives"] else text


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _markdown(metrics: Mapping[str, Any], command: str, has_misses: bool) -> str:
    rows = [(row.column, row.definition, _value(metrics[row.key])) for row in DETECTOR_METRICS]
    if metrics["num_negatives"]:
        definition = "negative images with a detection with a score of 0.5 or more"
        rows.append(("false alarms %", definition, _value(metrics["false_alarms"])))
    sections = [
        f"# {weights_name(Path(metrics['file']))} on {', '.join(metrics['data'])}",
        f"{_setup(metrics)}. {IGNORED}",
        "\n".join(f"- {note}." for note in metrics["notes"]),
        markdown_table(("metric", "definition", "value"), rows, num_text=2),
        *(["## Largest missed people", "![Largest missed people](missed.png)"] if has_misses else []),
        "## Reproduce",
        f"```\n{command}\n```",
        f"Evaluated: `{metrics['file']}`, sha256 `{metrics['sha256']}`, with blazepose {__version__}.",
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _largest_misses(scored: Sequence[ScoredImage]) -> list[_Miss]:
    """Return the missed people, the largest in their image first."""
    misses = []
    for entry in scored:
        for row in np.flatnonzero(entry.matches.people[:, 0] < DEFAULT_MIN_SCORE):
            side = entry.truth.boxes[row, 2]
            misses.append(_Miss(float(side / entry.side), entry, int(row)))
    return sorted(misses, key=lambda miss: -miss.size)[:_SHEET_PEOPLE]


def _draw_misses(misses: Sequence[_Miss], file: Path) -> None:
    num_lines = -(-len(misses) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 0.7 + 4.3 * num_lines), layout="constrained")
    figure.suptitle("Largest missed people (red: head and shoulders; blue: detections)", fontsize=12)
    panels = figure.subplots(num_lines, _COLUMNS, squeeze=False).flat
    for axes in panels:
        axes.axis("off")
    for axes, miss in zip(figure.axes, misses, strict=False):
        axes.imshow(_draw_boxes(miss))
        name = miss.entry.image.image.name
        axes.text(0.5, -0.02, name, fontsize=9, ha="center", va="top", transform=axes.transAxes)
    figure.savefig(file, dpi=_DPI)


def _draw_boxes(miss: _Miss) -> np.ndarray:
    """Draw the missed person's box, and all confident detections, on the image at the size of a tile."""
    image = read_image(miss.entry.image.image, miss.entry.image.size)
    scale = _TILE / max(image.shape[:2])
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y, side = miss.entry.truth.boxes[miss.row]
    missed = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
    found = miss.entry.detections.boxes_xyxy[miss.entry.detections.scores >= DEFAULT_MIN_SCORE]
    for box, color in (*((box, _DETECTED) for box in found), (missed, _MISSED)):
        left, top, right, bottom = np.rint(scale * box).astype(int).tolist()
        cv2.rectangle(canvas, (left, top), (right, bottom), color, 2, cv2.LINE_AA)
    return canvas
