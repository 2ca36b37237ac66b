"""Summaries of a comparison in a few lines, for the console."""

from collections.abc import Mapping
from typing import Any

from blazepose.evaluation.compare.forgetting import SHIFT_PX


def sentences(comparison: Mapping[str, Any]) -> list[str]:
    """Return a sentence on PCK@0.2 for each evaluation after the first."""
    names = [run["name"] for run in comparison["runs"]]
    return [_sentence(comparison["overall"]["pck@0.2"], names, number) for number in range(len(names) - 1)]


def _sentence(entry: Mapping[str, Any], names: list[str], number: int) -> str:
    change, first, other = entry["changes"][number], names[0], names[number + 1]
    if change["ci95"] is None:
        return f"not enough people ({entry['people']}) to compare {first} and {other}"
    low, high = change["ci95"]
    result = "better than" if low > 0 else "worse than" if high < 0 else "not significantly different from"
    before, after = entry["values"][0], entry["values"][number + 1]
    return (
        f"{other} is {result} {first}: PCK@0.2 {before:.1f} -> {after:.1f}, {change['value']:+z.1f} "
        f"(95 % interval {low:+z.1f} to {high:+z.1f})"
    )


def people_lines(comparison: Mapping[str, Any]) -> list[str]:
    """Return what was gained and forgotten on each data set by two evaluations, then the notes."""
    lines = []
    forgotten = comparison["forgotten"]
    for name, entry in comparison["per_data_set"].items():
        (before, after), (change,) = entry["values"], entry["changes"]
        interval = "too few people for an interval"
        if change["ci95"]:
            low, high = change["ci95"]
            interval = f"95 % interval {low:+z.1f} to {high:+z.1f}"
        lines += [
            f"\n{name}, {entry['people']} people, roi={comparison['runs'][0]['roi']}",
            f"  PCK@0.2 {before:.1f} -> {after:.1f}: {change['value']:+z.1f}, {interval}",
        ]
        if rows := forgotten["data_sets"].get(name):
            shift = f"{SHIFT_PX} px shift"
            lines.append(f"  change where the first are correct, by{'second weights':>16}{shift:>15}")
            for output, row in rows.items():
                lines.append(f"    {output:34} {decimals(row['change']):>15}{decimals(row['noise']):>15}")
    if reason := forgotten["not_measured"]:
        lines.append(f"what was forgotten is not measured: {reason}")
    return [*lines, *comparison["notes"]]


def decimals(value: float | int | None) -> str:
    """Format a change with two decimals; a dash without people to measure it."""
    return "-" if value is None else f"{value:.2f}"


def video_lines(video: Mapping[str, Any]) -> list[str]:
    """Return the name of a video, then what changed in it."""
    first, second = video["without_pose"]
    return [
        f"\n{video['file']}, {video['frames']} frames, MediaPipe's VIDEO mode",
        f"  frames without a pose {first} -> {second}",
        f"  alignment points moved by {video['hips_moved']:.2f} % (hips) and {video['circle_moved']:.2f} % "
        "(circle) of the crop,\n"
        f"  which makes the next crop {video['crop_growth']:+.2f} % larger (medians)",
    ]
