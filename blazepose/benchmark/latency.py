"""Latency of networks, measured by turns, so that another load on the machine hits all equally."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from blazepose.benchmark.files import DETECTOR, ENTRIES, BenchmarkFile
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.runtime.inference_sessions import open_session

_RUNS = 4
"""Timed runs per turn, after one that is not timed: it loads the caches that the turn before has used.
Chosen."""

_WAIT_S, _MAX_WAITS = 0.005, 100
"""Chosen."""


class Latency(NamedTuple):
    """Milliseconds of an inference in each round, input and output copied.

    Attributes:
        wall_ms: (rounds,) elapsed time.
        cpu_ms: (rounds,) time of all cores of the process; another load changes it less.
    """

    wall_ms: np.ndarray
    cpu_ms: np.ndarray


def measure_latency(
    files: Sequence[BenchmarkFile], threads: Sequence[int], rounds: int, picture: np.ndarray | None
) -> dict[tuple[str, str, int], Latency]:
    """Run the networks of all files by turns.

    Args:
        files: what to measure; those without a network are left out.
        threads: numbers of threads, each measured.
        rounds: rounds, in each of which every network runs a few times.
        picture: uint8 RGB (height, width, 3), the input; None for random pixels. Dense networks take the same
            time for all.

    Returns:
        {(name of the file, kind of network, threads): latency}.
    """
    keys = [(file, kind, number) for number in threads for file in files for kind in file.kinds]
    sessions = [open_session(file.path, ENTRIES[kind], number) for file, kind, number in keys]
    images = [
        network_input(session.inputs[0][1], kind, picture)
        for session, (_, kind, _) in zip(sessions, keys, strict=True)
    ]
    times = np.zeros((rounds + 1, len(keys), 2))  # the first round warms up
    for row in tqdm(times, desc="latency", unit=" rounds", disable=None):
        for turn, session, image in zip(row, sessions, images, strict=True):
            _wait_until_idle()
            session(image)
            start = time.perf_counter(), time.process_time()
            for _ in range(_RUNS):
                session(image)
            turn[:] = time.perf_counter() - start[0], time.process_time() - start[1]
    milliseconds = 1000 * times[1:] / _RUNS
    return {
        (file.name, kind, number): Latency(*milliseconds[:, k].T)
        for k, (file, kind, number) in enumerate(keys)
    }


def _wait_until_idle() -> None:
    """Wait until the threads of the turn before sleep: those of ONNX Runtime spin for a while after a run."""
    for _ in range(_MAX_WAITS):
        before = time.process_time()
        time.sleep(_WAIT_S)
        if time.process_time() - before < _WAIT_S / 10:
            break


def network_input(size: int, kind: str, picture: np.ndarray | None) -> np.ndarray:
    """Return float32 (1, size, size, 3): the whole picture, or random pixels, in the network's range."""
    if picture is None:
        pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    else:
        height, width = picture.shape[:2]
        pixels = crop_image(picture, roi_to_image_matrix(letterbox_roi(width, height)), size)
    values = pixels[None].astype(np.float32)
    return values / 127.5 - 1 if kind == DETECTOR else values / 255
