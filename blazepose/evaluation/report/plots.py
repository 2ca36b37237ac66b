"""The charts of a report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.groups.breakdown import measure_difficulty
from blazepose.evaluation.report.sheets import mean_errors
from blazepose.evaluation.results import describe_setup
from blazepose.evaluation.score import ScoredPeople
from blazepose.metrics.pck import PCK_THRESHOLD, pck_curve
from blazepose.runtime.draw import LEFT_COLOR, RIGHT_COLOR

_LEFT, _RIGHT = (tuple(value / 255 for value in color) for color in (LEFT_COLOR, RIGHT_COLOR))
_MIDDLE = (0.45, 0.45, 0.45)
_DPI = 130


def plot_curve(scored: ScoredPeople, figures: Mapping[str, Any], file: Path) -> None:
    """PCK over thresholds: refined, regression alone, constant mean pose."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    everything = scored.counted
    for label, errors, counted, color, style, place in (
        ("as the runtime returns it", scored.errors, everything, _RIGHT, "o-", (-6, 4, "right")),
        ("regression alone", scored.errors_raw, scored.regressed, _LEFT, "s-", (6, -12, "left")),
        ("constant mean pose", scored.errors_mean_pose, everything, _MIDDLE, "--", (-6, 4, "right")),
    ):
        if not counted.any():
            continue  # an engine that does not tell its regression
        curve = pck_curve(errors, counted)
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
    _finish(axes, title(figures))
    figure.savefig(file, dpi=_DPI)


def plot_fairness(figures: Mapping[str, Any], file: Path) -> None:
    """Mean of each group and its 95 % interval, a panel for each attribute; groups of too few are dotted.

    The shaded band is as wide as the criterion, around the middle of the means.
    """
    attributes = {name: of_one for name, of_one in figures["fairness"].items() if of_one["groups"]}
    sizes = [len(of_one["groups"]) for of_one in attributes.values()]
    figure = Figure(figsize=(7.2, 0.8 + 0.27 * sum(sizes) + 0.75 * len(sizes)), layout="constrained")
    panels = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[size + 1.5 for size in sizes]
    )[:, 0]
    for axes, (attribute, of_one) in zip(panels, attributes.items(), strict=True):
        _plot_groups(axes, attribute, of_one)
    figure.suptitle(title(figures), fontsize=8, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_VERDICT_COLORS = {"fair": (0.2, 0.6, 0.25), "unfair": (0.8, 0.2, 0.15), "undecided": (0.45, 0.45, 0.45)}


def _plot_groups(axes: Axes, attribute: str, of_one: Mapping[str, Any]) -> None:
    metric, judged = of_one["metric"], _VERDICT_COLORS[of_one["verdict"]]
    for row, (group, figures) in enumerate(of_one["groups"].items()):
        value, bounds = figures[metric], figures["ci95"]
        if value is None:
            continue
        counts = group in of_one["judged"]
        color = judged if counts else _VERDICT_COLORS["undecided"]
        axes.plot(bounds, [row, row], color=color, linewidth=2, linestyle="-" if counts else ":")
        axes.plot(value, row, "o", color=color, markersize=5, fillstyle="full" if counts else "none")
    names = [f"{name}  ({figures['count']})" for name, figures in of_one["groups"].items()]
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    if of_one["range"] is not None:
        means = [of_one["groups"][group][metric] for group in of_one["judged"]]
        middle, reach = (min(means) + max(means)) / 2, of_one["criterion"] / 2
        axes.axvspan(middle - reach, middle + reach, color="black", alpha=0.06, linewidth=0)
        axes.axvline(of_one["average"], color="black", linewidth=0.8, alpha=0.5)
    axes.tick_params(axis="x", labelbottom=True, labelsize=8)
    known = f": range {of_one['range']:.1f}" if of_one["range"] is not None else ""
    _finish(axes, f"{attribute.replace('_', ' ')}{known}, {of_one['verdict']}")
    known = f"; line: average; shaded: {of_one['criterion']:.1f} wide" if of_one["range"] is not None else ""
    small = "; dotted: too few people" if len(of_one["judged"]) < len(names) else ""
    axes.set_xlabel(f"{metric.upper()}, %, mean over people, 95 % interval{known}{small}", fontsize=8)


def plot_difficulty(scored: ScoredPeople, figures: Mapping[str, Any], file: Path) -> None:
    """Mean error of people over what makes poses hard: median and quartiles in steps, people as dots."""
    wrong = np.where(scored.counted.any(axis=1), np.inf, np.nan)  # of who has no point that is a number
    errors = np.fmin(mean_errors(scored), wrong).clip(0, _HIGHEST)
    hard = measure_difficulty(scored)
    told = {name: np.isfinite(hard[name]) & np.isfinite(errors) for name in _OVER}
    told = {name: rows for name, rows in told.items() if rows.any()}
    figure = Figure(figsize=(7.2, 2.9 * len(told)), layout="constrained")
    for axes, (name, rows) in zip(figure.subplots(len(told), squeeze=False)[:, 0], told.items(), strict=True):
        _plot_trend(axes, hard[name][rows], errors[rows])
        axes.set(xlabel=_OVER[name], ylabel="mean error, % of torso", ylim=(0, 1.02 * _HIGHEST))
        if name == "torso":
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        _finish(axes, "")
    legend = f"dots: people, over {_HIGHEST} % or not found drawn there; line and band: median, quartiles"
    figure.suptitle(f"{title(figures)}\n{legend}", fontsize=8, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_OVER = {
    "rotation": "turn of the body from upright, degrees",
    "torso": "size of the torso in the picture, pixels",
    "occlusion": "share of the labelled points that are hidden",
}
_HIGHEST = 100
"""Per cent of the torso, of what is drawn; larger errors are drawn there."""

_STEPS = 10
_LEAST = 12
"""People of a step, if there are so many. Chosen: quartiles of fewer are noise."""

_DOTS = 3000


def _plot_trend(axes: Axes, values: np.ndarray, errors: np.ndarray) -> None:
    """Steps of about as many people each; those of equal values are in one."""
    order = np.argsort(values, kind="stable")
    dots = order[:: max(1, len(order) // _DOTS)]
    axes.plot(values[dots], errors[dots], ".", color=_MIDDLE, alpha=0.25, markersize=3)
    count = min(_STEPS, max(1, len(values) // _LEAST))
    edges = np.unique(np.quantile(values, np.arange(1, count) / count))
    step = np.searchsorted(edges, values, side="right")
    steps = [np.flatnonzero(step == k) for k in np.unique(step)]
    middle = [np.median(values[part]) for part in steps]
    low, median, high = (np.array([np.percentile(errors[part], q) for part in steps]) for q in (25, 50, 75))
    axes.fill_between(middle, low, high, color=_RIGHT, alpha=0.2, linewidth=0)
    axes.plot(middle, median, "o-", color=_RIGHT, markersize=4)


def plot_calibration(figures: Mapping[str, Any], file: Path) -> None:
    """How often what is said to be visible or present with some probability is."""
    figure = Figure(figsize=(4.8, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=_MIDDLE, linewidth=1)
    for (name, of_one), color in zip(figures["calibration"].items(), (_RIGHT, _LEFT), strict=False):
        said, true, points = np.array(of_one["bins"], np.float64).T
        axes.plot(said, true, "-", color=color, label=f"{name}, error {of_one['error']:.1f} %")
        axes.scatter(said, true, s=8 + 90 * points / points.max(), color=color)
    axes.set(xlabel="probability that is said", ylabel="share that is labelled so", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
    _finish(axes, title(figures))
    figure.savefig(file, dpi=_DPI)


def title(figures: Mapping[str, Any]) -> str:
    """What a chart shows, in two lines."""
    return f"{weights_name(Path(figures['file']))} on {', '.join(figures['data'])}\n{describe_setup(figures)}"


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
