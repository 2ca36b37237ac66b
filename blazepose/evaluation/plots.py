"""The charts of a report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.evaluation.engines import weights_name
from blazepose.evaluation.results import setting
from blazepose.evaluation.score import Scored
from blazepose.metrics.pck import PCK_THRESHOLD, pck_curve
from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR

_LEFT, _RIGHT = (tuple(value / 255 for value in color) for color in (LEFT_COLOR, RIGHT_COLOR))
_MIDDLE = (0.45, 0.45, 0.45)
_DPI = 130


def plot_curve(scored: Scored, figures: Mapping[str, Any], file: Path) -> None:
    """PCK over thresholds: refined, regression alone, constant mean pose."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for label, errors, color, style, place in (
        ("as the runtime returns it", scored.errors, _RIGHT, "o-", (-6, 4, "right")),
        ("regression alone", scored.errors_raw, _LEFT, "s-", (6, -12, "left")),
        ("constant mean pose", scored.errors_mean_pose, _MIDDLE, "--", (-6, 4, "right")),
    ):
        if not np.isfinite(errors[scored.counted]).any():
            continue  # an engine that does not tell its regression
        curve = pck_curve(errors, scored.counted)
        axes.plot(list(curve), list(curve.values()), style, markersize=4, color=color, label=label)
        height, (x, y, align) = curve[PCK_THRESHOLD], place
        axes.annotate(
            f"{height:.1f}",
            (PCK_THRESHOLD, height),
            xytext=(x, y),
            textcoords="offset points",
            ha=align,
            color=color,
        )
    axes.axvline(PCK_THRESHOLD, color="black", linewidth=0.8, alpha=0.4)
    axes.set(xlabel="threshold, share of the torso size", ylabel="PCK, %", ylim=(0, 100), xlim=(0.04, 0.51))
    axes.legend(loc="lower right", frameon=False)
    _finish(axes, _title(figures))
    figure.savefig(file, dpi=_DPI)


def plot_landmarks(figures: Mapping[str, Any], file: Path) -> None:
    """PCK@0.2 of each landmark as bars; the person's left and right in the colours of the drawings."""
    names = list(figures["per_landmark"])
    values = [figures["per_landmark"][name]["pck@0.2"] for name in names]
    figure = Figure(figsize=(6.4, 1.3 + 0.26 * len(names)), layout="constrained")
    axes = figure.subplots()
    ticks = np.arange(len(names))
    axes.barh(ticks, values, color=[_side_color(name) for name in names], height=0.75)
    labels = [f"{name.replace('_', ' ')}  {value:.1f}" for name, value in zip(names, values, strict=True)]
    axes.set_yticks(ticks, labels, fontsize=9)
    axes.margins(y=0.4 / len(names))
    axes.invert_yaxis()
    axes.axvline(figures["pck@0.2"], color="black", linewidth=0.8, alpha=0.5)
    axes.set(xlabel=f"PCK@0.2, % (line: all points, {figures['pck@0.2']:.1f})", xlim=(0, 100))
    _finish(axes, _title(figures))
    figure.savefig(file, dpi=_DPI)


def plot_groups(figures: Mapping[str, Any], file: Path) -> None:
    """PCK@0.2 of each group as bars, a panel for each attribute."""
    groups = figures["groups"]
    sizes = [len(of_one) for of_one in groups.values()]
    figure = Figure(figsize=(6.4, 1.2 + 0.26 * sum(sizes) + 0.3 * len(sizes)), layout="constrained")
    panels = figure.subplots(len(sizes), sharex=True, squeeze=False, height_ratios=sizes)[:, 0]
    for axes, (attribute, of_one) in zip(panels, groups.items(), strict=True):
        values = np.array([row["pck@0.2"] for row in of_one.values()], np.float64)  # None becomes NaN
        labels = [f"{name}  {value:.1f}" for name, value in zip(of_one, values, strict=True)]
        axes.barh(np.arange(len(values)), values, color=_MIDDLE, height=0.75)
        axes.set_yticks(np.arange(len(values)), labels, fontsize=9)
        axes.invert_yaxis()
        axes.axvline(figures["pck@0.2"], color="black", linewidth=0.8, alpha=0.5)
        _finish(axes, attribute.replace("_", " "))
    figure.suptitle(_title(figures), fontsize=8, x=0.02, ha="left")
    panels[-1].set(xlabel=f"PCK@0.2, % (line: everybody, {figures['pck@0.2']:.1f})", xlim=(0, 100))
    figure.savefig(file, dpi=_DPI)


def _side_color(name: str) -> tuple[float, ...]:
    words = name.split("_")
    return _LEFT if "left" in words else _RIGHT if "right" in words else _MIDDLE


def _title(figures: Mapping[str, Any]) -> str:
    return f"{weights_name(Path(figures['file']))} on {', '.join(figures['data'])}\n{setting(figures)}"


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
