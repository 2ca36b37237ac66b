"""What an evaluation leaves behind for people: report.md with its pictures."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blazepose import __version__
from blazepose.evaluation.config import ANNOTATOR_PREFIX, EvaluationConfig
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
    plot_calibration,
    plot_curve,
    plot_difficulty,
    plot_fairness,
    title,
)
from blazepose.evaluation.report.sheets import draw_sheet, random_people, worst_cases
from blazepose.evaluation.results import describe_setup
from blazepose.evaluation.score import ScoredPeople
from blazepose.hydra_app import quoted
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
    if folder.exists() and not (
        folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())
    ):
        raise FileExistsError(f"out={folder} exists and is not empty; results are never written over")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def repeat_command(
    options: EvaluationConfig, evaluated: Path, specs: list[str], metadata: str | None = None
) -> str:
    """The command line that gives the same results."""
    settings: dict[str, Any]
    if options.predictions:
        settings = {"predictions": f"{ANNOTATOR_PREFIX if options.annotator_labels else ''}{evaluated}"}
    else:
        settings = {"weights": evaluated, "roi": options.roi}
    settings |= {"data.test": f"[{','.join(specs)}]", "torso": options.torso, "seed": options.seed}
    chosen = {
        "detector": options.detector,
        "engine": options.engine,
        "data.metadata": metadata,
        "intersect": f"[{','.join(options.intersect)}]" if options.intersect else None,
        "annotators": options.annotators,
        "min_group_size": (
            options.min_group_size if options.min_group_size != EvaluationConfig.min_group_size else None
        ),
    }
    settings |= {key: value for key, value in chosen.items() if value}
    humanize = re.compile(r"[\w.\-/]+")
    words = [
        f"{key}={value}" if humanize.fullmatch(str(value)) else quoted(f"{key}={value}")
        for key, value in settings.items()
    ]
    return " ".join(["python eval.py", *words])


def write_report(
    scored: ScoredPeople, figures: Mapping[str, Any], command: str, seed: int, folder: Path
) -> None:
    """Write results.json, report.md with its charts and picture sheets, and all of it as report.html.

    Args:
        scored: the people and their errors.
        figures: content of results.json.
        command: repeats the evaluation.
        seed: of the choice of random people.
        folder: where to.
    """
    (folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n")
    plot_curve(scored, figures, folder / "pck_curve.png")
    plot_landmarks(figures, title(figures), folder / "body.png")
    plot_difficulty(scored, figures, folder / "difficulty.png")
    if figures["calibration"]:
        plot_calibration(figures, folder / "calibration.png")
    if has_groups(figures):
        plot_fairness(figures, folder / "fairness.png")
    legend = "left: labels, right: prediction; orange is the person's left"
    worst, chance = worst_cases(scored, _PEOPLE), random_people(scored, _PEOPLE, seed)
    draw_sheet(scored, worst, f"Worst people ({legend})", folder / "worst.png")
    draw_sheet(scored, chance, f"People at random ({legend})", folder / "random.png")
    text = _markdown(figures, command)
    (folder / "report.md").write_text(text)
    write_html(text, folder / "report.html")


def _markdown(figures: Mapping[str, Any], command: str) -> str:
    verdicts = figures["fairness"].items()
    sections = [
        f"# {weights_name(Path(figures['file']))} on {', '.join(figures['data'])}",
        f"{describe_setup(figures)[0].upper()}{describe_setup(figures)[1:]}.",
        "\n".join(f"- {humanize(name)}: {verdict_sentence(of_one)}." for name, of_one in verdicts),
        headline_table(figures),
        exclusions(figures),
        "![PCK over thresholds](pck_curve.png)",
        *landmark_tables(figures),
        *fairness_tables(figures),
        *breakdown_tables(figures),
        *head_tables(figures),
        "## People",
        "![Worst people](worst.png)",
        "![People at random](random.png)",
        "## Repeat",
        f"```\n{command}\n```",
        f"Evaluated: {_identity(figures)}, with blazepose {__version__}.",
        *([f"The detector: {_identity(figures['detector'])}."] if figures["detector"] else []),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _identity(file: Mapping[str, Any]) -> str:
    return f"`{file['file']}`, sha256 `{file['sha256']}`"
