"""Plot of the differences of groups and landmarks, with their intervals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.evaluation.compare.before_after import BETTER, WORSE
from blazepose.metrics.group_range import LEAST_PEOPLE

MAX_BARS = 24
"""Most groups of an attribute in the plot; attributes with more are in the tables only."""

_DPI = 130
_NOT_SIGNIFICANT = (0.45, 0.45, 0.45)


def plot_differences(
    panels: Mapping[str, Mapping[str, Mapping[str, Any]]], number: int, title: str, file: Path
) -> None:
    """Plot the difference of every group and landmark with its interval.

    Args:
        panels: {title: {row: entry of the comparison}}.
        number: number of the compared evaluation, from 0.
        title: names of both evaluations.
        file: PNG to write.
    """
    sizes = [len(rows) for rows in panels.values()]
    figure = Figure(figsize=(7.2, 1.1 + 0.24 * sum(sizes) + 0.6 * len(sizes)), layout="constrained")
    grid = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[size + 1.2 for size in sizes]
    )
    for axes, (name, rows) in zip(grid[:, 0], panels.items(), strict=True):
        _plot_panel(axes, name, {row: entry["changes"][number] for row, entry in rows.items()})
    grid[-1, 0].set_xlabel("percentage points", fontsize=8)
    hollow = any(
        entry["changes"][number]["ci95"] is None for rows in panels.values() for entry in rows.values()
    )
    note = f"; hollow: fewer than {LEAST_PEOPLE} people, no interval" if hollow else ""
    figure.suptitle(f"{title}\ndifferences with 95 % intervals{note}", fontsize=9, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


def _plot_panel(axes: Axes, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    for row, change in enumerate(rows.values()):
        low, high = change["ci95"] or (change["value"], change["value"])
        if change["ci95"] is None:
            axes.plot(change["value"], row, "o", color=_NOT_SIGNIFICANT, markersize=4.5, fillstyle="none")
            continue
        color = BETTER if low > 0 else WORSE if high < 0 else _NOT_SIGNIFICANT
        axes.plot([low, high], [row, row], color=color, linewidth=2)
        axes.plot(change["value"], row, "o", color=color, markersize=4.5)
    axes.axvline(0, color="black", linewidth=0.8, alpha=0.6)
    axes.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelbottom=True, labelsize=7)
    axes.set_title(name, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25, linewidth=0.6)
