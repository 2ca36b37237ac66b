"""All measurements of a benchmark, as rows of its table and notes below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from blazepose.benchmark.files import LANDMARKS, BenchmarkFile
from blazepose.benchmark.frame_rate import read_frames
from blazepose.benchmark.latency import measure_latency
from blazepose.benchmark.memory import measure_memory
from blazepose.benchmark.network_rows import acceleration_rows, network_rows
from blazepose.benchmark.phone_results import read_results
from blazepose.benchmark.phone_rows import NOTE, phone_names, phone_rows
from blazepose.benchmark.pipeline_rows import (
    check_pipelines,
    describe_frame_rate,
    describe_jitter,
    frame_rate_rows,
    jitter_rows,
)
from blazepose.benchmark.table import Row
from blazepose.exceptions import InputError, MissingPackageError, install_command
from blazepose.image import read_image

_FRAMES = 100
"""Frames of a video. Chosen: 100 of 1080p take 0.6 GB."""


@dataclass(frozen=True)
class BenchmarkOptions:
    """Settings of a benchmark. Size, cost, latency, acceleration and memory are always measured.

    Attributes:
        threads: numbers of threads.
        rounds: rounds of the latency.
        picture: image of one person: input of the networks, and jitter.
        video: frame rate; its first frame takes the place of a picture.
        data: labelled people for PCK, `reader:path[:split]`.
        results: outputs of phones.
    """

    threads: tuple[int, ...] = (1, 2)
    rounds: int = 30
    picture: Path | None = None
    video: Path | None = None
    data: tuple[str, ...] = ()
    results: tuple[Path, ...] = ()


class Measured(NamedTuple):
    """Rows of the table, and sentences below it."""

    rows: list[Row]
    notes: list[str]


def measure(files: Sequence[BenchmarkFile], options: BenchmarkOptions) -> Measured:
    """Measure files.

    Raises:
        FileNotFoundError: if a file of the options is missing.
        ImportError: if a package for an option is not installed.
        ValueError: if a file of the options cannot be read, or an option has no effect on these files.
    """
    bundles = [file for file in files if file.is_bundle]
    if options.video and not bundles:
        raise InputError(
            "--video measures whole pipelines, which need a .task: detector and landmark network"
        )
    runs = read_results(options.results, set(phone_names(files)))
    frames = read_frames(options.video, _FRAMES) if options.video else []
    picture = read_image(options.picture) if options.picture else frames[0] if frames else None
    source = options.picture or (options.video and f"the first frame of {options.video}")

    if picture is not None:
        check_pipelines(files)
    accuracy = _accuracy(files, options.data)  # first, since data may be unreadable
    networks = Measured([], [])
    if any(file.kinds for file in files):
        latencies = measure_latency(files, options.threads, options.rounds, picture)
        accelerated, gpu = acceleration_rows(files)
        networks.rows.extend([*network_rows(files, latencies, options.threads), *accelerated])
        networks.rows.append(Row("memory_mb", "memory, MB", _memory(files, max(options.threads))))
        networks.notes.append(
            f"Latency: median of {options.rounds} rounds, all files by turns; input "
            f"{source or 'random pixels'}. A ratio is paired by round, with its 95 % interval."
        )
        networks.notes.extend([*gpu, "Memory: what loading and running adds to the peak of a new process."])
    pipelines = Measured([], [])
    if frames:
        pipelines.rows.extend(frame_rate_rows(files, frames))
        pipelines.notes.append(describe_frame_rate(options.video, frames))
    if picture is not None and bundles:
        pipelines.rows.extend(jitter_rows(files, picture))
        pipelines.notes.append(describe_jitter(source))
    size = Row("size_mb", "size, MB", [file.size / 1e6 for file in files], 2)
    return Measured(
        [size, *networks.rows, *pipelines.rows, *accuracy.rows, *phone_rows(files, runs)],
        [*networks.notes, *pipelines.notes, *accuracy.notes, *([NOTE] if runs else [])],
    )


def _memory(files: Sequence[BenchmarkFile], threads: int) -> list[float | None]:
    progress = tqdm(files, desc="memory", unit=" files", disable=None)
    return [measure_memory(file, threads) if file.kinds else None for file in progress]


def _accuracy(files: Sequence[BenchmarkFile], data: Sequence[str]) -> Measured:
    """Measure PCK of the landmark networks, and its change from the first."""
    if not data:
        return Measured([], [])
    scored = [file for file in files if LANDMARKS in file.kinds]
    if not scored:
        raise InputError("--data needs a file with a landmark network: .task, .tflite or .onnx")
    try:
        from blazepose.benchmark.accuracy import measure_accuracy
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"--data needs {error.name}: {install_command('train')}") from error
    people, pck, change = measure_accuracy([file.path for file in scored], data)
    names = [file.name for file in scored]
    values, changes = (dict(zip(names, column, strict=True)) for column in (pck, change))
    rows = [Row("pck@0.2", "PCK@0.2, %", [values.get(file.name) for file in files], 1)]
    if len(scored) > 1:
        cells = [changes.get(file.name) for file in files]
        rows.append(Row("pck@0.2_change", "PCK@0.2: change from the first file", cells, 1, signed=True))
    note = (
        f"PCK@0.2: {people} people of {', '.join(data)}, crops from the labels, torso from left shoulder to "
        "right hip, each file's own decoding; 95 % intervals, that of a change paired by person."
    )
    return Measured(rows, [note])
