"""Rows of whole pipelines: frames per second and jitter, of our tracker and of MediaPipe's."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np

from blazepose.benchmark.files import BenchmarkFile
from blazepose.benchmark.frame_rate import measure_frame_rates
from blazepose.benchmark.jitter import measure_jitter
from blazepose.benchmark.runners import has_mediapipe, our_runner
from blazepose.benchmark.statistics import median_interval
from blazepose.benchmark.table import Row, Value
from blazepose.evaluation.mediapipe_runtime import Runner, mediapipe_runner

_ROUNDS = 7
"""Chosen: each takes seconds; at least statistics.MIN_ROUNDS."""

_JITTER_FRAMES = 100
"""Chosen."""

_TITLES = {"blazepose": "blazepose track", "mediapipe": "MediaPipe"}


@contextmanager
def _runners(files: Sequence[BenchmarkFile]) -> Iterator[dict[tuple[str, str], Runner]]:
    """Open both pipelines of each bundle: {(name of the file, pipeline): runner}."""
    runners: dict[tuple[str, str], Runner] = {}
    with ExitStack() as stack:
        for file in files:
            if not file.is_bundle:
                continue
            runners[file.name, "blazepose"] = our_runner(file.path)
            if has_mediapipe():
                runners[file.name, "mediapipe"] = stack.enter_context(mediapipe_runner(file.path))
        yield runners


def check_pipelines(files: Sequence[BenchmarkFile]) -> None:
    """Open all pipelines once, before any measurement.

    Raises:
        ValueError: if MediaPipe rejects a bundle.
    """
    with _runners(files):
        pass


def frame_rate_rows(files: Sequence[BenchmarkFile], frames: Sequence[np.ndarray]) -> Iterator[Row]:
    """Measure frames per second on a video: a row per pipeline, and one of the ratios to the first file."""
    with _runners(files) as runners:
        rates = measure_frame_rates(runners, frames, _ROUNDS)
    for pipeline, title in _TITLES.items():
        measured = [rates.get((file.name, pipeline)) for file in files]
        present = [values for values in measured if values is not None]
        if not present:
            continue
        medians = [None if values is None else float(np.median(values)) for values in measured]
        yield Row(f"{pipeline}_fps", f"{title}: frames/s", medians, 1)
        if len(present) > 1:
            base = present[0]
            ratios: list[Value] = [
                None if values is None else 1.0 if values is base else median_interval(values / base)
                for values in measured
            ]
            yield Row(f"{pipeline}_fps_ratio", f"{title}: frames/s, of the first file's", ratios, 2)


def describe_frame_rate(video: object, frames: Sequence[np.ndarray]) -> str:
    """Return the note to the rows of the frame rate."""
    height, width = frames[0].shape[:2]
    missing = "" if has_mediapipe() else " MediaPipe is not installed."
    return (
        f"Frames/s: {len(frames)} frames of {video}, {width}x{height}, decoded before; median of {_ROUNDS} "
        f"rounds, all pipelines by turns on every core.{missing}"
    )


def jitter_rows(files: Sequence[BenchmarkFile], picture: np.ndarray) -> Iterator[Row]:
    """Measure the jitter on a picture of one person, and yield a row per pipeline."""
    with _runners(files) as runners:
        measured = measure_jitter(runners, picture, _JITTER_FRAMES)
    for pipeline, title in _TITLES.items():
        if not any(key == pipeline for _, key in measured):
            continue
        jitters = [measured.get((file.name, pipeline)) for file in files]
        lost = ["no person" if (file.name, pipeline) in measured else None for file in files]
        values = [jitter.mean if jitter else word for jitter, word in zip(jitters, lost, strict=True)]
        yield Row(f"{pipeline}_jitter_percent", f"{title}: jitter, % of the torso", values, 3)


def describe_jitter(picture: object) -> str:
    """Return the note to the rows of the jitter."""
    return (
        f"Jitter: standard deviation of the landmarks, mean over landmarks, on {picture} in {_JITTER_FRAMES} "
        "frames with noise and shifts of up to half a pixel."
    )
