"""A model card, filled from an evaluation and from what weights say of themselves; gaps are named as gaps."""

import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.fairness.verdicts import DEMOGRAPHIC_ATTRIBUTES
from blazepose.evaluation.report.markdown import exclusions, fairness_tables, headline_table, humanize
from blazepose.evaluation.report.tables import span, table
from blazepose.evaluation.results import describe_setup
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.runtime.engines import InferenceEngine
from blazepose.topology import NUM_LANDMARKS, NUM_OUTPUTS
from blazepose.training.supervised_outputs import describe_supervised

_RUNS, _WARM_UP = 50, 5
_UNSAID = "The weights do not say."


class Latency(NamedTuple):
    """How long one crop takes.

    Attributes:
        milliseconds: median.
        side: of the crop, pixels.
        where: machine, threads and engine.
    """

    milliseconds: float
    side: int
    where: str


def measure_latency(engine: InferenceEngine, threads: int | None) -> Latency:
    """Time one crop after the other, as in a video.

    Args:
        engine: to run.
        threads: it was given; None if it takes what it likes.
    """
    crop = np.random.default_rng(0).integers(0, 256, (1, engine.input_size, engine.input_size, 3), np.uint8)
    times = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        engine(crop)
        times.append(1000 * (time.perf_counter() - start))
    number = f"{threads} thread{'s' if threads != 1 else ''}" if threads else "as many threads as it takes"
    where = f"{_processor()}, {type(engine).__name__}, {number}"
    return Latency(float(np.median(times[_WARM_UP:])), engine.input_size, where)


def _processor() -> str:
    """Its name, as the machine says it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def write_model_card(
    figures: Mapping[str, Any], said: Mapping[str, Any], latency: Latency, file: Path
) -> None:
    """Write the card.

    Args:
        figures: content of results.json.
        said: what the weights say of themselves; empty of foreign ones.
        latency: of one crop.
        file: Markdown; the pictures of the report lie beside it.
    """
    name, setup = weights_name(Path(figures["file"])), describe_setup(figures)
    sections = [
        f"# Model card: {name}",
        "Filled from an evaluation and from what the weights say of themselves. What neither tells is said "
        "to be unknown: complete it by hand before you publish it.",
        "## Model",
        _model_table(figures, said, latency),
        "## Inputs and outputs",
        *_contract(said, latency.side),
        "## Training data",
        _training(said),
        "## Intended use",
        "Unknown: say for which people, poses, places and devices it is meant, and for which it is not.",
        "## Evaluation",
        f"{setup[0].upper()}{setup[1:]}; data {', '.join(figures['data'])}.",
        headline_table(figures),
        exclusions(figures),
        *(fairness_tables(figures) or ["## Fairness", "Not measured: the data name no groups of people."]),
        "## Limits",
        "\n".join(f"- {sentence}." for sentence in _limits(figures, said)),
    ]
    file.write_text("\n\n".join(sections) + "\n")


def _model_table(figures: Mapping[str, Any], said: Mapping[str, Any], latency: Latency) -> str:
    kind = _UNSAID
    if said.get("model"):
        kind = f"BlazePose {said['model']}, {said['wiring']} wiring, written by blazepose {said['version']}"
    size = Path(figures["file"]).stat().st_size / 1e6
    rows = [
        ("architecture", kind),
        ("file", f"`{figures['file']}`, {size:.1f} MB, sha256 `{figures['sha256']}`"),
        ("latency of one crop", f"{latency.milliseconds:.1f} ms (median of {_RUNS}; {latency.where})"),
    ]
    if detector := figures["detector"]:
        rows.append(("detector", f"`{detector['file']}`, sha256 `{detector['sha256']}`"))
    return table(("", ""), rows, words=2)


def _contract(said: Mapping[str, Any], side: int) -> list[str]:
    """What goes in and comes out, as of all landmark networks that MediaPipe loads; and what was trained."""
    points = f"{NUM_OUTPUTS} points (the {NUM_LANDMARKS} landmarks, and others for tracking)"
    rows = [
        (
            "input",
            f"{side} x {side} x 3, RGB, 0 to 1: the square around a person, hips in the middle, upright",
        ),
        ("landmarks", f"{points}: x, y, z in pixels; visibility and presence, logits"),
        ("pose presence", "probability that somebody is there"),
        ("segmentation", f"{side} x {side}: logits of the person's pixels"),
        ("heatmaps", f"{side // 4} x {side // 4} of every point, by which x and y are refined"),
        ("world landmarks", f"{points}: x, y, z in metres from the hips, along the axes of the square"),
    ]
    trained = said.get("trained")
    learned = (
        describe_supervised(trained) if trained else "what was trained is unknown: the weights do not say"
    )
    return [table(("", "meaning"), rows, words=2), f"{learned[0].upper()}{learned[1:]}."]


def _training(said: Mapping[str, Any]) -> str:
    """Sources and licences, those of the weights it began with too."""
    parts = [_sources("Trained on", said.get("data", {}).get("train", []))]
    init = said.get("init") or {}
    start = (said.get("recipe") or {}).get("init")
    if start:
        parts.append(f"Training began from `{start}`.")
    if init.get("data"):
        parts.append(_sources("Those weights had been trained on", init["data"].get("train", [])))
    if share := said.get("blend"):
        parts.append(
            f"These are {share['share']:g} of the way from the weights it began with to those it ended with."
        )
    return "\n\n".join(filter(None, parts)) or _UNSAID


def _sources(verb: str, sources: list[Mapping[str, Any]]) -> str:
    lines = [f"- `{one['name']}`: {one['people']} people; {one['licence']}." for one in sources]
    return f"{verb}:\n\n" + "\n".join(lines) if lines else ""


def _limits(figures: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
    for name, groups in figures["breakdown"].items():
        known = {group: row for group, row in groups.items() if row["subjects"] >= LEAST_PEOPLE}
        if len(known) > 1:
            worst, best = (choose(known, key=lambda group: known[group]["pck@0.2"]) for choose in (min, max))
            low, high = known[worst], known[best]
            if low["ci95"][1] < high["ci95"][0]:  # not by chance alone
                yield (
                    f"By {humanize(name)}: PCK@0.2 {low['pck@0.2']:.1f} ({span(low['ci95'])}) of “{worst}”, "
                    f"{high['pck@0.2']:.1f} ({span(high['ci95'])}) of “{best}”"
                )
    unknown = [humanize(name) for name in DEMOGRAPHIC_ATTRIBUTES if name not in figures["fairness"]]
    if unknown:
        yield f"Not measured by {', '.join(unknown)}: the data do not tell them"
    if figures["pdj@0.2"] is None:
        yield "Visibility was not measured: it is not labelled, or was never trained"
    if figures["roi"] != "detector":
        yield "The crop came from the labels: errors of the detector are not in these figures"
    if figures["mpjpe_mm"] is None:
        yield "World landmarks were not measured: they are not labelled, or were never trained"
    if not said:
        yield "Foreign weights: what they were trained on, and with which outputs, is not known from the file"
