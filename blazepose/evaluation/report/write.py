"""Write results.json, report.md and report.html with their images."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blazepose import __version__
from blazepose.config.evaluate import ANNOTATOR_PREFIX, EvaluationConfig
from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.landmark_plot import plot_landmarks
from blazepose.evaluation.report.markdown import (
    breakdown_tables,
    exclusions,
    fairness_tables,
    has_groups,
    head_tables,
    headline_table,
    humanize,
    landmark_tables,
    verdict_sentence,
)
from blazepose.evaluation.report.plots import (
    chart_title,
    plot_calibration,
    plot_curve,
    plot_difficulty,
    plot_fairness,
)
from blazepose.evaluation.report.sheets import draw_sheet, random_people, swapped_people, worst_cases
from blazepose.evaluation.results import describe_setup
from blazepose.evaluation.score import ScoredPeople
from blazepose.exceptions import ExistingFileError
from blazepose.quoting import quoted
from blazepose.runs import RUNS, new_run_folder

_SHEET_PEOPLE = 16
"""People on a sheet."""


def new_folder(out: str | None, evaluated: Path, option: str = "out=") -> Path:
    """Create the results folder: `out`, or one named after the weights and the time.

    Args:
        out: folder that the user names.
        evaluated: weights or predictions.
        option: command-line option in messages: `out=` or `--out `.

    Raises:
        FileExistsError: if it already holds files.
    """
    if not out:
        return new_run_folder(RUNS / "eval", weights_name(evaluated))
    folder = Path(out)
    if folder.exists() and not (
        folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())
    ):
        raise ExistingFileError(f"{option}{folder} exists and is not empty; choose another {option.strip()}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def repeat_command(
    options: EvaluationConfig, evaluated: Path, specs: list[str], metadata: str | None = None
) -> str:
    """Return the command line that reproduces the results."""
    settings: dict[str, Any]
    if options.predictions:
        settings = {"predictions": f"{ANNOTATOR_PREFIX if options.annotator_labels else ''}{evaluated}"}
    else:
        settings = {"weights": evaluated, "roi": options.roi}
    settings |= {"data.test": f"[{','.join(specs)}]", "torso": options.torso, "seed": options.seed}
    chosen = {
        "landmarks": f"[{','.join(options.landmarks)}]" if options.landmarks else None,
        "detector": options.detector,
        "decode": options.decode,
        "engine": options.engine,
        "data.metadata": metadata,
        "intersect": f"[{','.join(options.intersect)}]" if options.intersect else None,
        "annotators": options.annotators,
        "min_group_size": (
            options.min_group_size if options.min_group_size != EvaluationConfig.min_group_size else None
        ),
    }
    return command_line(settings | {key: value for key, value in chosen.items() if value})


def command_line(settings: Mapping[str, Any]) -> str:
    """Return a command line of blazepose eval with these overrides, quoted where Hydra needs it."""
    plain = re.compile(r"[\w.\-/]+")
    words = [
        f"{key}={value}" if plain.fullmatch(str(value)) else quoted(f"{key}={value}")
        for key, value in settings.items()
    ]
    return " ".join(["blazepose eval", *words])


def write_report(
    scored: ScoredPeople, metrics: Mapping[str, Any], command: str, seed: int, folder: Path
) -> None:
    """Write results.json, report.md with its charts and image sheets, and all of it as report.html.

    Args:
        scored: the people and their errors.
        metrics: content of results.json.
        command: command line that reproduces the evaluation.
        seed: seed for sampling the random people.
        folder: folder to write to.
    """
    (folder / "results.json").write_text(json.dumps(metrics, indent=2) + "\n")
    plot_curve(scored, metrics, folder / "pck_curve.png")
    plot_landmarks(metrics, chart_title(metrics), folder / "body.png")
    plot_difficulty(scored, metrics, folder / "difficulty.png")
    if metrics["calibration"]:
        plot_calibration(metrics, folder / "calibration.png")
    if has_groups(metrics):
        plot_fairness(metrics, folder / "fairness.png")
    legend = "left: labels, right: prediction; orange: the person's left side"
    worst, sampled = worst_cases(scored, _SHEET_PEOPLE), random_people(scored, _SHEET_PEOPLE, seed)
    draw_sheet(scored, worst, f"Worst cases ({legend})", folder / "worst.png")
    draw_sheet(scored, sampled, f"Random people ({legend})", folder / "random.png")
    if metrics["swap_rate"]:
        swapped = swapped_people(scored, _SHEET_PEOPLE)
        draw_sheet(scored, swapped, f"Left and right swapped ({legend})", folder / "swapped.png")
    text = _markdown(metrics, command)
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")


def _markdown(metrics: Mapping[str, Any], command: str) -> str:
    verdicts = metrics["fairness"].items()
    sections = [
        f"# {weights_name(Path(metrics['file']))} on {', '.join(metrics['data'])}",
        f"{describe_setup(metrics)[0].upper()}{describe_setup(metrics)[1:]}.",
        "\n".join(f"- {humanize(name)}: {verdict_sentence(entry)}." for name, entry in verdicts),
        headline_table(metrics),
        exclusions(metrics),
        "![PCK over thresholds](pck_curve.png)",
        *landmark_tables(metrics),
        *fairness_tables(metrics),
        *breakdown_tables(metrics),
        *head_tables(metrics),
        "## Qualitative results",
        "![Worst cases](worst.png)",
        *(["![Left and right swapped, in prediction or label](swapped.png)"] if metrics["swap_rate"] else []),
        "![Random people](random.png)",
        "## Reproduce",
        f"```\n{command}\n```",
        f"Evaluated: {_identity(metrics)}, with blazepose {__version__}.",
        *([f"Detector: {_identity(metrics['detector'])}."] if metrics["detector"] else []),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _identity(file: Mapping[str, Any]) -> str:
    return f"`{file['file']}`, sha256 `{file['sha256']}`"
