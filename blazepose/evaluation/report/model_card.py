"""A model card filled from an evaluation and the weights' metadata; what is missing is marked unknown."""

import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.fairness.verdicts import DEMOGRAPHIC_ATTRIBUTES
from blazepose.evaluation.report.markdown import exclusions, fairness_tables, headline_table, humanize
from blazepose.evaluation.report.tables import format_interval, markdown_table
from blazepose.evaluation.results import describe_setup
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.runtime.decode import RawOutputs
from blazepose.runtime.engines import InferenceEngine
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import find_topology
from blazepose.topology import SHOULDERS, Topology

_RUNS, _WARM_UP = 50, 5
_UNKNOWN = "Unknown: not in the weights' metadata."


class Latency(NamedTuple):
    """Latency of one crop.

    Attributes:
        milliseconds: median time per crop.
        input_size: side of the crop, pixels.
        setup: machine, engine and number of threads.
        outputs: outputs for this crop, whose shapes the card names.
    """

    milliseconds: float
    input_size: int
    setup: str
    outputs: RawOutputs


def measure_latency(engine: InferenceEngine, threads: int | None) -> Latency:
    """Measure the latency of single crops, one after the other as in a video.

    Args:
        engine: the engine to time.
        threads: number of threads that it was given; None for its default.
    """
    crop = np.random.default_rng(0).integers(0, 256, (1, engine.input_size, engine.input_size, 3), np.uint8)
    times = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        outputs = engine(crop)
        times.append(1000 * (time.perf_counter() - start))
    number = f"{threads} thread{'s' if threads != 1 else ''}" if threads else "default number of threads"
    setup = f"{_processor()}, {type(engine).__name__}, {number}"
    return Latency(float(np.median(times[_WARM_UP:])), engine.input_size, setup, outputs)


def _processor() -> str:
    """Return the processor's name, as reported by the operating system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.processor() or platform.machine()


def write_model_card(
    metrics: Mapping[str, Any], metadata: Mapping[str, Any], latency: Latency, file: Path
) -> None:
    """Write the model card.

    Args:
        metrics: content of results.json.
        metadata: metadata of the weights; empty for foreign weights.
        latency: latency of one crop.
        file: Markdown file to write, in the folder of the report's images.
    """
    name, setup = weights_name(Path(metrics["file"])), describe_setup(metrics)
    sections = [
        f"# Model card: {name}",
        "Filled from an evaluation and the weights' metadata. Complete what is marked unknown by hand before "
        "publishing.",
        "## Model",
        _model_table(metrics, metadata, latency),
        "## Inputs and outputs",
        *_interface(metadata, latency, find_topology(metrics["topology"])),
        "## Training data",
        _training(metadata),
        "## Intended use",
        "Unknown: state the people, poses, places and devices that it is meant for, and not meant for.",
        "## Evaluation",
        f"{setup[0].upper()}{setup[1:]}; data {', '.join(metrics['data'])}.",
        headline_table(metrics),
        exclusions(metrics),
        *(fairness_tables(metrics) or ["## Fairness", "Not measured: the data has no groups of people."]),
        "## Limits",
        "\n".join(f"- {sentence}." for sentence in _limits(metrics, metadata)),
    ]
    file.write_text("\n\n".join(sections) + "\n")


def _model_table(metrics: Mapping[str, Any], metadata: Mapping[str, Any], latency: Latency) -> str:
    architecture = _UNKNOWN
    if metadata.get("model"):
        model, wiring = metadata["model"], metadata["wiring"]
        architecture = f"BlazePose {model}, {wiring} wiring, written by blazepose {metadata['version']}"
    size = Path(metrics["file"]).stat().st_size / 1e6
    rows = [
        ("architecture", architecture),
        ("file", f"`{metrics['file']}`, {size:.1f} MB, sha256 `{metrics['sha256']}`"),
        ("latency of one crop", f"{latency.milliseconds:.1f} ms (median of {_RUNS}; {latency.setup})"),
    ]
    if detector := metrics["detector"]:
        rows.append(("detector", f"`{detector['file']}`, sha256 `{detector['sha256']}`"))
    return markdown_table(("", ""), rows, num_text=2)


def _interface(metadata: Mapping[str, Any], latency: Latency, topology: Topology) -> list[str]:
    """Describe the input, the outputs that the engine returns, and the trained ones."""
    total, count = topology.num_outputs, topology.num_landmarks
    points = f"{total} points (the {count} landmarks, and auxiliary ones for tracking)"
    center = "shoulders" if topology.roi.center == SHOULDERS else "hips"
    side, outputs = latency.input_size, latency.outputs
    rows = [
        (
            "input",
            f"{side} x {side} x 3, RGB, 0 to 1: the square around one person, upright, centered on the "
            f"{center}",
        ),
        ("landmarks", f"{points}: x, y, z in pixels; visibility and presence, logits"),
        ("pose presence", "probability that a person is in the crop"),
    ]
    if outputs.segmentation is not None:
        rows.append(("segmentation", f"{_size(outputs.segmentation)}: logits of the person mask"))
    if outputs.heatmaps is not None:
        rows.append(("heatmaps", f"{_size(outputs.heatmaps)} per point, used to refine x and y"))
    if outputs.world is not None:
        meaning = f"{points}: x, y, z in meters from the hips, along the axes of the crop"
        rows.append(("world landmarks", meaning))
    supervised = SupervisedOutputs.from_metadata(metadata.get("trained"), topology).describe()
    return [markdown_table(("", "meaning"), rows, num_text=2), f"{supervised[0].upper()}{supervised[1:]}."]


def _size(maps: np.ndarray) -> str:
    """Return width and height of maps (batch, height, width, channels)."""
    return f"{maps.shape[2]} x {maps.shape[1]}"


def _training(metadata: Mapping[str, Any]) -> str:
    """List the training sources with their licenses, also those of the initial weights and the teacher."""
    data, teacher = metadata.get("data", {}), metadata.get("teacher") or {}
    parts = [
        _sources("Trained on", data.get("train", [])),
        _sources("Trained without labels on", data.get("unlabelled", [])),
    ]
    init = metadata.get("init") or {}
    start = (metadata.get("recipe") or {}).get("init")
    if start:
        parts.append(f"Initialized from `{start}`.")
    if init.get("data"):
        parts.append(_sources("The initial weights were trained on", init["data"].get("train", [])))
    if teacher and teacher["sha256"] != init.get("sha256"):
        parts.append(
            _sources(f"Distilled from `{teacher['name']}`, trained on", teacher["data"].get("train", []))
        )
    if blend := metadata.get("blend"):
        parts.append(
            f"Interpolated: {blend['share']:g} of the way from the initial to the fine-tuned weights."
        )
    return "\n\n".join(filter(None, parts)) or _UNKNOWN


def _sources(verb: str, sources: list[Mapping[str, Any]]) -> str:
    lines = [f"- `{source['name']}`: {source['people']} people; {source['licence']}." for source in sources]
    return f"{verb}:\n\n" + "\n".join(lines) if lines else ""


def _limits(metrics: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[str]:
    for name, groups in metrics["breakdown"].items():
        large = {group: row for group, row in groups.items() if row["subjects"] >= LEAST_PEOPLE}
        if len(large) > 1:
            worst, best = (choose(large, key=lambda group: large[group]["pck@0.2"]) for choose in (min, max))
            low, high = large[worst], large[best]
            if low["ci95"][1] < high["ci95"][0]:  # more than chance
                yield f"By {humanize(name)}: PCK@0.2 {_group(worst, low)}, {_group(best, high)}"
    missing = [humanize(name) for name in DEMOGRAPHIC_ATTRIBUTES if name not in metrics["fairness"]]
    if missing:
        yield f"Not measured by {', '.join(missing)}: not in the data"
    if metrics["pdj@0.2"] is None:
        yield "Visibility was not measured: not labelled, or not trained"
    if metrics["roi"] != "detector":
        yield "Crops come from the labels: these metrics do not include detector errors"
    if metrics["mpjpe_mm"] is None:
        yield "World landmarks were not measured: not labelled, or not trained"
    if not metadata:
        yield "Foreign weights: the file does not record their training data or trained outputs"


def _group(name: str, row: Mapping[str, Any]) -> str:
    return f"{row['pck@0.2']:.1f} ({format_interval(row['ci95'])}) for “{name}”"
