"""Frames per second of whole pipelines on a video in memory, measured by turns."""

import itertools
import time
from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from blazepose.evaluation.mediapipe_runtime import FRAME_MS, Runner
from blazepose.exceptions import MissingFileError
from blazepose.runtime.media import open_source

Name = TypeVar("Name", bound=Hashable)


def read_frames(path: Path, count: int | None = None) -> list[np.ndarray]:
    """Read the first frames of a video, uint8 RGB; None reads all.

    Raises:
        FileNotFoundError: if the video is missing.
        ValueError: if no frame can be decoded.
    """
    if not path.is_file():
        raise MissingFileError(f"{path} is missing; name a video")
    source = open_source(str(path))
    with closing(source.frames):
        return [frame.image for frame in itertools.islice(source.frames, count)]


def measure_frame_rates(
    runners: Mapping[Name, Runner], frames: Sequence[np.ndarray], rounds: int
) -> dict[Name, np.ndarray]:
    """Run pipelines on the frames by turns, and return the frames per second (rounds,) of each.

    The video begins anew in each round, in which a pipeline may have to detect the person again.
    """
    clocks = {name: itertools.count(0, FRAME_MS) for name in runners}
    rates: dict[Name, list[float]] = {name: [] for name in runners}
    for _ in tqdm(range(rounds), desc="pipeline", unit=" rounds", disable=None):
        for name, run in runners.items():
            start = time.perf_counter()
            for frame in frames:
                run(frame, next(clocks[name]))
            rates[name].append(len(frames) / (time.perf_counter() - start))
    return {name: np.array(values) for name, values in rates.items()}
