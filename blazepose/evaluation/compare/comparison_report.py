"""Write a comparison: comparison.json, report.md and report.html with their images."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blazepose.evaluation.compare.before_after import save_before_after
from blazepose.evaluation.compare.comparison import changed_people, compare_runs
from blazepose.evaluation.compare.comparison_inputs import Run, short_names
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.markdown import humanize
from blazepose.evaluation.report.tables import format_value, markdown_table
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import torso_definition
from blazepose.quoting import quoted

_DPI = 130
_BETTER, _WORSE, _NOT_SIGNIFICANT = (0.2, 0.6, 0.25), (0.8, 0.2, 0.15), (0.45, 0.45, 0.45)
_TITLES = {
    "pck@0.2": "PCK@0.2, %",
    "pck@0.2_raw": "PCK@0.2, regression output alone, %",
    "pdj@0.2": "PDJ@0.2, %",
    "mean_error": "mean error, % of the torso, people detected by all",
    "mpjpe_mm": "MPJPE, mm",
}


def write_comparison(runs: Sequence[Run], folder: Path) -> str:
    """Write the comparison of two or more evaluations.

    Args:
        runs: two or more evaluations; the others are compared with the first.
        folder: folder to write to.

    Returns:
        One line for each run after the first, with the change of PCK@0.2.
    """
    comparison = compare_runs(runs)
    (folder / "comparison.json").write_text(json.dumps(comparison, indent=2) + "\n")
    titles = short_names(runs)
    for number, run in enumerate(runs[1:]):
        _plot(
            comparison,
            number,
            f"{titles[0]} to {titles[number + 1]}",
            folder / _image_name("changes", number),
        )
        names = (titles[0], titles[number + 1])
        save_before_after(changed_people(runs[0], run), names, folder / _image_name("people", number))
    sentences = [
        _sentence(comparison["overall"]["pck@0.2"], titles, number) for number in range(len(runs) - 1)
    ]
    text = _markdown(comparison, titles, sentences)
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")
    return "\n".join(sentences)


def _image_name(name: str, number: int) -> str:
    return f"{name}.png" if number == 0 else f"{name}_{number + 1}.png"


def _sentence(entry: Mapping[str, Any], titles: Sequence[str], number: int) -> str:
    change, first, other = entry["changes"][number], titles[0], titles[number + 1]
    if change["ci95"] is None:
        return f"not enough people ({entry['people']}) to compare {first} and {other}"
    low, high = change["ci95"]
    result = "better than" if low > 0 else "worse than" if high < 0 else "not significantly different from"
    before, after = entry["values"][0], entry["values"][number + 1]
    return (
        f"{other} is {result} {first}: PCK@0.2 {before:.1f} -> {after:.1f}, {change['value']:+.1f} "
        f"(95 % interval {low:+.1f} to {high:+.1f})"
    )


def _markdown(comparison: Mapping[str, Any], titles: Sequence[str], sentences: Sequence[str]) -> str:
    torso, crops = torso_definition(comparison["torso"]).text, [run["roi"] for run in comparison["runs"]]
    crop = crops[0] if len(set(crops)) == 1 else ", ".join(map(" for ".join, zip(crops, titles, strict=True)))
    images = [
        (f"![{text}]({_image_name(name, number)})", name)
        for number, title in enumerate(titles[1:])
        for name, text in (
            ("changes", f"Differences of {title} from {titles[0]}"),
            ("people", f"Largest gains and losses of {title}"),
        )
    ]
    tables_only = [humanize(name) for name, groups in comparison["groups"].items() if len(groups) > _MAX_BARS]
    folders = ",".join(run["folder"] for run in comparison["runs"])
    sections = [
        f"# Comparison of {' and '.join(titles)}",
        f"{comparison['num_people']} people, the same for all; crop from {crop}, torso {torso}. Differences "
        f"are paired by person, with bootstrap 95 % intervals for groups of {LEAST_PEOPLE} people or more."
        f"{_excluded(comparison)}",
        "\n".join(f"- {sentence}." for sentence in (*sentences, *comparison["notes"])),
        _table("metric", {_TITLES[name]: row for name, row in comparison["overall"].items()}, titles),
        *(_fairness(comparison, titles) if comparison["fairness"] else []),
        "## Differences",
        *(text for text, name in images if name == "changes"),
        *(
            [f"In the tables only, with more than {_MAX_BARS} groups: {', '.join(tables_only)}."]
            if tables_only
            else []
        ),
        "## Differences by group",
        f"Means over the people of a group.{_significant(comparison, titles)}",
        *(
            _table(_panel_title(comparison, name), groups, titles)
            for name, groups in comparison["groups"].items()
        ),
        "## Per landmark",
        "PCK@0.2 over the pooled points of all people, as in the first table.",
        _table("part of the body", comparison["per_part"], titles),
        _table("landmark", comparison["per_landmark"], titles),
        "## Qualitative results",
        *(text for text, name in images if name == "people"),
        "## Compared evaluations",
        markdown_table(
            ("name", "folder", "evaluated", "sha256"),
            [
                (name, f"`{run['folder']}`", f"`{run['file']}`", f"`{run['sha256'][:16]}`")
                for name, run in zip(titles, comparison["runs"], strict=True)
            ],
            num_text=4,
        ),
        "## Reproduce",
        f"```\nblazepose eval {quoted(f'compare=[{folders}]')}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _excluded(comparison: Mapping[str, Any]) -> str:
    """State the number of people of each evaluation, if some have people that others lack."""
    counts = [str(run["num_people"]) for run in comparison["runs"]]
    if set(counts) == {str(comparison["num_people"])}:
        return ""
    return f" The evaluations have {' and '.join(counts)} people; those not in all are excluded."


def _table(first: str, rows: Mapping[str, Mapping[str, Any]], titles: Sequence[str]) -> str:
    """Format the values of every run, and the differences with their intervals."""
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


def _significant(comparison: Mapping[str, Any], titles: Sequence[str]) -> str:
    """Count the groups with a significant difference, and those expected by chance if nothing changed.

    Chance gives at most about 5 of 100, because the people added to each bootstrap sample widen intervals.
    """
    rows = [row["changes"] for groups in comparison["groups"].values() for row in groups.values()]
    intervals = [[change["ci95"] for change in row] for row in rows if row[0]["ci95"]]
    if not intervals:
        return ""
    significant = [sum(low > 0 or high < 0 for low, high in run) for run in zip(*intervals, strict=True)]
    counts = ", ".join(f"{count} with {name}" for count, name in zip(significant, titles[1:], strict=True))
    expected = f"up to about {math.ceil(0.05 * len(intervals))} expected by chance if nothing changed"
    return f" Intervals that exclude 0, of {len(intervals)}: {counts}; {expected}."


def _signed(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f" ({bounds[0]:+.1f} to {bounds[1]:+.1f})"


def _fairness(comparison: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    rows = [(humanize(name), *map(_range, runs)) for name, runs in comparison["fairness"].items()]
    note = "Range of the groups' means over people, and the verdict by each evaluation's criterion."
    if tables := comparison["metadata"]:
        note += f" Groups from `{tables[0]}` for all{''.join(f', not from `{name}`' for name in tables[1:])}."
    return ["## Fairness", note, markdown_table(("attribute", *titles), rows, num_text=1 + len(titles))]


def _range(entry: Mapping[str, Any]) -> str:
    if entry["range"] is None:
        return f"{entry['verdict']}: too few people"
    low, high = entry["range_ci95"]
    measured = f"{entry['range']:.1f} in {entry['metric'].upper()} (95 % interval {low:.1f} to {high:.1f})"
    return f"{measured}, {entry['verdict']} (criterion {entry['criterion']:.1f})"


def _panel_title(comparison: Mapping[str, Any], name: str) -> str:
    """Return the attribute of the groups, and the metric that compares them."""
    return f"{humanize(name)}, {comparison['group_metrics'][name].upper()}"


def _plot(comparison: Mapping[str, Any], number: int, title: str, file: Path) -> None:
    """Plot the difference of every group and landmark with its interval."""
    panels = {
        _panel_title(comparison, name): groups
        for name, groups in comparison["groups"].items()
        if len(groups) <= _MAX_BARS
    }
    panels["landmark, PCK@0.2"] = comparison["per_landmark"]
    sizes = [len(rows) for rows in panels.values()]
    figure = Figure(figsize=(7.2, 0.8 + 0.24 * sum(sizes) + 0.7 * len(sizes)), layout="constrained")
    grid = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[size + 1.2 for size in sizes]
    )
    for axes, (name, rows) in zip(grid[:, 0], panels.items(), strict=True):
        _plot_panel(axes, name, {row: entry["changes"][number] for row, entry in rows.items()})
    text = "difference in percentage points, with 95 % interval"
    grid[-1, 0].set_xlabel(text)
    figure.suptitle(f"{title}: {text}", fontsize=9, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


_MAX_BARS = 24
"""Most groups of an attribute in the plot; attributes with more are in the tables only."""


def _plot_panel(axes: Axes, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    for row, change in enumerate(rows.values()):
        low, high = change["ci95"] or (change["value"], change["value"])
        if change["ci95"] is None:
            axes.plot(change["value"], row, "o", color=_NOT_SIGNIFICANT, markersize=4.5, fillstyle="none")
            continue
        color = _BETTER if low > 0 else _WORSE if high < 0 else _NOT_SIGNIFICANT
        axes.plot([low, high], [row, row], color=color, linewidth=2)
        axes.plot(change["value"], row, "o", color=color, markersize=4.5)
    axes.axvline(0, color="black", linewidth=0.8, alpha=0.6)
    axes.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelbottom=True, labelsize=7)
    axes.set_title(name, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25, linewidth=0.6)
