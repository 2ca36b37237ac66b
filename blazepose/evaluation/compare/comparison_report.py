"""Write a comparison: comparison.json, report.md and report.html with their images."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blazepose.evaluation.compare.before_after import save_before_after
from blazepose.evaluation.compare.comparison import compare_runs
from blazepose.evaluation.compare.comparison_inputs import Run
from blazepose.evaluation.compare.comparison_summary import decimals, sentences, video_lines
from blazepose.evaluation.compare.difference_plot import MAX_BARS, plot_differences
from blazepose.evaluation.compare.forgetting import SHIFT_PX, Forgotten
from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.markdown import humanize
from blazepose.evaluation.report.tables import format_value, markdown_table
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import torso_definition


def write_comparison(
    runs: Sequence[Run],
    folder: Path,
    command: str,
    forgotten: Forgotten,
    video: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the comparison of two or more evaluations.

    Args:
        runs: two or more evaluations; the others are compared with the first.
        folder: folder to write to.
        command: command line that reproduces the comparison.
        forgotten: changes of the outputs of the first two.
        video: changes in a video, as of compare.video_change; None without a video.

    Returns:
        Content of comparison.json: that of compare_runs, `forgotten` and `video`.
    """
    comparison = compare_runs(runs) | {"forgotten": forgotten._asdict(), "video": video}
    (folder / "comparison.json").write_text(json.dumps(comparison, indent=2) + "\n")
    first, *others = _names(comparison)
    for number, (run, name) in enumerate(zip(runs[1:], others, strict=True)):
        file = folder / _image_name("changes", number)
        plot_differences(_panels(comparison), number, f"{first} to {name}", file)
        file = folder / _image_name("people", number)
        save_before_after(runs[0].scored, run.scored, (first, name), file)
    _write([*_people_sections(comparison), *_video_section(video)], command, folder)
    return comparison


def write_video_report(names: Sequence[str], video: Mapping[str, Any], command: str, folder: Path) -> None:
    """Write the comparison of two bundles on a video alone."""
    (folder / "comparison.json").write_text(json.dumps({"video": video}, indent=2) + "\n")
    _write([f"# Comparison of {' and '.join(names)}", *_video_section(video)], command, folder)


def _write(sections: Sequence[str], command: str, folder: Path) -> None:
    text = "\n\n".join([*sections, "## Reproduce", f"```\n{command}\n```"]) + "\n"
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")


def _names(comparison: Mapping[str, Any]) -> list[str]:
    return [run["name"] for run in comparison["runs"]]


def _image_name(name: str, number: int) -> str:
    return f"{name}.png" if number == 0 else f"{name}_{number + 1}.png"


def _images(name: str, text: str, titles: Sequence[str]) -> list[str]:
    return [f"![{text} {title}]({_image_name(name, number)})" for number, title in enumerate(titles[1:])]


def _people_sections(comparison: Mapping[str, Any]) -> list[str]:
    titles = _names(comparison)
    return [
        f"# Comparison of {' and '.join(titles)}",
        _setup(comparison, titles),
        "\n".join(f"- {sentence}." for sentence in (*sentences(comparison), *comparison["notes"])),
        "## What was gained",
        *_gain_section(comparison, titles),
        "## For whom",
        *_group_section(comparison, titles),
        "## What was forgotten",
        *_forgotten_section(comparison["forgotten"], titles),
        "## Compared evaluations",
        markdown_table(
            ("name", "folder", "evaluated", "sha256"),
            [
                (run["name"], f"`{run['folder']}`", f"`{run['file']}`", f"`{run['sha256'][:16]}`")
                for run in comparison["runs"]
            ],
            num_text=4,
        ),
    ]


def _setup(comparison: Mapping[str, Any], titles: Sequence[str]) -> str:
    torso, crops = torso_definition(comparison["torso"]).text, [run["roi"] for run in comparison["runs"]]
    crop = crops[0] if len(set(crops)) == 1 else ", ".join(map(" for ".join, zip(crops, titles, strict=True)))
    decodings = {title: run["decoding"] for title, run in zip(titles, comparison["runs"], strict=True)}
    decoding = "".join(f", decoding {name} for {title}" for title, name in decodings.items() if name)
    return (
        f"{comparison['num_people']} people, the same for all; crop from {crop}{decoding}, torso {torso}. "
        "Differences are paired by person, with bootstrap 95 % intervals for groups of "
        f"{LEAST_PEOPLE} people or more.{_excluded(comparison)}"
    )


def _gain_section(comparison: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    data_sets = comparison["per_data_set"]
    return [
        _table("metric", {METRICS[key].column: row for key, row in comparison["overall"].items()}, titles),
        "PCK and PDJ are in percent. Distances are those of people that all evaluations detect.",
        *([_table("data set, PCK@0.2", data_sets, titles)] if len(data_sets) > 1 else []),
        *_images("people", "Largest gains and losses of", titles),
        "### Per landmark",
        "PCK@0.2 over the pooled points of all people, as in the first table.",
        _table("part of the body", comparison["per_part"], titles),
        _table("landmark", comparison["per_landmark"], titles),
    ]


def _group_section(comparison: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    groups = comparison["groups"]
    tables_only = [humanize(name) for name, rows in groups.items() if len(rows) > MAX_BARS]
    note = f"In the tables only, with more than {MAX_BARS} groups: {', '.join(tables_only)}."
    return [
        *_images("changes", "Differences of every group and landmark,", titles),
        *([note] if tables_only else []),
        *(_fairness(comparison, titles) if comparison["fairness"] else []),
        "### Differences by group",
        f"Means over the people of a group.{_significant(comparison, titles)}",
        *(_table(_panel_title(comparison, name), rows, titles) for name, rows in groups.items()),
    ]


def _forgotten_section(forgotten: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    if reason := forgotten["not_measured"]:
        return [f"Not measured: {reason}."]
    data_sets = forgotten["data_sets"]
    return [
        f"Changes of the outputs from {titles[0]} to {titles[1]}, where those of {titles[0]} are correct: "
        "medians, and shares that agree. The noise is the same for a crop shifted by "
        f"{SHIFT_PX} px of the network's input, with {titles[0]} only: smaller changes mean nothing.",
        *(
            markdown_table(
                (name if len(data_sets) > 1 else "output", titles[1], "noise"),
                [(output, decimals(row["change"]), decimals(row["noise"])) for output, row in rows.items()],
            )
            for name, rows in data_sets.items()
        ),
    ]


def _video_section(video: Mapping[str, Any] | None) -> list[str]:
    if video is None:
        return []
    name, *changes = video_lines(video)
    return ["## In a video", name.strip(), "\n".join(f"- {change.strip()}" for change in changes)]


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
            line.append(f"{change['value']:+z.1f}{_signed(change['ci95'])}")
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
    return "" if bounds is None else f" ({bounds[0]:+z.1f} to {bounds[1]:+z.1f})"


def _fairness(comparison: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    rows = [(humanize(name), *map(_range, runs)) for name, runs in comparison["fairness"].items()]
    note = "Range of the groups' means over people, and the verdict by each evaluation's criterion."
    if tables := comparison["metadata"]:
        note += f" Groups from `{tables[0]}` for all{''.join(f', not from `{name}`' for name in tables[1:])}."
    return ["### Fairness", note, markdown_table(("attribute", *titles), rows, num_text=1 + len(titles))]


def _range(entry: Mapping[str, Any]) -> str:
    if entry["range"] is None:
        return f"{entry['verdict']}: too few people"
    low, high = entry["range_ci95"]
    measured = f"{entry['range']:.1f} in {entry['metric'].upper()} (95 % interval {low:.1f} to {high:.1f})"
    return f"{measured}, {entry['verdict']} (criterion {entry['criterion']:.1f})"


def _panel_title(comparison: Mapping[str, Any], name: str) -> str:
    """Return the attribute of the groups, and the metric that compares them."""
    return f"{humanize(name)}, {comparison['group_metrics'][name].upper()}"


def _panels(comparison: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the rows of the plot: attributes with few groups, then the landmarks."""
    groups = comparison["groups"].items()
    panels = {_panel_title(comparison, name): rows for name, rows in groups if len(rows) <= MAX_BARS}
    return panels | {"landmark, PCK@0.2": comparison["per_landmark"]}
