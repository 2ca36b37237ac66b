"""What an evaluation leaves behind for people: report.md with its pictures."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from blazepose import __version__
from blazepose.configured import quoted
from blazepose.evaluation.engines import weights_name
from blazepose.evaluation.options import Options
from blazepose.evaluation.plots import plot_curve, plot_groups, plot_landmarks
from blazepose.evaluation.score import Scored
from blazepose.evaluation.sheets import draw_sheet, random_people, worst_people
from blazepose.metrics.pck import torso_definition
from blazepose.training.runs import RUNS, new_run_folder

_PEOPLE = 16
"""People on a picture sheet."""


def new_folder(out: str | None, evaluated: Path) -> Path:
    """Make and return the folder of the results: `out`, or a name made of the weights and the time.

    Raises:
        FileExistsError: if it holds files already.
    """
    if not out:
        return new_run_folder(RUNS / "eval", weights_name(evaluated))
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"out={folder} exists and is not empty; results are never written over")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def repeat_command(options: Options, evaluated: Path, specs: list[str]) -> str:
    """The command line that gives the same results."""
    scoring = {"data.test": f"[{','.join(specs)}]", "torso": options.torso, "seed": options.seed}
    if options.predictions:
        settings = {"predictions": evaluated, **scoring}
    else:
        chosen = {"detector": options.detector, "engine": options.engine}
        given = {key: value for key, value in chosen.items() if value}
        settings = {"weights": evaluated, "roi": options.roi, **given, **scoring}
    plain = re.compile(r"[\w.\-/]+")
    words = [
        f"{key}={value}" if plain.fullmatch(str(value)) else quoted(f"{key}={value}")
        for key, value in settings.items()
    ]
    return " ".join(["python eval.py", *words])


def write_report(scored: Scored, figures: Mapping[str, Any], command: str, seed: int, folder: Path) -> None:
    """Write results.json, report.md, its charts and two picture sheets.

    Args:
        scored: the people and their errors.
        figures: content of results.json.
        command: repeats the evaluation.
        seed: of the choice of random people.
        folder: where to.
    """
    (folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n")
    plot_curve(scored, figures, folder / "pck_curve.png")
    plot_landmarks(figures, folder / "per_landmark.png")
    if figures["groups"]:
        plot_groups(figures, folder / "groups.png")
    legend = "left: labels, right: prediction; orange is the person's left"
    worst, chance = worst_people(scored, _PEOPLE), random_people(scored, _PEOPLE, seed)
    draw_sheet(scored, worst, f"Worst people ({legend})", folder / "worst.png")
    draw_sheet(scored, chance, f"People at random ({legend})", folder / "random.png")
    (folder / "report.md").write_text(_markdown(figures, command))


def _markdown(figures: Mapping[str, Any], command: str) -> str:
    sections = [
        f"# {weights_name(Path(figures['file']))} on {', '.join(figures['data'])}",
        _headline_table(figures),
        _left_out(figures),
        "![PCK over thresholds](pck_curve.png)",
        f"Area under the curve from 0.05 to 0.5: {figures['pck_area']:.1f} %.",
        *_head_tables(figures),
        "## Per landmark",
        _landmark_table(figures),
        "![PCK@0.2 per landmark](per_landmark.png)",
        *_group_tables(figures),
        "## People",
        "![Worst people](worst.png)",
        "![People at random](random.png)",
        "## Repeat",
        f"```\n{command}\n```",
        f"Evaluated: {_identity(figures)}, with blazepose {__version__}.",
        *([f"The detector: {_identity(figures['detector'])}."] if figures["detector"] else []),
    ]
    return "\n\n".join(sections) + "\n"


def _identity(file: Mapping[str, Any]) -> str:
    return f"`{file['file']}`, sha256 `{file['sha256']}`"


def _headline_table(figures: Mapping[str, Any]) -> str:
    crop, torso, data = figures["roi"], torso_definition(figures["torso"]).text, ", ".join(figures["data"])
    where = f"{crop} | {torso} | {figures['num_people']} people of {data}"
    missed = ", of those who were found" if figures["num_not_found"] else ""
    rows = [
        ("PCK@0.2, landmarks as the runtime returns them (refined by the heatmap)", figures["pck@0.2"]),
        ("PCK@0.2, regression output alone", figures["pck@0.2_raw"]),
        ("PCK@0.2, floor: the data set's median aligned pose for everybody", figures["pck@0.2_mean_pose"]),
        ("PDJ@0.2: PCK@0.2, and the visibility must match the label", figures["pdj@0.2"]),
        (f"mean error, % of the torso{missed}", figures["mean_error"]),
    ]
    lines = [f"| {name} | {_text(value)} | {where} |" for name, value in rows]
    return "\n".join(["| figure | % | crop from | torso size | data |", "|---|---|---|---|---|", *lines])


def _text(value: float | None) -> str:
    return "not labelled or not trained" if value is None else f"{value:.1f}"


def _left_out(figures: Mapping[str, Any]) -> str:
    reasons = ", ".join(f"{count} ({reason})" for reason, count in figures["num_left_out"].items())
    text = f"People left out: {reasons or 'none'}."
    if figures["num_not_found"]:
        text += f" People whom the detector did not find, and who count as wrong: {figures['num_not_found']}."
    if figures["not_trained"]:
        points = ", ".join(f"{name} ({count})" for name, count in figures["not_trained"].items())
        text += f" Labelled points left out because the weights never learned them: {points}."
    if figures["outputs_not_trained"]:
        outputs = ", ".join(figures["outputs_not_trained"])
        text += f" Labelled, but not scored because the weights never learned it: {outputs}."
    return text


_HEAD_ROWS = (
    ("mpjpe_mm", "MPJPE: world landmarks, both sides centred on their own mid-hip", "mm"),
    ("pa_mpjpe_mm", "PA-MPJPE: after moving, turning and scaling each person onto the label", "mm"),
    ("visibility_balanced_accuracy", "visibility, mean recall of both classes: 50 is guessing", "%"),
    ("presence_balanced_accuracy", "presence in the crop, mean recall of both classes", "%"),
    ("mask_iou", "mask, intersection over union, mean over people", "%"),
)


def _head_tables(figures: Mapping[str, Any]) -> list[str]:
    """Everything beside 2-D landmarks that has a figure."""
    rows = [
        (text, f"{figures[name]:.1f} {unit}") for name, text, unit in _HEAD_ROWS if figures[name] is not None
    ]
    classes = [
        (name, *(_cell(row[key]) for key in ("f1", "precision", "recall", "points")))
        for name, row in figures["classes"].items()
        if row["points"]
    ]
    tables = [(("figure", "value"), rows), (("landmarks", "F1, %", "precision", "recall", "points"), classes)]
    found = [_table(columns, lines) for columns, lines in tables if lines]
    return ["## 3-D, visibility, mask", *found] if found else []


_LANDMARK_COLUMNS = {
    "pck@0.2": "PCK@0.2",
    "mean_error": "mean error, % of torso",
    "offset": "offset right, down, % of torso",
    "mpjpe_mm": "MPJPE, mm",
    "visible_share": "visible, %",
    "visibility_accuracy": "visibility right, %",
    "count": "points",
}


def _landmark_table(figures: Mapping[str, Any]) -> str:
    return _figures_table("landmark", _LANDMARK_COLUMNS, figures["per_landmark"])


_GROUP_COLUMNS = {
    "pck@0.2": "PCK@0.2",
    "pdj@0.2": "PDJ@0.2",
    "mean_error": "mean error, % of torso",
    "mpjpe_mm": "MPJPE, mm",
    "mask_iou": "mask IoU, %",
    "count": "people",
}


def _group_tables(figures: Mapping[str, Any]) -> list[str]:
    """A table for each attribute that the labels give."""
    if not figures["groups"]:
        return []
    tables = [_figures_table(name, _GROUP_COLUMNS, groups) for name, groups in figures["groups"].items()]
    note = "Means over all labelled points of a group's people, of masks over its people."
    return ["## Groups", note, *tables, "![PCK@0.2 per group](groups.png)"]


def _figures_table(first: str, columns: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Rows of figures, without the columns in which nobody has one."""
    known = [key for key in columns if any(row[key] is not None for row in rows.values())]
    lines = [(name, *(_cell(row[key]) for key in known)) for name, row in rows.items()]
    return _table((first, *(columns[key] for key in known)), lines)


def _cell(value: float | int | list[float] | None) -> str:
    if isinstance(value, list):
        return ", ".join(f"{part:+.1f}" for part in value)
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
