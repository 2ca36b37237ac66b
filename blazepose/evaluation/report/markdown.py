"""The sections of a report's text, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blazepose.evaluation.report.tables import cell, metrics_table, span, table
from blazepose.metrics.group_range import CRITERION, FAIR, UNFAIR

_UNKNOWN = "not labelled or not trained"

_HEADLINE = (
    ("pck@0.2", "PCK@0.2, landmarks as the runtime returns them (refined by the heatmap)"),
    ("pck@0.2_raw", "PCK@0.2, regression output alone"),
    ("pck@0.2_mean_pose", "PCK@0.2, floor: the data set's median aligned pose for everybody"),
    ("pdj@0.2", "PDJ@0.2: PCK@0.2, and the visibility must match the label"),
    ("mean_error", "mean error, % of the torso"),
    ("pck_auc", "mean PCK over thresholds from 0.05 to 0.5"),
    ("swap_rate", "pairs of left and right that are taken for each other"),
)

_SUBSETS = {
    "coco17": "PCK@0.2, the landmarks that COCO has",
    "lsp12": "PCK@0.2, the landmarks that LSP has",
    "upper_body": "PCK@0.2, head to hips",
}

_OKS = (
    ("oks_ap", "OKS-AP over COCO's 17 keypoints (pycocotools; one answer a person, in their own crop)"),
    ("oks_ap50", "OKS-AP50"),
    ("oks_ap75", "OKS-AP75"),
    ("oks_ap_medium", "OKS-AP, medium people"),
    ("oks_ap_large", "OKS-AP, large people"),
    ("oks_ar", "OKS-AR"),
)


def headline_table(figures: Mapping[str, Any]) -> str:
    """Every figure of all people, side by side."""
    of_all = figures["per_part"].values()
    texts = dict(_HEADLINE)
    if figures["annotators"]:
        texts["pck@0.2"] = "PCK@0.2: points of the second annotator that are near the first's"
        del texts["pck@0.2_raw"]
    rows = [(text, _known(figures[name]), _interval(figures, name)) for name, text in texts.items()]
    for name, text in _SUBSETS.items():
        subset = figures["subsets"][name]
        if 0 < subset["count"] < sum(part["count"] for part in of_all):
            rows.append((text, _known(subset["pck@0.2"]), ""))
    rows += [(text, cell(figures[name]), "") for name, text in _OKS if figures[name] is not None]
    return table(("figure", "%", "95 % interval"), rows)


def _interval(figures: Mapping[str, Any], name: str) -> str:
    return span(figures.get(f"{name}_ci95"))


def _known(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1f}"


def exclusions(figures: Mapping[str, Any]) -> str:
    """Whom and what the figures leave out, and what else is to be known, as a list."""
    return "\n".join(f"- {sentence}." for sentence in _who_counts(figures))


def _who_counts(figures: Mapping[str, Any]) -> Iterator[str]:
    reasons = ", ".join(f"{count} ({reason})" for reason, count in figures["num_left_out"].items())
    yield f"People left out: {reasons or 'none'}"
    if figures["num_not_found"]:
        who = "whom the detector did not find" if "detector" in figures["roi"] else "without predicted points"
        missed = figures["num_not_found"]
        others = "mean errors, swaps and figures in millimetres are of the others"
        yield f"People {who}: {missed}. They count as wrong; {others}"
    if figures["not_trained"]:
        points = ", ".join(f"{name} ({count})" for name, count in figures["not_trained"].items())
        why = "the second annotator did not label" if figures["annotators"] else "the weights never learned"
        yield f"Labelled points left out because {why} them: {points}"
    if figures["outputs_not_trained"]:
        outputs = ", ".join(figures["outputs_not_trained"])
        why = "the second annotator does not tell" if figures["annotators"] else "the weights never learned"
        yield f"Labelled, but not scored because {why} it: {outputs}"
    yield from (note[0].upper() + note[1:] for note in figures["notes"])


_HEAD_ROWS = (
    ("mpjpe_mm", "MPJPE: world landmarks, both sides centred on their own mid-hip", "mm"),
    ("pa_mpjpe_mm", "PA-MPJPE: after moving, turning and scaling each person onto the label", "mm"),
    ("height_error", "height of world landmarks, mean difference from the label", "%"),
    ("height_bias", "the same, signed: above 0 is too tall", "%"),
    ("bone_asymmetry", "left and right bones of world landmarks, difference in length", "%"),
    ("visibility_balanced_accuracy", "visibility, mean recall of both classes: 50 is guessing", "%"),
    ("presence_balanced_accuracy", "presence in the crop, mean recall of both classes", "%"),
    ("mask_iou", "mask, intersection over union, mean over people", "%"),
)


def head_tables(figures: Mapping[str, Any]) -> list[str]:
    """Everything beside 2-D landmarks that has a figure."""
    rows = [
        (text, f"{figures[name]:.1f} {unit}") for name, text, unit in _HEAD_ROWS if figures[name] is not None
    ]
    rows += [
        (f"{name}, expected calibration error", f"{of_one['error']:.1f} %")
        for name, of_one in figures["calibration"].items()
    ]
    classes = [
        (name, *(cell(row[key]) for key in ("f1", "precision", "recall", "points")))
        for name, row in figures["classes"].items()
        if row["points"]
    ]
    tables = [(("figure", "value"), rows), (("landmarks", "F1, %", "precision", "recall", "points"), classes)]
    found = [table(columns, lines) for columns, lines in tables if lines]
    if figures["calibration"]:
        found.append("![How far visibility and presence can be taken as probabilities](calibration.png)")
    return ["## 3-D, visibility, mask", *found] if found else []


_LANDMARK_COLUMNS = {
    "pck@0.2": "PCK@0.2",
    "pdj@0.2": "PDJ@0.2",
    "mean_error": "mean error, % of torso",
    "offset": "offset right, down, % of torso",
    "mpjpe_mm": "MPJPE, mm",
    "visible_share": "visible, %",
    "visibility_accuracy": "visibility right, %",
    "count": "points",
}

_PART_COLUMNS = {
    "pck@0.2": "PCK@0.2",
    "pdj@0.2": "PDJ@0.2",
    "mean_error": "mean error, % of torso",
    "count": "points",
}


def landmark_tables(figures: Mapping[str, Any]) -> list[str]:
    """Of each part of the body, and of each landmark."""
    parts = {part: row for part, row in figures["per_part"].items() if row["count"]}
    return [
        "## Per landmark",
        "![PCK@0.2 per landmark](body.png)",
        metrics_table("part of the body", _PART_COLUMNS, parts),
        metrics_table("landmark", _LANDMARK_COLUMNS, figures["per_landmark"]),
    ]


_MORE_COLUMNS = {"mean_error": "mean error, % of torso", "mpjpe_mm": "MPJPE, mm", "mask_iou": "mask IoU, %"}


_OF_PEOPLE = (
    "PCK and PDJ of a group are means over its people, so they need not lie around those at the top, which "
    "are of all points together; mean errors and MPJPE are of a group's points together."
)


def fairness_tables(figures: Mapping[str, Any]) -> list[str]:
    """Of each attribute the model card's table, and what it means."""
    if not figures["fairness"]:
        return []
    sections = [
        text
        for name, of_one in figures["fairness"].items()
        for text in (f"### {humanize(name).capitalize()}", _card_table(of_one), _meaning(of_one))
    ]
    note = (
        f"{_OF_PEOPLE} Intervals by drawing people anew. The range between the best and the worst group "
        "grows by chance with the number of groups and with how small they are, so the verdict is by what "
        "the range of the true means can be."
    )
    picture = ["![Groups with their intervals](fairness.png)"] if has_groups(figures) else []
    return ["## Fairness", note, *picture, *sections]


def has_groups(figures: Mapping[str, Any]) -> bool:
    """Somebody is in a group that gets a verdict."""
    return any(of_one["groups"] for of_one in figures["fairness"].values())


def humanize(name: str) -> str:
    """An attribute as words."""
    return name.replace("_", " ")


def _card_table(of_one: Mapping[str, Any]) -> str:
    metric, groups = of_one["metric"], of_one["groups"]
    other = {"pck@0.2": "pdj@0.2", "pdj@0.2": "pck@0.2"}[metric]
    more = {other: other.upper(), **_MORE_COLUMNS}
    if any(row["subjects"] < row["count"] for row in groups.values()):
        more |= {"subjects": "different people"}
    more = {key: text for key, text in more.items() if any(row[key] is not None for row in groups.values())}
    rows = [
        (
            group,
            str(row["count"]),
            cell(row[metric]),
            cell(row["std"]),
            span(row["ci95"]),
            *(cell(row[key]) for key in more),
        )
        for group, row in groups.items()
    ]
    if of_one["range"] is not None:
        empty = [""] * (2 + len(more))
        of_whom = "" if len(of_one["judged"]) == len(groups) else f" of {len(of_one['judged'])} groups"
        rows += [
            (f"**{name}{of_whom}**", "", f"**{of_one[name]:.1f}**", *empty) for name in ("average", "range")
        ]
    return table(("group", "people", metric.upper(), "std", "95 % interval", *more.values()), rows)


def _meaning(of_one: Mapping[str, Any]) -> str:
    return " ".join(f"{sentence}." for sentence in (verdict_sentence(of_one), *_caveats(of_one)))


def verdict_sentence(of_one: Mapping[str, Any]) -> str:
    """The verdict on an attribute, and why."""
    verdict, criterion = of_one["verdict"], f"{of_one['criterion']:.1f}"
    if of_one["range"] is None:
        return f"**{verdict}**: fewer than two groups have enough people ({of_one['min_group']} or more)"
    low, high = of_one["range_ci95"]
    measured = f"the means differ by {of_one['range']:.1f} (lowest: {of_one['worst']})"
    sure = {
        FAIR: f"{measured}, the true ones surely by less than {high:.1f}; up to {criterion} is fair",
        UNFAIR: f"{measured}, the true ones surely by more than {low:.1f}; over {criterion} is unfair. "
        f"{of_one['apart'][0]} is so much worse than {of_one['apart'][1]}",
    }
    unsure = (
        f"{measured}, about {of_one['range_corrected']:.1f} without what chance adds; the true range is "
        f"between {low:.1f} and {high:.1f}, so it may be above {criterion} or not: more people would tell"
    )
    if high < of_one["criterion"]:  # of those that were judged
        unsure = f"the true means of the others surely differ by less than {high:.1f}"
    return f"**{verdict}**: {sure.get(verdict, unsure)}{_not_judged(of_one)}"


def _not_judged(of_one: Mapping[str, Any]) -> str:
    groups = [group for group in of_one["too_few"] if group not in of_one["judged"]]
    more = f" and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    return f". Too few people to judge: {_counted(of_one, groups[:_NAMED])}{more}" if groups else ""


_NAMED = 3
"""Small groups that a verdict names; all of them are under its table."""


def _counted(of_one: Mapping[str, Any], groups: Sequence[str]) -> str:
    return "; ".join(f"{group} ({of_one['groups'][group]['subjects']})" for group in groups)


def fairness_lines(figures: Mapping[str, Any]) -> list[str]:
    """The verdicts and what else is to be known, in lines without marks."""
    verdicts = [
        f"{humanize(name)}: {verdict_sentence(of_one)}" for name, of_one in figures["fairness"].items()
    ]
    return [line.replace("**", "") for line in (*verdicts, *figures["notes"])]


def _caveats(of_one: Mapping[str, Any]) -> Iterator[str]:
    if of_one["metric"] == "pck@0.2":
        yield "By PCK, since visibility is not known of everybody"
    source = of_one["criterion_from"]
    measured = f"three times the discrepancy of `{source}`" if source else "the model card's, of PDJ"
    yield f"The criterion is {measured}"
    if of_one["criterion"] > CRITERION:
        yield f"That is looser than the model card's {CRITERION}: annotators who agree badly excuse a model"
    if of_one["too_few"]:
        yield f"Fewer than {of_one['min_group']} people: {_counted(of_one, of_one['too_few'])}"
    if of_one["without"]:
        yield f"In no group: {of_one['without']} people"
    if of_one.get("not_in_card"):
        yield f"The model card has no figures of {', '.join(of_one['not_in_card'])}"


_GROUP_COLUMNS = {
    "pck@0.2": "PCK@0.2",
    "ci95": "95 % interval",
    "pdj@0.2": "PDJ@0.2",
    **_MORE_COLUMNS,
    "count": "people",
}


def breakdown_tables(figures: Mapping[str, Any]) -> list[str]:
    """A table for everything that makes poses hard, where there is more than one group."""
    tables = []
    for name, groups in figures["breakdown"].items():
        if len(groups) > 1:
            rows = {group: row | {"ci95": span(row["ci95"])} for group, row in groups.items()}
            tables.append(metrics_table(humanize(name), _GROUP_COLUMNS, rows))
    return ["## What makes poses hard", _OF_PEOPLE, "![Mean error](difficulty.png)", *tables]
