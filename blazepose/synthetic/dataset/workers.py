"""Rendering on several processes; the same pictures with any number of them."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import cv2
import torch
from anny.paths import get_anny_cache_path
from tqdm import tqdm

from blazepose.image import ImageError
from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk

log = logging.getLogger(__name__)

_MOST_WORKERS = 16
"""A worker takes a gigabyte."""


def announce_first_use() -> None:
    """Say that anny has to fill its cache, if it seems that it never did here."""
    if not any(get_anny_cache_path().rglob("build_compact_model_data*")):
        log.info("preparing the body model, once on this machine: about a minute ...")


def render_split(split: Split, recipe: Recipe, workers: int) -> None:
    """Render what is missing of a split, with a progress bar.

    Args:
        split: where, and how many.
        recipe: of the set.
        workers: processes; 1 renders in this one.

    Raises:
        OSError: no space left, or a worker was killed.
        KeyboardInterrupt: what is finished stays, and the next call goes on.
    """
    chunks = split.missing()
    if chunks:
        with tqdm(total=split.count, desc=split.name, unit=" people", disable=None) as progress:
            progress.update(max(0, split.count - len(chunks) * CHUNK))
            render = _one_by_one if workers == 1 else _side_by_side
            for people in render(split, recipe, chunks, workers):
                progress.update(people)
    split.finish()


def default_workers() -> int:
    """One a core that this process may use, and not more than a big machine's memory likes."""
    return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)


def _work(job: tuple[Split, Recipe, int]) -> int:
    split, recipe, chunk = job
    return split.save(chunk, list(render_chunk(recipe, split.number, chunk)))


def _one_by_one(split: Split, recipe: Recipe, chunks: list[int], _: int) -> Iterator[int]:
    # As in a worker: sums of several threads differ in their last bits.
    threads = torch.get_num_threads(), cv2.getNumThreads()
    _one_thread()
    try:
        for chunk in chunks:
            yield _work((split, recipe, chunk))
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])


def _side_by_side(split: Split, recipe: Recipe, chunks: list[int], workers: int) -> Iterator[int]:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare)
    waiting = iter(chunks)
    running: set[Future[int]] = set()
    try:
        while True:
            # Few at a time, so that an interrupt has little to wait for.
            while len(running) < 2 * workers and (chunk := next(waiting, None)) is not None:
                running.add(pool.submit(_work, (split, recipe, chunk)))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except (OSError, ImageError) as error:
        # What a worker says on purpose is said here again, as a sentence; the system's keeps its number.
        raise type(error)(*error.args) from error
    except BrokenProcessPool as error:
        raise OSError(
            "a rendering process was killed; if memory ran out, `python -m blazepose.synthetic` with fewer "
            "--workers needs less"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    # An interrupt is for the parent, which lets the workers finish their chunk.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _one_thread()


def _one_thread() -> None:
    # The processes are the parallelism.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
