"""A comparison of evaluations for people: comparison.json, report.md and report.html with their pictures."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.evaluation.compare.before_after import save_before_after
from blazepose.evaluation.compare.comparison import changes, comparison
from blazepose.evaluation.compare.comparison_inputs import Run, short_names
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.markdown import humanize
from blazepose.evaluation.report.tables import format_value, markdown_table
from blazepose.hydra_app import quoted
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import torso_definition

_DPI = 130
_BETTER, _WORSE, _ALIKE = (0.2, 0.6, 0.25), (0.8, 0.2, 0.15), (0.45, 0.45, 0.45)
_TEXTS = {
    "pck@0.2": "PCK@0.2, %",
    "pck@0.2_raw": "PCK@0.2, regression output alone, %",
    "pdj@0.2": "PDJ@0.2, %",
    "mean_error": "mean error, % of the torso, of those whom all found",
    "mpjpe_mm": "MPJPE, mm",
}


def write_comparison(runs: Sequence[Run], folder: Path) -> str:
    """Write everything about some evaluations.

    Args:
        runs: two or more; the first is what the others are compared with.
        folder: where to.

    Returns:
        What changed, in a sentence for each run after the first.
    """
    figures = comparison(runs)
    (folder / "comparison.json").write_text(json.dumps(figures, indent=2) + "\n")
    titles = short_names(runs)
    for number, run in enumerate(runs[1:]):
        _plot(figures, number, f"{titles[0]} to {titles[number + 1]}", folder / _picture("changes", number))
        titled = (titles[0], titles[number + 1])
        save_before_after(changes(runs[0], run), titled, folder / _picture("people", number))
    sentences = [_sentence(figures["overall"]["pck@0.2"], titles, number) for number in range(len(runs) - 1)]
    text = _markdown(figures, titles, sentences)
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")
    return "\n".join(sentences)


def _picture(name: str, number: int) -> str:
    return f"{name}.png" if number == 0 else f"{name}_{number + 1}.png"


def _sentence(figure: Mapping[str, Any], titles: Sequence[str], number: int) -> str:
    change, (was, *others) = figure["changes"][number], figure["values"]
    if change["ci95"] is None:
        return f"{figure['people']} people are too few to tell {titles[0]} and {titles[number + 1]} apart"
    low, high = change["ci95"]
    word = "better" if low > 0 else "worse" if high < 0 else "not told apart"
    return (
        f"{titles[number + 1]} is {word}: PCK@0.2 {was:.1f} of {titles[0]}, {others[number]:.1f} of "
        f"{titles[number + 1]}, {change['value']:+.1f} ({low:+.1f} to {high:+.1f})"
    )


def _markdown(figures: Mapping[str, Any], titles: Sequence[str], sentences: Sequence[str]) -> str:
    torso, crops = torso_definition(figures["torso"]).text, [run["roi"] for run in figures["runs"]]
    crop = crops[0] if len(set(crops)) == 1 else ", ".join(map(" of ".join, zip(crops, titles, strict=True)))
    pictures = [
        (f"![{text}]({_picture(name, number)})", name)
        for number, title in enumerate(titles[1:])
        for name, text in (
            ("changes", f"What changed with {title}"),
            ("people", f"Whom {title} helped and harmed most"),
        )
    ]
    large = [humanize(name) for name, groups in figures["groups"].items() if len(groups) > _MOST_BARS]
    folders = ",".join(run["folder"] for run in figures["runs"])
    sections = [
        f"# {' and '.join(titles)} compared",
        f"{figures['num_people']} people, the same for all; crop from {crop}, torso {torso}. Differences are "
        f"of the same people, with 95 % intervals over them, of {LEAST_PEOPLE} people or more."
        f"{_left_out(figures)}",
        "\n".join(f"- {sentence}." for sentence in (*sentences, *figures["notes"])),
        _table("figure", {_TEXTS[name]: row for name, row in figures["overall"].items()}, titles),
        *(_fairness(figures, titles) if figures["fairness"] else []),
        "## What changed",
        *(text for text, name in pictures if name == "changes"),
        *(
            [f"Of more than {_MOST_BARS} groups, and in the tables alone: {', '.join(large)}."]
            if large
            else []
        ),
        "## For whom",
        f"Means over a group's people.{_by_chance(figures, titles)}",
        *(_table(_panel(figures, name), groups, titles) for name, groups in figures["groups"].items()),
        "## Per landmark",
        "PCK@0.2, the points of all people pooled, as in the first table.",
        _table("part of the body", figures["per_part"], titles),
        _table("landmark", figures["per_landmark"], titles),
        "## People",
        *(text for text, name in pictures if name == "people"),
        "## What was compared",
        markdown_table(
            ("name", "folder", "evaluated", "sha256"),
            [
                (name, f"`{run['folder']}`", f"`{run['file']}`", f"`{run['sha256'][:16]}`")
                for name, run in zip(titles, figures["runs"], strict=True)
            ],
            num_text=4,
        ),
        "## Repeat",
        f"```\npython eval.py {quoted(f'compare=[{folders}]')}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _left_out(figures: Mapping[str, Any]) -> str:
    """How many of each evaluation's people are not among those of all."""
    counts = [str(run["num_people"]) for run in figures["runs"]]
    if set(counts) == {str(figures["num_people"])}:
        return ""
    return f" Of the evaluations' {' and '.join(counts)} people, the others are left out."


def _table(first: str, rows: Mapping[str, Mapping[str, Any]], titles: Sequence[str]) -> str:
    """Values of every run, and the differences with their intervals."""
    columns = [first, *titles]
    for name in titles[1:]:
        columns.append("difference" if len(titles) == 2 else f"{name}, difference")
    lines = []
    for title, row in rows.items():
        line = [title, *map(format_value, row["values"])]
        for change in row["changes"]:
            line.append(f"{change['value']:+.1f}{_signed(change['ci95'])}")
        lines.append([*line, str(row["people"])])
    return markdown_table([*columns, "people"], lines)


def _by_chance(figures: Mapping[str, Any], titles: Sequence[str]) -> str:
    """How many groups are told apart, and how many would be if nothing had changed on average.

    At most about 5 of 100: the people who are added to those drawn make intervals wider.
    """
    rows = [row["changes"] for groups in figures["groups"].values() for row in groups.values()]
    known = [[change["ci95"] for change in row] for row in rows if row[0]["ci95"]]
    if not known:
        return ""
    apart = [sum(low > 0 or high < 0 for low, high in of_run) for of_run in zip(*known, strict=True)]
    counts = ", ".join(f"{count} with {name}" for count, name in zip(apart, titles[1:], strict=True))
    most = math.ceil(0.05 * len(known))
    by_chance = f"up to about {most} would be by chance if nothing had changed on average"
    return f" Intervals beside 0, of {len(known)} in all: {counts}; {by_chance}."


def _signed(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f" ({bounds[0]:+.1f} to {bounds[1]:+.1f})"


def _fairness(figures: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    rows = [(humanize(name), *map(_range, runs)) for name, runs in figures["fairness"].items()]
    note = "Range of the groups' means over people, and the verdict by the criterion of each evaluation."
    if tables := figures["metadata"]:
        note += f" Groups of `{tables[0]}` for all{''.join(f', not of `{name}`' for name in tables[1:])}."
    return ["## Fairness", note, markdown_table(("attribute", *titles), rows, num_text=1 + len(titles))]


def _range(of_one: Mapping[str, Any]) -> str:
    if of_one["range"] is None:
        return f"{of_one['verdict']}: too few people"
    low, high = of_one["range_ci95"]
    measured = f"{of_one['range']:.1f} by {of_one['metric'].upper()} (true: {low:.1f} to {high:.1f})"
    return f"{measured}, {of_one['verdict']} (up to {of_one['criterion']:.1f} is fair)"


def _panel(figures: Mapping[str, Any], name: str) -> str:
    """Groups, and by what they are compared."""
    return f"{humanize(name)}, {figures['group_metrics'][name].upper()}"


def _plot(figures: Mapping[str, Any], number: int, title: str, file: Path) -> None:
    """Change of every group and landmark with its interval."""
    panels = {
        _panel(figures, name): groups
        for name, groups in figures["groups"].items()
        if len(groups) <= _MOST_BARS
    }
    panels["landmark, PCK@0.2"] = figures["per_landmark"]
    sizes = [len(rows) for rows in panels.values()]
    figure = Figure(figsize=(7.2, 0.8 + 0.24 * sum(sizes) + 0.7 * len(sizes)), layout="constrained")
    grid = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[size + 1.2 for size in sizes]
    )
    for axes, (name, rows) in zip(grid[:, 0], panels.items(), strict=True):
        _plot_panel(axes, name, {row: of_one["changes"][number] for row, of_one in rows.items()})
    text = "change in points of a hundred, and 95 % interval"
    grid[-1, 0].set_xlabel(text)
    figure.suptitle(f"{title}: {text}", fontsize=9, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_MOST_BARS = 24
"""Groups of an attribute that is drawn; larger ones are in the tables."""


def _plot_panel(axes: Axes, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    for row, change in enumerate(rows.values()):
        low, high = change["ci95"] or (change["value"], change["value"])
        if change["ci95"] is None:
            axes.plot(change["value"], row, "o", color=_ALIKE, markersize=4.5, fillstyle="none")
            continue
        color = _BETTER if low > 0 else _WORSE if high < 0 else _ALIKE
        axes.plot([low, high], [row, row], color=color, linewidth=2)
        axes.plot(change["value"], row, "o", color=color, markersize=4.5)
    axes.axvline(0, color="black", linewidth=0.8, alpha=0.6)
    axes.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelbottom=True, labelsize=7)
    axes.set_title(name, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25, linewidth=0.6)
