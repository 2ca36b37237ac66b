"""Charts of a report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.groups.breakdown import measure_difficulty
from blazepose.evaluation.metric_values import mean_pose_errors
from blazepose.evaluation.report.sheets import mean_errors
from blazepose.evaluation.results import describe_setup
from blazepose.evaluation.score import ScoredPeople
from blazepose.metrics.pck import PCK_THRESHOLD, pck_curve
from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR

_LEFT_RGB, _RIGHT_RGB = (tuple(value / 255 for value in color) for color in (LEFT_COLOR, RIGHT_COLOR))
_GRAY = (0.45, 0.45, 0.45)
_DPI = 130


def plot_curve(scored: ScoredPeople, metrics: Mapping[str, Any], file: Path) -> None:
    """Plot PCK over thresholds: landmarks as decoded, regression alone, constant mean pose."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    counted_points = scored.counted
    for label, errors, counted, color, style, label_at in (
        (
            "as decoded",
            scored.errors,
            counted_points,
            _RIGHT_RGB,
            "o-",
            (-6, 4, "right"),
        ),
        ("regression alone", scored.errors_raw, scored.regressed, _LEFT_RGB, "s-", (6, -12, "left")),
        ("constant mean pose", mean_pose_errors(scored), counted_points, _GRAY, "--", (-6, 4, "right")),
    ):
        if not counted.any():
            continue  # an engine without a separate regression output
        curve = pck_curve(errors, counted)
        axes.plot(list(curve), list(curve.values()), style, markersize=4, color=color, label=label)
        value, (x, y, align) = curve[PCK_THRESHOLD], label_at
        axes.annotate(
            f"{value:.1f}",
            (PCK_THRESHOLD, value),
            xytext=(x, y),
            textcoords="offset points",
            ha=align,
            color=color,
        )
    axes.axvline(PCK_THRESHOLD, color="black", linewidth=0.8, alpha=0.4)
    axes.set(
        xlabel="threshold, fraction of the torso size", ylabel="PCK, %", ylim=(0, 100), xlim=(0.04, 0.51)
    )
    axes.legend(loc="lower right", frameon=False)
    _finish(axes, chart_title(metrics))
    figure.savefig(file, dpi=_DPI)


def plot_fairness(metrics: Mapping[str, Any], file: Path) -> None:
    """Plot the mean of each group with its 95 % interval, one panel per attribute.

    Groups of too few people are dotted. The shaded band is as wide as the criterion, centered between the
    highest and the lowest mean.
    """
    attributes = {name: entry for name, entry in metrics["fairness"].items() if entry["groups"]}
    sizes = [len(entry["groups"]) for entry in attributes.values()]
    figure = Figure(figsize=(7.2, 0.8 + 0.27 * sum(sizes) + 0.75 * len(sizes)), layout="constrained")
    panels = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[size + 1.5 for size in sizes]
    )[:, 0]
    for axes, (attribute, entry) in zip(panels, attributes.items(), strict=True):
        _plot_groups(axes, attribute, entry)
    figure.suptitle(chart_title(metrics), fontsize=8, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_VERDICT_COLORS = {"fair": (0.2, 0.6, 0.25), "unfair": (0.8, 0.2, 0.15), "undecided": (0.45, 0.45, 0.45)}


def _plot_groups(axes: Axes, attribute: str, entry: Mapping[str, Any]) -> None:
    metric, verdict_color = entry["metric"], _VERDICT_COLORS[entry["verdict"]]
    for y, (group, row) in enumerate(entry["groups"].items()):
        value, bounds = row[metric], row["ci95"]
        if value is None:
            continue
        judged = group in entry["judged"]
        color = verdict_color if judged else _VERDICT_COLORS["undecided"]
        axes.plot(bounds, [y, y], color=color, linewidth=2, linestyle="-" if judged else ":")
        axes.plot(value, y, "o", color=color, markersize=5, fillstyle="full" if judged else "none")
    names = [f"{name}  ({row['count']})" for name, row in entry["groups"].items()]
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    if entry["range"] is not None:
        means = [entry["groups"][group][metric] for group in entry["judged"]]
        middle, reach = (min(means) + max(means)) / 2, entry["criterion"] / 2
        axes.axvspan(middle - reach, middle + reach, color="black", alpha=0.06, linewidth=0)
        axes.axvline(entry["average"], color="black", linewidth=0.8, alpha=0.5)
    axes.tick_params(axis="x", labelbottom=True, labelsize=8)
    title, suffix = attribute.replace("_", " "), ""
    if entry["range"] is not None:
        title += f": range {entry['range']:.1f}"
        suffix = f"; line: average; shaded: criterion ({entry['criterion']:.1f})"
    if len(entry["judged"]) < len(names):
        suffix += "; dotted: too few people"
    _finish(axes, f"{title}, {entry['verdict']}")
    axes.set_xlabel(f"{metric.upper()}, %, mean over people, 95 % interval{suffix}", fontsize=8)


def plot_difficulty(scored: ScoredPeople, metrics: Mapping[str, Any], file: Path) -> None:
    """Plot the mean error of people over each kind of difficulty.

    Each panel shows median and quartiles in bins of about equal size, and people as dots.
    """
    # Infinite for people whose points are all predicted as NaN.
    all_nan = np.where(scored.counted.any(axis=1), np.inf, np.nan)
    errors = np.fmin(mean_errors(scored), all_nan).clip(0, _MAX_ERROR)
    difficulty = measure_difficulty(scored)
    valid = {name: np.isfinite(difficulty[name]) & np.isfinite(errors) for name in _X_LABELS}
    valid = {name: rows for name, rows in valid.items() if rows.any()}
    figure = Figure(figsize=(7.2, 2.9 * len(valid)), layout="constrained")
    panels = figure.subplots(len(valid), squeeze=False)[:, 0]
    for axes, (name, rows) in zip(panels, valid.items(), strict=True):
        _plot_trend(axes, difficulty[name][rows], errors[rows])
        axes.set(xlabel=_X_LABELS[name], ylabel="mean error, % of torso", ylim=(0, 1.02 * _MAX_ERROR))
        if name == "torso":
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        _finish(axes, "")
    legend = (
        f"dots: people (missed or over {_MAX_ERROR} %: drawn at the top); line and band: median, quartiles"
    )
    figure.suptitle(f"{chart_title(metrics)}\n{legend}", fontsize=8, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_X_LABELS = {
    "rotation": "rotation of the body from upright, degrees",
    "torso": "torso size in the image, pixels",
    "occlusion": "hidden fraction of the labelled points",
}
_MAX_ERROR = 100
"""Largest error drawn, percent of the torso; larger ones are clipped to it."""

_BINS = 10
_MIN_PER_BIN = 12
"""People per bin, if there are enough. Chosen: quartiles of fewer are noise."""

_MAX_DOTS = 3000


def _plot_trend(axes: Axes, values: np.ndarray, errors: np.ndarray) -> None:
    """Plot median and quartiles in bins of about equal size; equal values share a bin."""
    order = np.argsort(values, kind="stable")
    dots = order[:: max(1, len(order) // _MAX_DOTS)]
    axes.plot(values[dots], errors[dots], ".", color=_GRAY, alpha=0.25, markersize=3)
    count = min(_BINS, max(1, len(values) // _MIN_PER_BIN))
    edges = np.unique(np.quantile(values, np.arange(1, count) / count))
    bin_of = np.searchsorted(edges, values, side="right")
    bins = [np.flatnonzero(bin_of == k) for k in np.unique(bin_of)]
    centers = [np.median(values[rows]) for rows in bins]
    low, median, high = (np.array([np.percentile(errors[rows], q) for rows in bins]) for q in (25, 50, 75))
    axes.fill_between(centers, low, high, color=_RIGHT_RGB, alpha=0.2, linewidth=0)
    axes.plot(centers, median, "o-", color=_RIGHT_RGB, markersize=4)


def plot_calibration(metrics: Mapping[str, Any], file: Path) -> None:
    """Plot the reliability diagram of predicted visibility and presence."""
    figure = Figure(figsize=(4.8, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=_GRAY, linewidth=1)
    for (name, entry), color in zip(metrics["calibration"].items(), (_RIGHT_RGB, _LEFT_RGB), strict=False):
        predicted, observed, points = np.array(entry["bins"], np.float64).T
        axes.plot(predicted, observed, "-", color=color, label=f"{name}, error {entry['error']:.1f} %")
        axes.scatter(predicted, observed, s=8 + 90 * points / points.max(), color=color)
    axes.set(xlabel="predicted probability", ylabel="observed fraction", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
    _finish(axes, chart_title(metrics))
    figure.savefig(file, dpi=_DPI)


def chart_title(metrics: Mapping[str, Any]) -> str:
    """Return the title of a chart: weights, data and setup, in two lines."""
    return f"{weights_name(Path(metrics['file']))} on {', '.join(metrics['data'])}\n{describe_setup(metrics)}"


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
