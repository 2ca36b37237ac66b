"""The sections of a report, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blazepose.evaluation.metric import Metric, Place, Section
from blazepose.evaluation.metric_table import METRICS, PCK, PCK_RAW, metrics_in
from blazepose.evaluation.report.tables import format_interval, format_value, markdown_table, metrics_table
from blazepose.metrics.group_range import CRITERION, FAIR, UNFAIR

_UNKNOWN = "not labelled or not trained"

_SUBSETS = {
    "coco17": "PCK@0.2, the landmarks of COCO",
    "lsp12": "PCK@0.2, the landmarks of LSP",
    "upper_body": "PCK@0.2, head to hips",
}


def _section(name: Section, metrics: Mapping[str, Any]) -> list[Metric]:
    """Return the metrics of a section that have a value."""
    return [row for row in METRICS.values() if row.section == name and metrics[row.key] is not None]


def headline_table(metrics: Mapping[str, Any]) -> str:
    """Format the metrics over all people, with their intervals."""
    titles = {row.key: row.title for row in METRICS.values() if row.section == "headline"}
    if metrics["annotators"]:
        titles[PCK] = "PCK@0.2 of the second annotator against the first"
        del titles[PCK_RAW]
    reasons = {PCK_RAW: "not returned by this file or runtime"}
    rows = [
        (title, _value_or(metrics[key], reasons.get(key, _UNKNOWN)), _interval(metrics, key))
        for key, title in titles.items()
    ]
    num_points = sum(part["count"] for part in metrics["per_part"].values())
    for key, title in _SUBSETS.items():
        subset = metrics["subsets"][key]
        if 0 < subset["count"] < num_points:
            rows.append((title, _value_or(subset[PCK], _UNKNOWN), ""))
    rows += [(row.title, format_value(metrics[row.key]), "") for row in _section("oks", metrics)]
    return markdown_table(("metric", "%", "95 % interval"), rows)


def _interval(metrics: Mapping[str, Any], key: str) -> str:
    return format_interval(metrics.get(f"{key}_ci95"))


def _value_or(value: float | None, reason: str) -> str:
    return reason if value is None else f"{value:.1f}"


def exclusions(metrics: Mapping[str, Any]) -> str:
    """List the people, points and outputs that the metrics exclude, and the caveats."""
    return "\n".join(f"- {sentence}." for sentence in _exclusions(metrics))


def _exclusions(metrics: Mapping[str, Any]) -> Iterator[str]:
    reasons = ", ".join(f"{count} ({reason})" for reason, count in metrics["num_left_out"].items())
    yield f"People excluded: {reasons or 'none'}"
    if missed := metrics["num_not_found"]:
        how = "missed by the detector" if "detector" in metrics["roi"] else "without predicted points"
        excluded = "mean errors, the swap rate and metrics in mm exclude them"
        yield f"People {how}: {missed}. They count as wrong; {excluded}"
    second = metrics["annotators"]
    reason = "the second annotator did not label" if second else "the weights were not trained on"
    if metrics["not_trained"]:
        points = ", ".join(f"{name} ({count})" for name, count in metrics["not_trained"].items())
        yield f"Labelled points excluded because {reason} them: {points}"
    if metrics["outputs_not_trained"]:
        outputs = ", ".join(metrics["outputs_not_trained"])
        yield f"Labelled outputs not scored because {reason} them: {outputs}"
    yield from (note[0].upper() + note[1:] for note in metrics["notes"])


def head_tables(metrics: Mapping[str, Any]) -> list[str]:
    """Format the metrics of all outputs other than 2-D landmarks."""
    rows = [(row.title, f"{metrics[row.key]:.1f} {row.unit}") for row in _section("outputs", metrics)]
    rows += [
        (f"{name}, expected calibration error", f"{entry['error']:.1f} %")
        for name, entry in metrics["calibration"].items()
    ]
    classes = [
        (name, *(format_value(row[key]) for key in ("f1", "precision", "recall", "points")))
        for name, row in metrics["classes"].items()
        if row["points"]
    ]
    tables = [(("metric", "value"), rows), (("landmarks", "F1, %", "precision", "recall", "points"), classes)]
    blocks = [markdown_table(columns, lines) for columns, lines in tables if lines]
    if metrics["calibration"]:
        blocks.append("![Reliability diagram of visibility and presence](calibration.png)")
    return ["## 3-D, visibility, mask", *blocks] if blocks else []


def _columns(place: Place) -> dict[str, str]:
    """Return the columns of a place: {key of a metric: title}."""
    return {metric.key: metric.column for metric in metrics_in(place)}


_POINTS = {"count": "points"}


def landmark_tables(metrics: Mapping[str, Any]) -> list[str]:
    """Format the metrics of each part of the body, and of each landmark."""
    parts = {part: row for part, row in metrics["per_part"].items() if row["count"]}
    return [
        "## Per landmark",
        "![PCK@0.2 per landmark](body.png)",
        metrics_table("part of the body", _columns("part") | _POINTS, parts),
        metrics_table("landmark", _columns("landmark") | _POINTS, metrics["per_landmark"]),
    ]


_AVERAGING = (
    "PCK and PDJ of a group are means over its people, while the overall values pool all points, so the "
    "groups need not average to them. Mean errors and MPJPE pool the points of a group."
)


def fairness_tables(metrics: Mapping[str, Any]) -> list[str]:
    """Format the model card's table of each attribute, with its verdict."""
    if not metrics["fairness"]:
        return []
    sections = [
        text
        for name, entry in metrics["fairness"].items()
        for text in (f"### {humanize(name).capitalize()}", _card_table(entry), _verdict_text(entry))
    ]
    note = (
        f"{_AVERAGING} Intervals are bootstrapped over people. Chance inflates the observed range between "
        "the best and the worst group, more so with many or small groups, so the verdict uses the 95 % "
        "interval of the true range."
    )
    image = ["![Groups with their intervals](fairness.png)"] if has_groups(metrics) else []
    return ["## Fairness", note, *image, *sections]


def has_groups(metrics: Mapping[str, Any]) -> bool:
    """Return whether any attribute with a verdict has groups."""
    return any(entry["groups"] for entry in metrics["fairness"].values())


def humanize(name: str) -> str:
    """Return an attribute's name as words."""
    return name.replace("_", " ")


def _card_table(entry: Mapping[str, Any]) -> str:
    metric, groups, more = entry["metric"], entry["groups"], _columns("group")
    title = more.pop(metric)
    if any(row["subjects"] < row["count"] for row in groups.values()):
        more |= {"subjects": "different people"}
    more = {key: title for key, title in more.items() if any(row[key] is not None for row in groups.values())}
    rows = [
        (
            group,
            str(row["count"]),
            format_value(row[metric]),
            format_value(row["std"]),
            format_interval(row["ci95"]),
            *(format_value(row[key]) for key in more),
        )
        for group, row in groups.items()
    ]
    if entry["range"] is not None:
        empty = [""] * (2 + len(more))
        num_judged = len(entry["judged"])
        suffix = "" if num_judged == len(groups) else f" of {num_judged} groups"
        rows += [
            (f"**{name}{suffix}**", "", f"**{entry[name]:.1f}**", *empty) for name in ("average", "range")
        ]
    return markdown_table(("group", "people", title, "std", "95 % interval", *more.values()), rows)


def _verdict_text(entry: Mapping[str, Any]) -> str:
    return " ".join(f"{sentence}." for sentence in (verdict_sentence(entry), *_verdict_caveats(entry)))


def verdict_sentence(entry: Mapping[str, Any]) -> str:
    """Return the verdict on an attribute, with its reason."""
    verdict, criterion = entry["verdict"], f"the criterion of {entry['criterion']:.1f}"
    if entry["range"] is None:
        return f"**{verdict}**: fewer than two groups have enough people ({entry['min_group']} or more)"
    low, high = entry["range_ci95"]
    observed = f"observed range {entry['range']:.1f} (lowest: {entry['worst']})"
    if verdict == FAIR:
        reason = f"{observed}; 95 % upper bound {high:.1f}, below {criterion}"
    elif verdict == UNFAIR:
        worse, better = entry["apart"]
        reason = f"{observed}; 95 % lower bound {low:.1f} ({worse} below {better}), above {criterion}"
    elif high < entry["criterion"]:
        reason = f"95 % upper bound {high:.1f} among the judged groups, below {criterion}"
    else:
        reason = (
            f"{observed}, bias-corrected {entry['range_corrected']:.1f}; 95 % interval {low:.1f} to "
            f"{high:.1f} includes {criterion}; evaluate more people"
        )
    return f"**{verdict}**: {reason}{_not_judged(entry)}"


def _not_judged(entry: Mapping[str, Any]) -> str:
    groups = [group for group in entry["too_few"] if group not in entry["judged"]]
    more = f" and {len(groups) - _MAX_NAMED} more" if len(groups) > _MAX_NAMED else ""
    return f". Too few people to judge: {_with_counts(entry, groups[:_MAX_NAMED])}{more}" if groups else ""


_MAX_NAMED = 3
"""Small groups named in a verdict; all of them are listed under its table."""


def _with_counts(entry: Mapping[str, Any], groups: Sequence[str]) -> str:
    return "; ".join(f"{group} ({entry['groups'][group]['subjects']})" for group in groups)


def fairness_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return the verdicts and the caveats as lines of plain text."""
    verdicts = [f"{humanize(name)}: {verdict_sentence(entry)}" for name, entry in metrics["fairness"].items()]
    return [line.replace("**", "") for line in (*verdicts, *metrics["notes"])]


def _verdict_caveats(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["metric"] == PCK:
        yield "Compared by PCK, because visibility is not labelled for all people"
    source = entry["criterion_from"]
    origin = (
        f"three times the annotator disagreement in `{source}`"
        if source
        else "that of MediaPipe's model card, for PDJ"
    )
    yield f"The criterion is {origin}"
    if entry["criterion"] > CRITERION:
        yield f"That is looser than MediaPipe's model card ({CRITERION}), because annotators disagree"
    if entry["too_few"]:
        yield f"Fewer than {entry['min_group']} people: {_with_counts(entry, entry['too_few'])}"
    if entry["without"]:
        yield f"In no group: {entry['without']} people"
    if entry.get("not_in_card"):
        yield f"MediaPipe's model card does not cover {', '.join(entry['not_in_card'])}"


def breakdown_tables(metrics: Mapping[str, Any]) -> list[str]:
    """Format a table of each kind of difficulty that has more than one group."""
    columns, tables = _columns("group"), []
    columns = {PCK: columns.pop(PCK), "ci95": "95 % interval", **columns, "count": "people"}
    for name, groups in metrics["breakdown"].items():
        if len(groups) > 1:
            rows = {group: row | {"ci95": format_interval(row["ci95"])} for group, row in groups.items()}
            tables.append(metrics_table(humanize(name), columns, rows))
    return ["## Breakdown by difficulty", _AVERAGING, "![Mean error by difficulty](difficulty.png)", *tables]
